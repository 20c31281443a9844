"""The steps of a store in its own files: kept in the transaction that they tell of, until the replica has them.

The table is made only where a replica is configured, beside the versions of the files: a program that knows nothing
of replicas reads and writes such files as before.
"""

import heapq
import logging
import sqlite3  # noqa: TID251
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from gateway.store.base import StoreError
from gateway.store.days import CORE, day_files, finished, number_of
from gateway.store.files import READ_ERRORS, as_store_error, read_only, store_errors
from gateway.store.step_words import Replica, StoreStep

log = logging.getLogger(__name__)

MAKE = (
    "CREATE TABLE IF NOT EXISTS replica_step"
    " (n INTEGER PRIMARY KEY, batch INTEGER NOT NULL, body BLOB NOT NULL)"  # batch 0: it has no packed row
)


class Steps:
    """Numbers the transactions of one store. `last`: the newest that is durable here."""

    def __init__(self, folder: Path, replica: Replica) -> None:
        self.replica = replica
        self.last = last_step(folder)
        self.last_batch = max([0, *(_last_batch(path) for path in _open_files(folder))])
        self._unsettled: dict[int, int] = {}  # step → its batch, of those that the replica may lack

    def make(self, db: sqlite3.Connection) -> None:
        """The table in one file, where it is missing."""
        db.execute(MAKE)

    def put(self, db: sqlite3.Connection, day: int | None, batch: int, rest: bytes, blob: bytes = b"") -> None:
        """Last in a transaction: keep the step with it, and begin to send it. Then `done`, once that is committed."""
        n = self.last + 1
        db.execute("DELETE FROM replica_step WHERE n <= ?", (self.replica.confirmed,))
        db.execute("INSERT OR REPLACE INTO replica_step (n, batch, body) VALUES (?, ?, ?)", (n, batch, rest))
        self.replica.send(StoreStep(n, day, rest + blob))

    def done(self, batch: int = 0) -> None:
        """The transaction of the last `put` is durable."""
        self.last += 1
        if batch:
            self._unsettled[self.last] = batch

    def sealable(self, upto: int) -> int:
        """Up to which batch rows may be packed anew, at most `upto`: not what the replica gets from here yet."""
        confirmed = self.replica.confirmed
        for n in [n for n in self._unsettled if n <= confirmed]:
            del self._unsettled[n]
        return min([upto, *(batch - 1 for batch in self._unsettled.values())])

    def resume(self, folder: Path) -> None:
        """After a start: which batches the replica may lack."""
        for path in _open_files(folder):
            with store_errors(path), closing(read_only(path)) as db:
                if _has_steps(db):
                    self._unsettled.update(
                        db.execute(
                            "SELECT n, batch FROM replica_step WHERE batch > 0 AND n > ?", (self.replica.confirmed,)
                        )
                    )


def last_step(folder: Path) -> int:
    """The newest step in the files of a store; 0 when there is none. StoreError."""
    return max(last_in(path) if path.exists() else 0 for path in [*_open_files(folder), folder / CORE])


def last_in(path: Path) -> int:
    """The newest step that one file tells of; 0 when there is none, or it can't be read."""
    try:
        with closing(read_only(path)) as db:
            if not _has_steps(db):
                return 0
            (n,) = db.execute("SELECT coalesce(max(n), 0) FROM replica_step").fetchone()
            return int(n)
    except READ_ERRORS as error:
        if not as_store_error(error, path).damaged:
            raise as_store_error(error, path) from error
        return 0


def steps_after(folder: Path, n: int) -> Iterator[StoreStep]:
    """All durable steps behind `n` in order, from the files of a store while its writer goes on. StoreError."""
    files = [path for path in [*day_files(folder), folder / CORE] if path.exists()]
    return heapq.merge(*[_steps_of(path, n) for path in files if last_in(path) > n], key=lambda step: step.n)


def _last_batch(path: Path) -> int:
    """The newest batch that a step of this day tells of; 0 when there is none, or it can't be read."""
    with suppress(*READ_ERRORS), closing(read_only(path)) as db:
        if _has_steps(db):
            return int(db.execute("SELECT coalesce(max(batch), 0) FROM replica_step").fetchone()[0])
    return 0


def ends(folder: Path) -> list[tuple[int | None, int]]:
    """The newest step of each file that may have newer ones than others, by its day (0: it tells of none); and of the
    core file, as None, where that tells of any. StoreError.
    """
    core = last_in(folder / CORE) if (folder / CORE).exists() else 0
    days: list[tuple[int | None, int]] = [(number_of(path), last_in(path)) for path in _open_files(folder)]
    return [*days, (None, core)] if core else days


def newest_day(folder: Path) -> int:
    """The newest day that has a file; -1 while there is none."""
    files = day_files(folder)
    return number_of(files[-1]) if files else -1


def count_after(folder: Path, n: int) -> int:
    """How many steps behind `n` are kept. StoreError."""
    total = 0
    for path in [*day_files(folder), folder / CORE]:
        if path.exists() and last_in(path) > n:
            with store_errors(path), closing(read_only(path)) as db:
                (count,) = db.execute("SELECT count(*) FROM replica_step WHERE n > ?", (n,)).fetchone()
            total += count
    return total


def step_at(folder: Path, n: int) -> bytes | None:
    """The body of one step; None where it is kept no more. StoreError."""
    return next((step.body for step in kept_upto(folder, n, 1) if step.n == n), None)


def kept_upto(folder: Path, n: int, most: int = 50) -> list[StoreStep]:
    """The newest steps up to `n` that are kept, in order, as far as they can be read. StoreError."""
    steps: list[StoreStep] = []
    for path in [*_open_files(folder), folder / CORE]:
        if path.exists() and last_in(path):
            steps += _kept_in(path, n, most)
    return sorted(steps, key=lambda step: step.n)[-most:]


def _kept_in(path: Path, n: int, most: int) -> list[StoreStep]:
    query = "SELECT n FROM replica_step WHERE n <= ? ORDER BY n DESC LIMIT ?"
    try:
        with store_errors(path), closing(read_only(path)) as db:
            numbers = [number for (number,) in db.execute(query, (n, most))]
        told = [_first_behind(path, number - 1) for number in numbers]
    except StoreError as error:
        if not error.damaged:
            raise
        return []
    return [step for step, whole in filter(None, told) if whole]


def _steps_of(path: Path, after: int) -> Iterator[StoreStep]:
    """As far as they can be read."""
    try:
        while (told := _first_behind(path, after)) is not None:
            step, whole = told
            if not whole:
                log.error("%s: step %d, which a replica lacks, has lost its packed row", path.name, step.n)
            yield step
            after = step.n
    except StoreError as error:
        if not error.damaged:
            raise
        log.error("%s: what a replica lacks of it can't be read behind step %d: %s", path.name, after, error)


def _first_behind(path: Path, after: int) -> tuple[StoreStep, bool] | None:
    """The next step of one file, and whether it is whole: damage may have taken its packed row, and it goes without.

    Nothing is held open meanwhile, so the file may go with its day.
    """
    with store_errors(path), closing(read_only(path)) as db:
        row = db.execute("SELECT n, batch, body FROM replica_step WHERE n > ? ORDER BY n LIMIT 1", (after,)).fetchone()
        if row is None:
            return None
        n, batch, body = row
        blob = _packed_row(db, path, batch) if batch else b""
    return StoreStep(n, None if path.name == CORE else number_of(path), body + (blob or b"")), blob is not None


def _packed_row(db: sqlite3.Connection, path: Path, batch: int) -> bytes | None:
    """None where damage took it."""
    try:
        row = db.execute("SELECT blob FROM batch WHERE id = ?", (batch,)).fetchone()
    except READ_ERRORS as error:
        if not as_store_error(error, path).damaged:
            raise
        return None
    return None if row is None else bytes(row[0])


def _open_files(folder: Path) -> list[Path]:
    """The days that may have newer steps than others: the last two, and what was written to since."""
    files = day_files(folder)
    return [path for path in files[:-2] if not finished(path)] + files[-2:]


def _has_steps(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'replica_step'").fetchone() is not None
