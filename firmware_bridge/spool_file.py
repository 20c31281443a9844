"""The spool's file: how it is opened, which version its tables have, and its errors. SQLite goes no further."""

import contextlib
import logging
import sqlite3  # noqa: TID251  the spool has its own file
import uuid
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

FILE = "spool.sqlite3"

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (  # 1: files from before versions were counted hold these tables already
        """CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS device (
          id INTEGER PRIMARY KEY, name TEXT UNIQUE, next_seq INTEGER NOT NULL DEFAULT 1,
          lost INTEGER NOT NULL DEFAULT 0, mark BLOB NOT NULL DEFAULT x'')""",
        """CREATE TABLE IF NOT EXISTS held (
          device INTEGER, seq INTEGER, ts INTEGER, event TEXT, body BLOB, PRIMARY KEY (device, seq)) WITHOUT ROWID""",
        """CREATE INDEX IF NOT EXISTS telemetry ON held (ts) WHERE event IS NULL""",
        """CREATE TABLE IF NOT EXISTS nonce (value TEXT PRIMARY KEY, until INTEGER) WITHOUT ROWID""",
    ),
    (  # 2: transactions of piles, and until when a device is out of service
        """CREATE TABLE charge (
          number INTEGER PRIMARY KEY, pile TEXT NOT NULL, device TEXT NOT NULL, mark TEXT NOT NULL, started_at INTEGER,
          meter_start REAL, ended_at INTEGER, card TEXT)""",
        """CREATE INDEX charge_mark ON charge (pile, mark)""",
        """CREATE INDEX charge_ended ON charge (ended_at)""",
        """CREATE INDEX charge_open ON charge (device) WHERE ended_at IS NULL""",
        """CREATE TABLE out_of_service (device TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID""",
    ),
    (  # 3: relayed piles: what waits for their operator, what he has, and the numbers that pile and operator have
        """CREATE TABLE relay_held (
          seq INTEGER PRIMARY KEY AUTOINCREMENT, pile TEXT NOT NULL, message TEXT NOT NULL, action TEXT NOT NULL,
          lasting INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (pile, message))""",
        """CREATE TABLE relay_settled (
          message TEXT PRIMARY KEY, pile TEXT NOT NULL, verdict TEXT, given INTEGER, at INTEGER NOT NULL)
          WITHOUT ROWID""",
        """CREATE INDEX relay_settled_at ON relay_settled (at)""",
        """ALTER TABLE charge ADD COLUMN given INTEGER""",
        """ALTER TABLE charge ADD COLUMN upstream INTEGER""",
    ),
)
"""What brings a file from each version to the next; the number of the last is `user_version`. Append, never change."""


class SpoolError(Exception):
    """The spool can't be read or written; the text names the file and what helps. Nothing of what was asked is done."""


@contextlib.contextmanager
def spool_errors(path: Path) -> Iterator[None]:
    """What SQLite and the file system complain of inside becomes a SpoolError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        help_by = "free some disk space" if full else "look at the disk, its free space and who may write there"
        raise SpoolError(f"the spool {path} can't be used: {error}; {help_by}") from error


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE … COMMIT; rolled back on any exception, so that the next one can begin."""
    if db.in_transaction:  # the one before could not be rolled back then
        db.execute("ROLLBACK")
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # a full disk has rolled it back by itself
            db.execute("ROLLBACK")
        raise


def open_file(path: Path) -> sqlite3.Connection:
    """The database, whole. A damaged one (a dying card, mostly) is put aside: the box must come up again by itself.

    sqlite3.Error when it can't be opened for another reason; SpoolError when a newer yizhan wrote it.
    """
    try:
        db = _connect(path)
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
            return db
        db.close()
    except sqlite3.OperationalError:  # locked, full, no rights: not the file's fault
        raise
    except sqlite3.DatabaseError as error:
        log.error("spool %s: %s", path, error)
    aside = path.with_suffix(f".damaged-{uuid.uuid4().hex[:6]}")
    path.rename(aside)
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    log.error("spool %s is damaged: put aside as %s, beginning a new one", path, aside.name)
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        _upgrade(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _upgrade(db: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to our version, one step after another, each in one transaction."""
    (have,) = db.execute("PRAGMA user_version").fetchone()
    if have > len(MIGRATIONS):
        raise SpoolError(
            f"the spool {path} was written by a newer yizhan (version {have}, this one knows {len(MIGRATIONS)}): "
            "install that version again, or move the file away: what the gateway has not confirmed is in it"
        )
    for version in range(have, len(MIGRATIONS)):
        with transaction(db):
            for statement in MIGRATIONS[version]:
                db.execute(statement)
            db.execute(f"PRAGMA user_version={version + 1}")
