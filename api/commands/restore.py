"""`yizhan restore`: a backup or the replica becomes the store again. What was there is kept, never overwritten."""

import argparse
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("restore", help="make a backup the store again")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--from", dest="source", type=Path, metavar="DIR", help="what `backup --to` wrote")
    source.add_argument(
        "--from-backup", nargs="?", const="", metavar="NAME", help="what `backup:` made; NAME as --list, or the newest"
    )
    source.add_argument(
        "--from-replica", action="store_true", help="what `store.replica` has: all that was acknowledged, also the last"
    )
    source.add_argument("--list", action="store_true", help="which of them there are")
    parser.add_argument("--force", action="store_true", help="move a store that is there aside first")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from config.load import load

    settings = load(args.config)
    if args.from_replica:
        return _from_replica(settings)
    if args.source is not None:
        return _from(settings, args.source, force=args.force)
    return _from_configured(args, settings)


def _from_configured(args: argparse.Namespace, settings: Any) -> int:
    """Fetched beside the store first: what can't be opened changes nothing."""
    import tempfile

    from api.backups.copying import FAULTS
    from api.backups.schedule import copies_of
    from config.files import UnusableFileError
    from gateway.base.progress import Progress

    if settings.backup is None:
        sys.stderr.write("there is no `backup:` section in the configuration; add one, or say --from DIR\n")
        return 2
    progress = Progress("restore", "files")
    try:
        copies = copies_of(settings, settings.backup, lambda _name, done, total: progress.step(done, total))
        if args.list:
            sys.stdout.write("".join(f"{name}\n" for name in copies.lists()))
            return 0
        folder = settings.store.path
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".restore-") as fetched:
            copies.fetch(Path(fetched), args.from_backup or None)
            progress.end()
            return _from(settings, Path(fetched), force=args.force)
    except (*FAULTS, UnusableFileError) as error:
        progress.end()
        sys.stderr.write(f"{error}\n")
        return 1


def _from_replica(settings: Any) -> int:
    """Each shard has a store of its own; nothing is moved aside, as what is there may be newer than anybody thinks."""
    from api.access_book import AccessBook, whoever
    from gateway.base.clock import now_ms
    from gateway.store.base import StoreError
    from gateway.store.replica.configured import gateways_of
    from gateway.store.replica.halves import is_half
    from gateway.store.replica.words import ServerAwayError

    replica, folder = settings.store.replica, settings.store.path
    if replica is None:
        sys.stderr.write("there is no `store.replica` in the configuration; add it, or say --from DIR\n")
        return 2
    try:
        names = gateways_of(replica, settings.gateway.id)
        stores = {name: folder if name == settings.gateway.id else folder / name for name in names}
        missing = [name for name, store in stores.items() if is_half(store) or not any(store.glob("*.db"))]
        told = _restored(settings, {name: stores[name] for name in missing or names})
    except (StoreError, ServerAwayError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for store, text in told:  # the trail itself came with them
        AccessBook(folder).note(now_ms(), whoever(), "restored", str(store), f"{text}, from the replica")
        sys.stdout.write(f"{text} are in {store}; start the gateway again\n")
    for name in stores.keys() - set(missing):
        sys.stdout.write(f"the store in {stores[name]} was there, and stays as it is\n")
    return 0


def _restored(settings: Any, stores: dict[str, Path]) -> list[tuple[Path, str]]:
    """The stores by the names of their gateways, each made from the replica; what is in each. StoreError where one is
    there; ServerAwayError.
    """
    from contextlib import closing

    from gateway.store.replica.configured import connection_of
    from gateway.store.replica.halves import several
    from gateway.store.replica.restoring import newest_beside, restore_from
    from gateway.store.replica.shelf import ReplicaShelf

    replica, files, told = settings.store.replica, {}, list[tuple[Path, str]]()
    for name in stores:
        with closing(connection_of(replica, name)()) as server:
            files[name] = ReplicaShelf(server).files()
    beside = newest_beside(files)
    with several(settings.store.path) as made:
        for name, store in stores.items():
            with closing(connection_of(replica, name)()) as server:
                done = restore_from(server, store, settings.keys_file, settings.store.path, beside[name])
            made.append(store)
            told.append((store, f"{done.files} files and {done.steps} commits behind them"))
    return told


def _from(settings: Any, source: Path, *, force: bool) -> int:
    from api.access_book import NAME as TRAIL
    from api.access_book import AccessBook, whoever
    from api.commands.backup import copy_trail, stores
    from api.passkeys.book import NAME as PASSKEYS
    from api.photos import copy_photos
    from gateway.base.clock import now_ms
    from gateway.notify.links import LINK_KEY
    from gateway.store.backup import private, restore
    from gateway.store.base import StoreError

    folder = settings.store.path
    sources = stores(source)
    there = [store for store in stores(folder) if any(store.glob("*.db"))]
    if there and not force:
        raise StoreError(f"{folder} holds a store: stop its gateway, then say --force, which moves it aside first")
    stamp = f"{datetime.fromtimestamp(now_ms() / 1000, UTC):%Y%m%dT%H%M%S}"
    for store in there:
        sys.stdout.write(f"the store that was there is now in {set_aside(store, stamp, folder)}\n")
    restored = [path for store in sources for path in restore(store, folder / store.relative_to(source))]
    restored += private(source / LINK_KEY, folder / LINK_KEY)
    if not (folder / PASSKEYS).exists():  # those of the backup may have been removed since
        restored += private(source / PASSKEYS, folder / PASSKEYS)
    restored += copy_photos(source, folder)
    if not (folder / TRAIL).exists():  # a trail that is there goes on
        restored += copy_trail(source, folder)
    AccessBook(folder).note(now_ms(), whoever(), "restored", str(folder), f"{len(restored)} files from {source}")
    sys.stdout.write(f"{len(restored)} files restored to {folder}; {restore_keys(settings, source)}\n")
    return 0


def restore_keys(settings: Any, source: Path) -> str:
    """Staff keys that are there stay: those of a backup may have been revoked since."""
    from api.auth import Keyring
    from api.backups.copying import KEYS
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
