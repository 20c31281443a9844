"""`yizhan backup`: a copy of the whole store with the staff keys, while the gateway works."""

import argparse
import sys
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("backup", help="copy the whole store, also while the gateway works")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="a folder; an older copy in it is renewed. Default: as `backup:` says"
    )
    parser.add_argument(
        "--rehearse", action="store_true", help="fetch the newest backup of `backup:` and look through all of it"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return _as_configured(args) if args.to is None else _to_folder(args)


def _as_configured(args: argparse.Namespace) -> int:
    """What the service does each day, now. Nothing waits for it, so it tells how far it is."""
    from api.access_book import whoever
    from api.backups.copying import FAULTS
    from api.backups.schedule import alone, make_now, rehearse_now
    from config.files import UnusableFileError
    from config.load import load
    from gateway.base.clock import now_ms
    from gateway.base.progress import Progress

    settings = load(args.config)
    backup = settings.backup
    if backup is None:
        sys.stderr.write("there is no `backup:` section in the configuration; add one, or say --to DIR\n")
        return 2
    progress = Progress("rehearsal" if args.rehearse else "backup", "files")

    def tell(_name: str, done: int, total: int) -> None:
        progress.step(done, total)

    with alone(settings.store.path) as mine:
        if not mine:
            sys.stderr.write("another process makes a backup of this store just now; wait for it\n")
            return 1
        try:
            if args.rehearse:
                told = f"{rehearse_now(settings, backup, now_ms(), tell)} files fetched from {backup.to}, all are right"
            else:
                done = make_now(settings, backup, now_ms(), whoever(), tell)
                told = f"{done.files} files, {done.put} new, {done.put_bytes / 2**20:.1f} MiB, in {backup.to}"
        except (*FAULTS, UnusableFileError) as error:
            progress.end()
            sys.stderr.write(f"{error}\n")
            return 1
    progress.end()
    sys.stdout.write(f"{told}\n")
    return 0


def _to_folder(args: argparse.Namespace) -> int:
    from api.access_book import AccessBook, whoever
    from api.auth import Keyring
    from api.backups.copying import KEYS
    from api.passkeys.book import NAME as PASSKEYS
    from api.photos import copy_photos, drop_past
    from config.load import load
    from gateway.base.clock import now_ms
    from gateway.notify.links import LINK_KEY
    from gateway.store.backup import backup, for_owner_only, private

    settings = load(args.config)
    folder = settings.store.path
    written = [path for store in stores(folder) for path in backup(store, args.to / store.relative_to(folder))]
    written += private(folder / LINK_KEY, args.to / LINK_KEY)
    written += private(Keyring.of(settings).path, args.to / KEYS)
    written += private(folder / PASSKEYS, args.to / PASSKEYS)
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

    return [store for store in store_folders(folder) if any(store.glob("*.db"))] or [folder]
