"""The journal: one SQLite file a day for messages and changes, one for what outlives a day. This is the write side."""

import logging
import sqlite3  # noqa: TID251
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.model import Batch, Change, Millis, Rejected
from gateway.store.base import StoreError
from gateway.store.day import DAY_MS, HOUR_MS, Day, DayReader
from gateway.store.files import Ballast, as_store_error, connect, healthy, set_aside, transaction
from gateway.store.packing import DamagedError

log = logging.getLogger(__name__)

SEAL_AFTER_MS = 600_000  # an hour is sealed so long after its end
SYNCHRONOUS = {"safe": "FULL", "sd_card": "NORMAL"}


def day_number(at: Millis) -> int:
    return at // DAY_MS


def day_path(folder: Path, number: int) -> Path:
    return folder / f"{datetime.fromtimestamp(number * 86_400, UTC):%Y-%m-%d}.day.db"


def day_files(folder: Path) -> list[Path]:
    """The days kept, oldest first."""
    return sorted(folder.glob("????-??-??.day.db"))


class SqliteStore:
    """See `base.Store`. `damaged` lists the files that were found broken at start and moved aside."""

    def __init__(
        self,
        folder: Path,
        now: Millis,
        *,
        profile: str = "safe",
        keep_days: int = 400,
        ballast_mib: int = 32,
        quarantine_rows: int = 10_000,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._keep_days, self._quarantine_rows = folder, keep_days, quarantine_rows
        self._synchronous = SYNCHRONOUS[profile]
        self._ballast = Ballast(folder / "ballast", ballast_mib << 20)
        self.damaged: list[Path] = []
        self._check(now)
        self.core = connect(folder / "yizhan.db", "core", synchronous=self._synchronous)
        self._uptos: dict[int, int] = dict(self.core.execute("SELECT part, upto FROM checkpoint"))
        self._last = self._last_id()
        self._day: Day | None = None
        self._tidied_to = 0
        self._ballast.fill()

    # ---- writing ----

    def commit(self, batch: Batch, changes: Sequence[Change], rejected: Sequence[Rejected], now: Millis) -> int:
        number = self._last + 1 if batch.payloads else self._last
        try:
            self._today(now).write(number, batch, changes, rejected)
        except StoreError as error:
            if error.full and self._ballast.drop():
                log.error("disk full: the ballast is given up")
                return self.commit(batch, changes, rejected, now)
            raise
        self._last = number
        return number

    def checkpoint(self, part: int, upto: int, blob: bytes) -> None:
        self.core_write(lambda db: db.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)", (part, upto, blob)))
        self._uptos[part] = upto

    def core_write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Run `work` in one transaction of the core file. Only the writer's thread may call it."""
        try:
            with transaction(self.core):
                work(self.core)
        except sqlite3.Error as error:
            raise as_store_error(error, self.folder / "yizhan.db") from error

    def _today(self, now: Millis) -> Day:
        """The file of `now`; days never go back, so a clock set backwards writes on in the newest one."""
        number = day_number(now)
        day = self._day
        if day is None or number > day.number:
            files = day_files(self.folder)
            newest = files[-1] if files else None
            path = day_path(self.folder, number)
            if newest is not None and newest > path:
                path, number = newest, _number_of(newest)
            before = newest if newest != path else None
            fresh = Day(path, number, self._synchronous, before)
            if day is not None:
                day.close()
            self._day = day = fresh
        return day

    # ---- reading at start ----

    def checkpoints(self) -> Iterator[tuple[int, int, bytes]]:
        yield from self.core.execute("SELECT part, upto, blob FROM checkpoint ORDER BY part")

    def batches(self, after: int) -> Iterator[tuple[int, Batch]]:
        for path in day_files(self.folder):
            reader = DayReader(path)
            try:
                if reader.last_id() > after:
                    yield from reader.batches(after)
            except DamagedError as error:
                log.error("%s: a packed row is damaged (%s); what follows it in this file is not replayed", path, error)
            finally:
                reader.close()

    def rejected(self) -> Iterator[Rejected]:
        for path in day_files(self.folder)[-2:]:
            reader = DayReader(path)
            try:
                yield from reader.quarantine()
            finally:
                reader.close()

    def drop_parts(self, first: int) -> None:
        """Forget checkpoint parts from number `first` on: the configuration has fewer devices now."""
        self.core_write(lambda db: db.execute("DELETE FROM checkpoint WHERE part >= ?", (first,)))
        self._uptos = {part: upto for part, upto in self._uptos.items() if part < first}

    def _last_id(self) -> int:
        for path in reversed(day_files(self.folder)):
            reader = DayReader(path)
            try:
                found = reader.last_id()
            finally:
                reader.close()
            if found:
                return found
        return max(self._uptos.values(), default=0)

    # ---- upkeep ----

    def tidy(self, now: Millis) -> bool:
        """Seal an hour, or close an old day, or drop a day past retention."""
        for path in day_files(self.folder)[: -self._keep_days or None]:
            if _number_of(path) < day_number(now) - self._keep_days:
                self._unlink(path)
                return True
        upto = min(self._uptos.values(), default=0)
        try:
            if self._day is not None and self._day.seal(now - now % HOUR_MS - SEAL_AFTER_MS + 1, upto):
                return True
            return self._finish_older_day(now, upto)
        except sqlite3.Error as error:
            raise as_store_error(error, self.folder) from error

    def _finish_older_day(self, now: Millis, upto: int) -> bool:
        """Seal what is left of a day before this one, then give its spare room back."""
        today = self._day.number if self._day is not None else day_number(now)
        for path in day_files(self.folder):
            number = _number_of(path)
            if number >= today or number <= self._tidied_to:
                continue
            day = Day(path, number, self._synchronous, None)
            try:
                if day.seal(now, upto):
                    return True
                day.bound_quarantine(self._quarantine_rows)
                day.shrink()
                self._tidied_to = number
            finally:
                day.close()
            return True
        if self._day is not None:
            self._day.bound_quarantine(self._quarantine_rows)
        return False

    def _unlink(self, path: Path) -> None:
        log.info("dropping %s: past the %d days to keep", path.name, self._keep_days)
        for suffix in ("-wal", "-shm", ""):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def refill_ballast(self) -> bool:
        return self._ballast.fill()

    # ---- damage ----

    def _check(self, now: Millis) -> None:
        """Look at the files that will be written; what is broken is moved aside and salvaged."""
        stamp = f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%S}"
        recent = day_files(self.folder)[-2:]
        for path in [*recent, self.folder / "yizhan.db"]:
            if not healthy(path):
                aside = set_aside(path, stamp)
                self.damaged.append(aside)
                if path in recent:
                    salvage(aside, path, _number_of(path))

    def close(self) -> None:
        if self._day is not None:
            self._day.close()
            self._day = None
        self.core.close()


def _number_of(path: Path) -> int:
    return (datetime.fromisoformat(path.name[:10]).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def salvage(damaged: Path, into: Path, number: int) -> None:
    """Copy every row that can still be read, table by table, from both ends of what is broken."""
    day = Day(into, number, "FULL", None)
    day.close()
    target = connect(into, "day")
    saved = 0
    try:
        source = sqlite3.connect(f"file:{damaged}?mode=ro", uri=True)
        for table, width in (("name", 2), ("batch", 4), ("block", 5), ("change", 3), ("quarantine", 5)):
            for order in ("", " ORDER BY 1 DESC"):
                saved += _copy(source, target, table, width, order)
        source.close()
    except sqlite3.DatabaseError as error:
        log.error("%s: nothing more can be read: %s", damaged, error)
    target.close()
    log.error("%s: %d rows salvaged into %s", damaged.name, saved, into.name)


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str, width: int, order: str) -> int:
    places = ", ".join("?" * width)
    saved = 0
    try:
        with transaction(target):
            cursor = source.execute(f"SELECT * FROM {table}{order}")  # noqa: S608  names of our own
            while True:
                try:
                    row = cursor.fetchone()
                except sqlite3.DatabaseError:
                    break
                if row is None:
                    break
                saved += target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row).rowcount  # noqa: S608
    except sqlite3.DatabaseError as error:
        log.error("%s: %s", table, error)
    return saved
