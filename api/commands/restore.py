"""`yizhan restore`: a backup becomes the store again. What was there is kept beside it, never overwritten."""

import argparse
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("restore", help="make a backup the store again")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR", help="what backup wrote")
    parser.add_argument("--force", action="store_true", help="move a store that is there aside first")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.access_book import NAME as TRAIL
    from api.access_book import AccessBook, whoever
    from api.commands.backup import copy_trail, stores
    from api.photos import copy_photos
    from config.load import load
    from gateway.base.clock import now_ms
    from gateway.notify.links import LINK_KEY
    from gateway.store.backup import private, restore
    from gateway.store.base import StoreError

    settings = load(args.config)
    folder = settings.store.path
    sources = stores(args.source)
    there = [one for one in stores(folder) if any(one.glob("*.db"))]
    if there and not args.force:
        raise StoreError(f"{folder} holds a store: stop its gateway, then say --force, which moves it aside first")
    stamp = f"{datetime.fromtimestamp(now_ms() / 1000, UTC):%Y%m%dT%H%M%S}"
    for one in there:
        sys.stdout.write(f"the store that was there is now in {set_aside(one, stamp, folder)}\n")
    restored = [path for source in sources for path in restore(source, folder / source.relative_to(args.source))]
    restored += private(args.source / LINK_KEY, folder / LINK_KEY)
    restored += copy_photos(args.source, folder)
    if not (folder / TRAIL).exists():  # a trail that is there goes on
        restored += copy_trail(args.source, folder)
    AccessBook(folder).note(now_ms(), whoever(), "restored", str(folder), f"{len(restored)} files from {args.source}")
    sys.stdout.write(f"{len(restored)} files restored to {folder}; {restore_keys(settings, args.source)}\n")
    return 0


def restore_keys(settings: Any, source: Path) -> str:
    """Staff keys that are there stay: those of a backup may have been revoked since."""
    from api.auth import Keyring
    from api.commands.backup import KEYS
    from gateway.store.backup import private

    path = Keyring.of(settings).path
    if path.exists():
        return f"the staff keys in {path} stay as they are; start the gateway again"
    path.parent.mkdir(parents=True, exist_ok=True)
    if private(source / KEYS, path):
        return f"the staff keys are in {path}; start the gateway again"
    return "there are no staff keys: make one with `yizhan keys create`, and start the gateway again"


def set_aside(store: Path, stamp: str, folder: Path) -> Path:
    """Move a store's files beside its folder. StoreError while a gateway works on them."""
    from gateway.store.files import Lock

    lock = Lock(store)
    try:
        target = folder.with_name(f"{folder.name}.before-restore-{stamp}") / store.relative_to(folder)
        target.mkdir(parents=True)
        for path in sorted(store.glob("*.db*")):
            shutil.move(path, target / path.name)
    finally:
        lock.release()
    return target
