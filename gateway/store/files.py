"""Opening SQLite files: pragmas, schema versions, health, the folder's lock, and the ballast for a full disk."""

import contextlib
import errno
import fcntl
import logging
import os
import shutil
import sqlite3  # noqa: TID251
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from gateway.base.clock import monotonic_s
from gateway.base.folder_lock import alone_in
from gateway.base.local_time import DAY_MS
from gateway.model import Millis
from gateway.store.base import StoreError

log = logging.getLogger(__name__)

SCHEMAS = {"day": 1, "core": 6, "rollup": 6, "occupation": 1, "webhooks": 1, "wishes": 1}
MADE_AGAIN = ("rollup",)  # from the journal
COPY = ".before-schema-"
COPIES_KEPT_MS = 30 * DAY_MS
COMPANIONS = ("", "-wal", "-shm", "-journal")
CHECK_S = 2.0  # a check of a large file ends after so long: a start may not take minutes
READ_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)  # SQLite may quote what is broken, and that need not be text
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_REFUSED = (
    sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE,
)  # fmt: skip
_ROWS_FAULT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
_NOT_THE_FILES_FAULT = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_FULL, sqlite3.SQLITE_AUTH,
)  # fmt: skip


def connect(path: Path, schema: str, *, synchronous: str = "FULL") -> sqlite3.Connection:
    """A writing connection of a file; the file is made when missing. StoreError when it is from the future.

    Threads and processes that come at once make it, or bring it to its version, one after another.
    """
    try:
        with alone_in(path.parent):
            return _made(path, schema, synchronous)
    except OSError as error:
        raise as_store_error(error, path) from error


def _made(path: Path, schema: str, synchronous: str) -> sqlite3.Connection:
    try:
        if not path.exists():
            leave_no_orphans(path)
            path.touch(0o600)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    except sqlite3.Error as error:
        raise as_store_error(error, path) from error
    try:
        if not path.exists() or path.stat().st_size == 0:
            db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # room can be given back in steps
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={synchronous}")
        db.execute("PRAGMA mmap_size=0")
        db.execute("PRAGMA journal_size_limit=8388608")
        db.execute("PRAGMA temp_store=MEMORY")
        _upgrade(db, path, schema)
    except sqlite3.Error as error:
        db.close()
        raise as_store_error(error, path) from error
    except StoreError:
        db.close()
        raise
    return db


@contextlib.contextmanager
def new_file(path: Path, schema: str, *, synchronous: str = "FULL") -> Iterator[sqlite3.Connection]:
    """A connection to fill a file with, which gets its name when it is whole and flushed. StoreError.

    So no reader, and no start after a kill, finds half of it.
    """
    part = path.with_name(path.name + ".part")
    try:
        unlink(part)
        with contextlib.closing(connect(part, schema, synchronous=synchronous)) as db:
            yield db
            db.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")  # what the log holds would not get the name
        leave_no_orphans(path)
        part.rename(path)
        flush(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise as_store_error(error, path) from error


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint."""
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=5)
        db.execute("PRAGMA query_only=1")
    except sqlite3.Error as error:
        raise as_store_error(error, path) from error
    return db


def as_store_error(error: Exception, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    # A file system may bring back an empty file after a power cut: tables that are not there are damage as well.
    damaged = code in _DAMAGED or isinstance(error, UnicodeDecodeError) or str(error).startswith("no such table")
    full = code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC
    refused = (code in _REFUSED or isinstance(error, _ROWS_FAULT)) and not damaged and "closed" not in str(error)
    return StoreError(f"{path}: {error}", full=full, damaged=damaged, refused=refused)


class store_errors:  # noqa: N801  read like contextlib.suppress; a generator would cost each commit a microsecond
    """What SQLite and the file system complain of inside becomes a StoreError that names the file."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (*READ_ERRORS, sqlite3.Error, OSError)):
            raise as_store_error(error, self._path) from error


def sqlite_version() -> tuple[str, bool]:
    """The library's version, and whether it has the WAL-reset bug (3.7.0 to 3.51.2)."""
    return sqlite3.sqlite_version, (3, 7, 0) <= sqlite3.sqlite_version_info < (3, 51, 3)


def _upgrade(db: sqlite3.Connection, path: Path, schema: str) -> None:
    """Bring the file to our version, one numbered script after another, each in one transaction."""
    (have,) = db.execute("PRAGMA user_version").fetchone()
    want = SCHEMAS[schema]
    if have > want:
        raise StoreError(
            f"{path} was written by a newer yizhan (schema {have}, this one knows {want}): "
            "install that version again, or restore a backup made before the upgrade"
        )
    if 0 < have < want and schema not in MADE_AGAIN:
        _keep_copy(db, path, have)
    for version in range(have + 1, want + 1):
        script = resources.files("gateway.store").joinpath(f"schema/{schema}-{version}.sql").read_text()
        with transaction(db):
            for statement in _statements(script):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={version}")


def _keep_copy(db: sqlite3.Connection, path: Path, have: int) -> None:
    """As it is before its format changes, for the version that wrote it. Where there is no room, we go on without."""
    copy = path.with_name(f"{path.name}{COPY}{have}")
    part = copy.with_name(f"{copy.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(0o600)
        db.execute("VACUUM INTO ?", (str(part),))
        flush(part)
        part.replace(copy)
        log.info("%s gets another format; as it was before it is kept in %s", path.name, copy.name)
    except (sqlite3.Error, OSError) as error:
        log.warning("%s gets another format, and no copy of it could be kept: %s", path, error)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def forget_copies(folder: Path, now: Millis) -> None:
    """Copies from before a change of format go after 30 days."""
    for copy in folder.rglob(f"*{COPY}*"):
        with contextlib.suppress(OSError):
            if copy.stat().st_mtime < (now - COPIES_KEPT_MS) / 1000:
                copy.unlink()


def _statements(script: str) -> Iterator[str]:
    """SQL statements of a script; executescript would end our transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


class transaction:  # noqa: N801  as store_errors
    """BEGIN IMMEDIATE … COMMIT; rolled back on any exception."""

    __slots__ = ("_db",)

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        if self._db.in_transaction:  # one before could not be rolled back then
            self._db.execute("ROLLBACK")
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _trace: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")


def roll_back(path: Path) -> None:
    """Undo what a kill left half done outside the log: only who may write can. Damage is left for `healthy` to find."""
    with contextlib.suppress(*READ_ERRORS), contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA schema_version").fetchone()


def healthy(path: Path) -> bool:
    """False when SQLite finds a fault in the file within CHECK_S. StoreError when it can't be looked at at all."""
    if not path.exists():
        return True
    try:
        with contextlib.closing(read_only(path)) as db:
            end = monotonic_s() + CHECK_S
            db.set_progress_handler(lambda: monotonic_s() > end, 100_000)
            tables = db.execute("PRAGMA user_version").fetchone() != (0,)  # a file system may bring back an empty file
            return tables and bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except READ_ERRORS as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            log.info("%s: no fault found in %.0f s of looking", path.name, CHECK_S)
            return True
        if code in _NOT_THE_FILES_FAULT:
            raise as_store_error(error, path) from error
        return False


def set_aside(path: Path, stamp: str) -> Path:
    """Move a damaged file and its companions out of the way; returns where the file is now."""
    aside, count = path.with_name(f"{path.name}.damaged-{stamp}"), 1
    while aside.exists():
        count += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{count}")
    move(path, aside)
    log.error("%s is damaged: moved to %s", path, aside.name)
    return aside


def leave_no_orphans(path: Path) -> None:
    """A file that is made anew must not find the log of one that was deleted: it would be read into it."""
    if not path.exists() and any(path.with_name(path.name + suffix).exists() for suffix in COMPANIONS[1:]):
        aside = path.with_name(f"{path.name}.damaged-orphan")
        move(path, aside)
        log.error("%s is gone but its log stayed behind: moved to %s-*", path, aside.name)


def move(path: Path, to: Path) -> None:
    """A database file and its companions, as far as they are there: where it was cut short, do it again."""
    for suffix in COMPANIONS:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(to.with_name(to.name + suffix))


def put_in_place(made: Path, path: Path) -> None:
    """A whole database, with no log of its own, under the name of another one that nobody has open."""
    flush(made)
    for suffix in COMPANIONS[1:]:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    made.replace(path)
    flush(path.parent)


def flush(path: Path) -> None:
    """What was written to the file, or the names in the folder, outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unlink(path: Path) -> None:
    """A database file and its companions, the log first: without it the rest is whole, if older."""
    for suffix in reversed(COMPANIONS):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class Lock:
    """One writer for a folder. StoreError when somebody else has it; ends with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise StoreError(
                f"{folder} belongs to another yizhan that is running: "
                "stop that one, or give this one a store.path of its own"
            ) from None

    def release(self) -> None:
        self._file.close()


class Ballast:
    """A file that only takes room, given up when the disk is full so that the most important can still be written."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size

    def fill(self) -> bool:
        """Take the room (again) if there is twice as much. False when there is not."""
        if self._size == 0 or (self._path.exists() and self._path.stat().st_size >= self._size):
            return True
        if shutil.disk_usage(self._path.parent).free < 2 * self._size:
            return False
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.drop()
            return False
        return True

    def drop(self) -> bool:
        """Give the room back. True if there was any."""
        had = self._path.exists()
        self._path.unlink(missing_ok=True)
        return had
