"""The journal: one SQLite file a day for messages and changes, one for what outlives a day. This is the write side."""

import contextlib
import logging
import os
import sqlite3  # noqa: TID251
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gateway.evidence.checks import StoredCheck
from gateway.model import Batch, Change, Millis, OpeningChange, Rejected
from gateway.store.apply import apply
from gateway.store.base import StoreError
from gateway.store.day import DAY_MS, HOUR_MS, Day
from gateway.store.day_reader import readers
from gateway.store.days import CORE, day_files, day_number, day_path, number_of
from gateway.store.files import (
    READ_ERRORS,
    Ballast,
    Lock,
    as_store_error,
    connect,
    healthy,
    new_file,
    put_in_place,
    roll_back,
    store_errors,
    transaction,
)
from gateway.store.jobs import Job
from gateway.store.older_days import OlderDays
from gateway.store.openings import latest
from gateway.store.repairs import Repairs
from gateway.store.repeating import Repeater
from gateway.store.reports import last_reports
from gateway.store.step_words import Replica, StoreStep, pack_jobs
from gateway.store.steps import Steps, last_step

log = logging.getLogger(__name__)

SEAL_AFTER_MS = 600_000  # an hour is sealed so long after its end
SYNCHRONOUS = {"safe": "FULL", "sd_card": "NORMAL", "made_again": "OFF"}  # the last: what a power cut may take
SD_CARD_SYNC_MS = 5_000  # what a power cut may cost with profile sd_card
WAL_MOST = 64 << 20  # bytes of write-ahead log that a slow reader may hold up


class SqliteStore:
    """See `base.Store`. `damaged` lists the files that were found broken and moved aside."""

    def __init__(
        self,
        folder: Path,
        now: Millis,
        *,
        profile: str = "safe",
        keep_days: int = 400,
        ballast_mib: int = 32,
        quarantine_rows: int = 100_000,
        quarantine_mib: int = 64,
        quarantine_days: int = 7,
        replica: Replica | None = None,
    ) -> None:
        """`quarantine_rows`, `quarantine_mib`: the most unreadable messages of one day. StoreError names the mend.

        `replica` is told of all that is written.
        """
        folder.mkdir(0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._quarantine_most = quarantine_rows, quarantine_mib << 20
        self._synchronous = SYNCHRONOUS[profile]
        self._sync_at = now if profile == "sd_card" else None
        self._lock = Lock(folder)
        self._repairs = Repairs(folder)
        self.damaged = self._repairs.aside
        self._day: Day | None = None
        self._older_days = OlderDays(
            folder, self._synchronous, self._repairs, keep=keep_days, quarantine=quarantine_days
        )
        try:
            self._ballast = Ballast(folder / "ballast", ballast_mib << 20)
            self._repairs.resume()
            for path in folder.glob("*.db"):
                if path.with_name(path.name + "-journal").exists():
                    roll_back(path)
            if not (folder / CORE).exists():
                with new_file(folder / CORE, "core"):
                    pass
            for path in [*day_files(folder)[-2:], folder / CORE]:
                if not healthy(path):
                    self._repairs.repair(path, now)
            self.core = connect(folder / CORE, "core", synchronous=self._synchronous)
            self._uptos: dict[int, int] = dict(self.core.execute("SELECT part, upto FROM checkpoint"))
            self._last = self._last_id()
            self.steps = Steps(folder, replica) if replica is not None else None
            if self.steps is not None:
                self.steps.make(self.core)
                self._last = max(self._last, self.steps.last_batch)  # a number is given once, also where rows were lost
            self._ballast.fill()
        except BaseException:
            self._lock.release()
            raise

    # ---- writing ----

    def commit(self, batch: Batch, changes: Sequence[Change], rejected: Sequence[Rejected], now: Millis) -> int:
        number = self._last + 1 if batch.payloads else self._last
        with store_errors(self.folder):
            try:
                self._write(number, batch, changes, rejected, now)
            except StoreError as error:
                if not self._helped(error, now):
                    raise
                self._write(number, batch, changes, rejected, now)
            self._last = number
            self._sync(now)
        return number

    def _write(
        self, number: int, batch: Batch, changes: Sequence[Change], rejected: Sequence[Rejected], now: Millis
    ) -> None:
        day = self._today(now)
        begin = day.number * DAY_MS
        for change in [change for change in changes if change.at < begin]:
            self._write_older(change)
        day.write(number, batch, changes, rejected)

    def _write_older(self, change: Change) -> None:
        """What ran out while we were away, or around midnight, belongs to the day it happened on as well."""
        path = day_path(self.folder, day_number(change.at))
        older = [day_file for day_file in day_files(self.folder) if day_file <= path]
        if older:
            day = Day(older[-1], number_of(older[-1]), self._synchronous, steps=self.steps)
            try:
                day.write(0, Batch(), [change], [])
            finally:
                day.close()

    def _helped(self, error: StoreError, now: Millis) -> bool:
        """Make room, or take a fresh file for a broken one. True when it is worth trying again."""
        if error.full and self._ballast.drop():
            log.error("disk full: the ballast is given up")
            return True
        if error.damaged and self._day is not None:
            path, names = self._day.path, self._day.names
            self._day.close()
            self._day = None
            self._repairs.repair(path, now, names)
            return True
        return False

    def checkpoint(self, part: int, upto: int, blob: bytes) -> None:
        self.checkpoint_all([(part, blob)], upto)

    def checkpoint_all(self, parts: Iterable[tuple[int, bytes]], upto: int) -> None:
        """Several parts, all true after batch `upto`, in one transaction."""
        rows = [(part, upto, blob) for part, blob in parts]
        with self._core() as db:
            db.executemany("INSERT OR REPLACE INTO checkpoint (part, upto, blob) VALUES (?, ?, ?)", rows)
        self._uptos.update((part, upto) for part, _, _ in rows)
        if self.steps is not None:
            self.steps.replica.parts(rows)

    def write(self, jobs: Sequence[Job]) -> None:
        self.ready()
        steps = self.steps
        with self._core() as db:
            for job in jobs:
                apply(db, job)
            if steps is not None:
                steps.put(db, None, 0, pack_jobs(jobs))
        if steps is not None:
            steps.done()

    def ready(self) -> None:
        if self.steps is not None:
            self.steps.replica.ready()

    def settle(self) -> None:
        if self.steps is not None:
            self.steps.replica.settle(self.steps.last)

    def kept(self, name: str) -> bytes | None:
        row = self.core.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def openings(self) -> dict[str, OpeningChange]:
        return latest(self.core)

    def reports(self, wanted: Iterable[tuple[str, str]]) -> list[StoredCheck]:
        return [stored for station, check in wanted for stored in last_reports(self.core, station, check)]

    def report_ids(self, since: Millis) -> dict[str, Millis]:
        return dict(self.core.execute("SELECT id, at FROM check_report WHERE at >= ?", (since,)))

    def copied(self, copy: str) -> tuple[int, int]:
        row = self.core.execute("SELECT upto FROM copy_cursor WHERE copy = ?", (copy,)).fetchone()
        (refused,) = self.core.execute("SELECT count(*) FROM dead_letter WHERE copy = ?", (copy,)).fetchone()
        # Where the newest day was lost its numbers come again.
        return (min(row[0], self._last) if row is not None else 0), refused

    @property
    def last_step(self) -> int:
        """The newest that a replica is told of; 0 without one."""
        return self.steps.last if self.steps is not None else 0

    def steps_resumed(self) -> None:
        """At a start: what the replica may lack of what was written before is not packed anew."""
        if self.steps is not None:
            self.steps.resume(self.folder)

    def repeat(self, steps: Iterable[StoreStep]) -> None:
        """Do what a replica has and we lack, at a start, before anything else is written. StoreError."""
        repeater = Repeater(self.folder, self.core, self._synchronous)
        for step in steps:
            repeater.put(step)
        repeater.flush()
        self._last = max(self._last, repeater.batch)
        if self.steps is not None:
            self.steps.last = last_step(self.folder)

    def put_in_place(self, made: Path, path: Path) -> None:
        """At a start: a whole file, made from a replica, in place of a damaged one. StoreError."""
        with store_errors(path):
            self.core.close()
            put_in_place(made, path)
            self.core = connect(self.folder / CORE, "core", synchronous=self._synchronous)
            self._uptos = dict(self.core.execute("SELECT part, upto FROM checkpoint"))
        if self.steps is not None:
            self.steps.last = last_step(self.folder)
        self._last = max(self._last, self._last_id())

    @contextlib.contextmanager
    def _core(self) -> Iterator[sqlite3.Connection]:
        """One transaction of the core file."""
        with store_errors(self.folder / CORE), transaction(self.core):
            yield self.core

    def _today(self, now: Millis) -> Day:
        """The file of `now`; days never go back, so a clock set backwards writes on in the newest one."""
        number = day_number(now)
        day = self._day
        if day is None:
            self._repairs.resume()
        if day is None or number > day.number:
            files = day_files(self.folder)
            newest = files[-1] if files else None
            path = day_path(self.folder, number)
            if newest is not None and newest > path:
                path, number = newest, number_of(newest)
            before = [file for file in files if file < path]
            last = before[-1] if before else None
            fresh = Day(path, number, self._synchronous, last, *self._quarantine_most, self.steps)
            if day is not None:
                day.close()
            self._day = day = fresh
        return day

    def _sync(self, now: Millis) -> None:
        """Profile sd_card: SQLite flushes only when it checkpoints, so we flush its log every few seconds."""
        if self._sync_at is None or self._day is None or abs(now - self._sync_at) < SD_CARD_SYNC_MS:
            return
        self._sync_at = now
        log_file = self._day.path.with_name(self._day.path.name + "-wal")
        if log_file.exists():
            handle = os.open(log_file, os.O_RDONLY)
            try:
                os.fdatasync(handle)
            finally:
                os.close(handle)

    # ---- reading at start ----

    def checkpoints(self) -> Iterator[tuple[int, int, bytes]]:
        yield from self.core.execute("SELECT part, upto, blob FROM checkpoint ORDER BY part")

    def batches(self, after: int) -> Iterator[tuple[int, Batch]]:
        for reader in readers(day_files(self.folder)):
            if reader.last_id() > after:
                yield from reader.batches(after)

    def rejected(self) -> Iterator[Rejected]:
        for reader in readers(day_files(self.folder)[-2:]):
            yield from reader.quarantine()

    def drop_parts(self, first: int) -> None:
        """Forget checkpoint parts from number `first` on: the configuration has fewer devices now."""
        with self._core() as db:
            db.execute("DELETE FROM checkpoint WHERE part >= ?", (first,))
        self._uptos = {part: upto for part, upto in self._uptos.items() if part < first}

    @property
    def last_id(self) -> int:
        """The id of the newest batch; 0 when there is none."""
        return self._last

    def _last_id(self) -> int:
        """Never lower than a checkpoint says, also when the newest day was lost."""
        newest = next(
            (last_id for reader in readers(reversed(day_files(self.folder))) if (last_id := reader.last_id())), 0
        )
        return max(newest, *self._uptos.values(), 0)

    # ---- upkeep ----

    def tidy(self, now: Millis) -> bool:
        """Seal a run, or finish an older day, or drop one past retention; between times, look after the room."""
        try:
            self._miss_no_file()
            if self._older_days.drop_oldest(now):
                return True
            upto = min(self._uptos.values(), default=0)
            if self.steps is not None:
                upto = self.steps.sealable(upto)
            hour = (now - SEAL_AFTER_MS) // HOUR_MS * HOUR_MS
            if self._day is not None and self._day.seal(hour, upto):
                return True
            today = self._day.number if self._day is not None else day_number(now)
            if self._older_days.finish_one(now, today, upto):
                return True
            self._sync(now)
            self._bound_log()
            self._ballast.fill()
        except (*READ_ERRORS, sqlite3.Error, OSError) as error:
            problem = as_store_error(error, self._day.path if self._day is not None else self.folder)
            if self._helped(problem, now):
                return True
            raise problem from error
        return False

    def _miss_no_file(self) -> None:
        """A file deleted under us takes writes that nobody will ever find: the next commit makes a new one."""
        if self._day is not None and not self._day.path.exists():
            log.error("%s was deleted while we wrote to it: what it held is lost", self._day.path)
            self._day.close()
            self._day = None

    def _bound_log(self) -> None:
        if self._day is None:
            return
        size = self._day.path.with_name(self._day.path.name + "-wal").stat().st_size
        if size > WAL_MOST:
            log.warning("%s: %d MiB of log wait for a reader that is slow", self._day.path.name, size >> 20)
            self._day.checkpoint()

    def close(self) -> None:
        if self._day is not None:
            self._day.close()
            self._day = None
        self.core.close()
        self._lock.release()
