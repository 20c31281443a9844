"""`yizhan backup`: a copy of the whole store with the staff keys, while the gateway works."""

import argparse
import sys
from pathlib import Path
from typing import Any

KEYS = "keys.json"  # the staff keys under this name, wherever the configuration has them


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("backup", help="copy the whole store, also while the gateway works")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="a folder; an older copy in it is renewed"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.access_book import AccessBook, whoever
    from api.auth import Keyring
    from api.photos import copy_photos, drop_past
    from config.load import load
    from gateway.base.clock import now_ms
    from gateway.notify.links import LINK_KEY
    from gateway.store.backup import backup, for_owner_only, private

    settings = load(args.config)
    folder = settings.store.path
    written = [path for one in stores(folder) for path in backup(one, args.to / one.relative_to(folder))]
    written += private(folder / LINK_KEY, args.to / LINK_KEY)
    written += private(Keyring.of(settings).path, args.to / KEYS)
    written += copy_trail(folder, args.to)
    written += copy_photos(folder, args.to)
    drop_past(folder, args.to)
    for_owner_only(args.to)
    AccessBook(folder).note(now_ms(), whoever(), "backed_up", str(args.to), f"{len(written)} files")
    size = sum(path.stat().st_size for path in written)
    sys.stdout.write(f"{len(written)} files, {size / 2**20:.1f} MiB, in {args.to}\n")
    return 0


def copy_trail(folder: Path, target: Path) -> list[Path]:
    """The audit trail of access, and the daily exports of all trails; what was written."""
    from api.access_book import ASIDE, HEAD, NAME
    from api.audit_check import FOLDER
    from api.private_files import locked
    from gateway.store.backup import private

    with locked(folder):
        trail = [path for path in (*sorted(folder.glob(ASIDE)), folder / NAME, folder / HEAD) if path.exists()]
        written = [copy for path in trail for copy in private(path, target / path.name)]
    exports = sorted((folder / FOLDER).glob("*.jsonl"))
    if exports:
        (target / FOLDER).mkdir(0o700, exist_ok=True)
    return written + [copy for path in exports for copy in private(path, target / FOLDER / path.name)]


def stores(folder: Path) -> list[Path]:
    """The folders of a store that hold any of it: itself, or one for each shard."""
    from gateway.store.days import store_folders

    return [one for one in store_folders(folder) if any(one.glob("*.db"))] or [folder]
