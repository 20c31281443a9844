"""A copy of the whole store while it works, and the way back.

The core file goes first and the days after it: what a checkpoint covers is then surely in the copy, and what came
later is replayed at the next start. Every copy is compact, whole in itself and moved to its name when it is on disk.

The key that makes pseudonyms of cards never comes along: a backup that held both would undo it.
"""

import contextlib
import shutil
import sqlite3  # noqa: TID251
from collections.abc import Iterator
from pathlib import Path

from gateway.store.base import StoreError
from gateway.store.days import CORE, is_day
from gateway.store.files import SCHEMAS, Lock, as_store_error, flush, healthy, read_only

MARGIN_MS = 2_000  # file systems keep times more coarsely than we look


def backup(folder: Path, target: Path) -> list[Path]:
    """Copy the store in `folder` into `target`, which may hold an older copy; returns what was written.

    Days that are over and already there are not copied again. StoreError names the mend.
    """
    names = _names(folder)
    if not names:
        raise StoreError(f"{folder} holds no store to back up: check store.path")
    try:
        target.mkdir(0o700, parents=True, exist_ok=True)
        return [path for name in names if (path := _copied(folder / name, target / name)) is not None]
    except OSError as error:
        raise StoreError(f"{target}: {error.strerror or error}: make room there, or name another folder") from error


def restore(source: Path, folder: Path) -> list[Path]:
    """Check the backup in `source`, then copy it into `folder`. StoreError when either is not fit for it."""
    names = _names(source)
    if not names:
        raise StoreError(f"{source} holds no backup")
    folder.mkdir(0o700, parents=True, exist_ok=True)
    lock = Lock(folder)
    try:
        if _names(folder):
            raise StoreError(f"{folder} already holds a store: move it away first, or name an empty store.path")
        for name in names:
            check(source / name)
        return [_moved(source / name, folder / name) for name in names]
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error
    finally:
        lock.release()


def private(source: Path, target: Path) -> list[Path]:
    """Copy a small secret, where there is one, for its owner's eyes only; returns what was written."""
    if not source.exists():
        return []
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(0o600)
    shutil.copyfile(source, part)
    return [_moved(part, target, keep=False)]


def for_owner_only(target: Path) -> None:
    """Take the rights of others away from the databases of a backup: an earlier version left them readable.

    On a file system that has no rights this changes nothing.
    """
    for path in (*target.glob("*.db"), *target.glob("*/*.db")):
        with contextlib.suppress(OSError):
            path.chmod(0o600)


def check(path: Path) -> None:
    """StoreError when a file is damaged or from a newer version."""
    if not healthy(path):
        raise StoreError(f"{path} is damaged: take an older backup")
    with contextlib.closing(read_only(path)) as db:
        have = db.execute("PRAGMA user_version").fetchone()[0]
    schema = "day" if is_day(path.name) else "core" if path.name == CORE else None
    known = SCHEMAS.get(schema or "", have)
    if have > known:
        raise StoreError(f"{path} was written by a newer yizhan (schema {have}, this one knows {known}): install that")


def _names(folder: Path) -> list[str]:
    """Files of a store; the core first, then the days, the newest last."""
    names = sorted(path.name for path in folder.glob("*.db"))
    return sorted(names, key=lambda name: (name != CORE, is_day(name), name))


def snapshot(source: Path, target: Path) -> None:
    """A compact copy of one database as it is at this moment, also while others write to it."""
    target.touch(0o600)
    try:
        with contextlib.closing(read_only(source)) as db:
            db.execute("PRAGMA query_only=0")  # for VACUUM INTO; the file itself stays read-only
            db.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise as_store_error(error, source) from error


def _copied(source: Path, target: Path) -> Path | None:
    """None when the copy that is there is as new as the file."""
    if target.exists() and target.stat().st_mtime_ns >= _changed_ns(source) + MARGIN_MS * 1_000_000:
        return None
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        snapshot(source, part)
    except StoreError:
        part.unlink(missing_ok=True)
        raise
    return _moved(part, target, keep=False)


def _changed_ns(path: Path) -> int:
    return max(file.stat().st_mtime_ns for file in _with_log(path))


def _with_log(path: Path) -> Iterator[Path]:
    yield path
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        yield log


def _moved(source: Path, target: Path, *, keep: bool = True) -> Path:
    """Under its own name only when all of it is on disk."""
    part = target.with_name(target.name + ".part") if keep else source
    if keep:
        part.unlink(missing_ok=True)
        part.touch(0o600)
        shutil.copyfile(source, part)
    flush(part)
    part.replace(target)
    flush(target.parent)
    return target
