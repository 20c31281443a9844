"""A lost gateway's store made again from the replica, on an empty machine."""

import contextlib
import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gateway.store.base import StoreError
from gateway.store.days import CORE, number_of
from gateway.store.files import Lock, connect, flush, store_errors
from gateway.store.repeating import Repeater, take_parts
from gateway.store.replica.shelf import ReplicaShelf

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

WORK = ".from-replica"  # in the store's folder, until all of it is there
ROLLUPS = "rollups.db"
KEYS = "keys.json"
"""The staff keys under this name, wherever the configuration has them."""


@dataclass(frozen=True, slots=True)
class StoreRestored:
    """`files` were there as a whole, `steps` were done again behind them."""

    files: int
    steps: int


def restore_from(server: "Postgres", folder: Path, keys: Path) -> StoreRestored:
    """Make the store of the server's gateway in `folder`; staff keys belong to `keys`, and stay if they are there.

    StoreError, which names the mend; ServerAwayError. Then nothing is left behind that a start would take for a store.
    """
    folder.mkdir(0o700, parents=True, exist_ok=True)
    lock = Lock(folder)
    work = folder / WORK / "store"  # so deep that nobody takes it for the store of a shard
    try:
        if any(folder.glob("*.db")):
            raise StoreError(f"{folder} already holds a store: move it away first, or name an empty store.path")
        shutil.rmtree(work.parent, ignore_errors=True)
        work.mkdir(0o700, parents=True)
        with store_errors(folder):
            with server.transaction("REPEATABLE READ"):
                done = _fetch(server, work)
            _move(work, folder, keys)
    finally:
        shutil.rmtree(work.parent, ignore_errors=True)
        lock.release()
    return done


def _fetch(server: "Postgres", work: Path) -> StoreRestored:
    state = server.state()
    if state is None:
        raise StoreError(f"the replica holds nothing of {server.gateway}: look at gateway.id and store.replica")
    if not state.whole:
        raise StoreError(
            f"the replica of {server.gateway} never was whole: older days had not been sent yet; take a backup"
        )
    shelf = ReplicaShelf(server)
    files = shelf.files()
    for file in files.values():
        target = work / _safe(file.name)
        target.parent.mkdir(0o700, parents=True, exist_ok=True)
        target.touch(0o600)
        shelf.fetch(file.name, target)
        if not file.name.endswith(".db") or file.name.endswith(".day.db"):
            # A file that is as it was is not sent again.
            stamp = int(file.mark.partition("-")[0])
            os.utime(target, ns=(stamp, stamp))
    contained = {name: file.upto for name, file in files.items()}
    of_days = {number_of(Path(name)): upto for name, upto in contained.items() if name.endswith(".day.db")}
    count = 0
    with closing(connect(work / CORE, "core")) as core:
        repeater = Repeater(work, core, "OFF")
        for step in server.steps(0):
            if step.n > (contained.get(CORE, 0) if step.day is None else of_days.get(step.day, 0)):
                repeater.put(step)
                count += 1
        repeater.flush()
        take_parts(core, shelf.parts())
    return StoreRestored(len(files), count)


def fetch_beside(server: "Postgres", folder: Path, keys: Path) -> None:
    """What other processes wrote, as it is now: files of others alone, in place of what is there. StoreError."""
    shelf = ReplicaShelf(server)
    part = folder / f"{WORK}.part"
    for file in shelf.files().values():
        if file.name in (CORE, ROLLUPS) or file.name.endswith(".day.db"):
            continue
        target = keys if file.name == KEYS else folder / _safe(file.name)
        with store_errors(folder):
            target.parent.mkdir(0o700, parents=True, exist_ok=True)
            part.touch(0o600)
            shelf.fetch(file.name, part)
            shutil.move(part, target)


def take_checkpoints(server: "Postgres", folder: Path) -> None:
    """For a quicker start. StoreError."""
    with store_errors(folder), closing(connect(folder / CORE, "core")) as core:
        take_parts(core, ReplicaShelf(server).parts())


def _safe(name: str) -> str:
    """StoreError for a name that leads out of the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise StoreError(f"{name!r} is no name of a store's file")
    return str(path)


def _move(work: Path, folder: Path, keys: Path) -> None:
    """Flushed first; the core file last: without it nobody takes the rest for a store that ran."""
    files = sorted((path for path in work.rglob("*") if path.is_file()), key=lambda path: path.name == CORE)
    for path in files:
        flush(path)
    for path in files:
        target = folder / path.relative_to(work)
        if target == folder / KEYS:
            target = keys
        if target.exists():
            continue  # keys that are there may have been revoked since
        target.parent.mkdir(0o700, parents=True, exist_ok=True)
        shutil.move(path, target)
    with contextlib.suppress(OSError):
        flush(keys.parent)
    flush(folder)
