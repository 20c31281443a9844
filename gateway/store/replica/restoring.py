"""A lost gateway's store made again from the replica, on an empty machine."""

import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gateway.store.base import StoreError
from gateway.store.days import CORE, is_day, number_of
from gateway.store.files import Lock, connect, store_errors
from gateway.store.repeating import Repeater, take_parts
from gateway.store.replica.halves import WORK, is_half, put_into_place, undo_half
from gateway.store.replica.shelf import ReplicaShelf, ShelvedFile

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

ROLLUPS = "rollups.db"
KEYS = "keys.json"
"""The staff keys under this name, wherever the configuration has them."""


@dataclass(frozen=True, slots=True)
class StoreRestored:
    """`files` were there as a whole, `steps` were done again behind them."""

    files: int
    steps: int


def restore_from(
    server: "Postgres", folder: Path, keys: Path, root: Path | None = None, beside: Collection[str] | None = None
) -> StoreRestored:
    """Make the store of the server's gateway in `folder`; staff keys belong to `keys`, and stay if they are there.

    `root`: where the files of other processes belong, `folder` if None; `beside`: which of them to take, None: all.
    StoreError, which names the mend; ServerAwayError. Then nothing is left behind that a start would take for a store;
    where it is killed, a start is refused, and the next restore begins anew.
    """
    folder.mkdir(0o700, parents=True, exist_ok=True)
    lock = Lock(folder)
    work = folder / WORK / "store"  # so deep that nobody takes it for the store of a shard
    try:
        undo_half(folder)
        if any(folder.glob("*.db")):
            raise StoreError(f"{folder} already holds a store: move it away first, or name an empty store.path")
        work.mkdir(0o700, parents=True)
        with store_errors(folder):
            with server.transaction("REPEATABLE READ"):
                done = _fetch(server, work, beside)
            put_into_place(work, partial(_place, folder, root or folder, keys))
    finally:
        if not is_half(folder):
            shutil.rmtree(work.parent, ignore_errors=True)
        lock.release()
    return done


def is_journal(name: str) -> bool:
    """Whether a file in the replica is of the store itself, and none of other processes."""
    return name in (CORE, ROLLUPS) or is_day(name)


def newest_beside(files: Mapping[str, Mapping[str, ShelvedFile]]) -> dict[str, set[str]]:
    """Of several gateways, each with its files: from which one each file of other processes is to be taken. After a
    change of the number of shards another one brings them.
    """
    newest: dict[str, tuple[int, str]] = {}
    for gateway, shelved in files.items():
        for file in shelved.values():
            if not is_journal(file.name):
                newest[file.name] = max(newest.get(file.name, (0, "")), (file.changed_ns, gateway))
    chosen: dict[str, set[str]] = {gateway: set() for gateway in files}
    for name, (_, gateway) in newest.items():
        chosen[gateway].add(name)
    return chosen


def _fetch(server: "Postgres", work: Path, beside: Collection[str] | None) -> StoreRestored:
    state = server.state()
    if state is None:
        raise StoreError(f"the replica holds nothing of {server.gateway}: look at gateway.id and store.replica")
    if not state.whole:
        raise StoreError(
            f"the replica of {server.gateway} never was whole: older days had not been sent yet; take a backup"
        )
    shelf = ReplicaShelf(server)
    files = {name: file for name, file in shelf.files().items() if is_journal(name) or beside is None or name in beside}
    for file in files.values():
        target = work / _safe(file.name)
        target.parent.mkdir(0o700, parents=True, exist_ok=True)
        target.touch(0o600)
        shelf.fetch(file.name, target)
        if not file.name.endswith(".db") or is_day(file.name):
            # A file that is as it was is not sent again.
            os.utime(target, ns=(file.changed_ns, file.changed_ns))
    contained = {name: file.upto for name, file in files.items()}
    of_days = {number_of(Path(name)): upto for name, upto in contained.items() if is_day(name)}
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
        if is_journal(file.name):
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


def _place(folder: Path, root: Path, keys: Path, name: str) -> Path:
    """Where a file belongs."""
    if name == KEYS:
        return keys
    return (folder if is_journal(name) else root) / name
