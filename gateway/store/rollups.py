"""Roll-ups: what `gateway.history` makes of the journal (utilization, tally), kept by local hour and day.

So that a year is answered at once. They follow the journal, minutes by a cursor for each station, tallies by one for
all, and are equal to measuring the journal itself; losing this file loses nothing that the journal has.
"""

import logging
import sqlite3  # noqa: TID251
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from gateway.base.clock import now_ms
from gateway.base.local_time import DAY_MS, HOUR_MS, day_start, hour_start, next_day, pieces
from gateway.history.fill import LOOK_BACK_MS, fill
from gateway.history.utilization import Minutes, measure
from gateway.model import Millis
from gateway.store.base import Reader
from gateway.store.files import as_store_error, connect, healthy, set_aside, transaction
from gateway.store.levels import counted_in_units, levels, may_be_counted
from gateway.store.place import Place, scope_of
from gateway.store.tallies import Tallies, scope_ids

log = logging.getLogger(__name__)

FILE = "rollups.db"
SETTLE_MS = 120_000  # an hour is rolled up so long after its end: late commits are in by then
COUNT_EVERY_MS = 10_000  # each count costs a flush to disk
_ROW = (
    "(scope, start, occupied, free, broken, closed, unknown, sessions, in_use, taken, places, no_shows)"
    " VALUES (:scope, :start, :occupied, :free, :broken, :closed, :unknown, :sessions, :in_use, :taken, :places,"
    " :no_shows)"
)
_INSERT = f"INSERT OR REPLACE INTO hour {_ROW}"
_ADD = (
    f"INSERT INTO day {_ROW} ON CONFLICT (scope, start) DO UPDATE SET"
    " occupied = occupied + excluded.occupied, free = free + excluded.free, broken = broken + excluded.broken,"
    " closed = closed + excluded.closed, unknown = unknown + excluded.unknown, sessions = sessions + excluded.sessions,"
    " in_use = in_use + excluded.in_use, taken = taken + excluded.taken, places = places + excluded.places,"
    " no_shows = no_shows + excluded.no_shows"
)
_AGEING = (
    ("hour", "start"),
    ("day", "start"),
    ("tally", "start"),
    ("mark", "at"),
    ("people", "start"),
    ("charge", "start"),
    ("level", "at"),
)


def _opened(path: Path, synchronous: str) -> sqlite3.Connection:
    """The file, or a new one in place of what is damaged: all of it can be made again."""
    if path.is_dir() or not healthy(path):
        log.error("%s is damaged and is made anew from the journal", path)
        set_aside(path, f"{now_ms()}")
    return connect(path, "rollup", synchronous=synchronous)


class Rollups:
    """The write side; it runs on the writer's thread, one station and at most one day at a time."""

    def __init__(
        self, folder: Path, places: Iterable[Place], reader: Reader, first: Millis, *,
        synchronous: str, keep_days: int = 3650,
    ) -> None:  # fmt: skip
        """`first`: where a station begins that was never rolled up."""
        self._path, self._reader = folder / FILE, reader
        self._db = _opened(self._path, synchronous)
        self._places = {place.station: place for place in places}
        known = dict(self._db.execute("SELECT station, upto FROM done"))
        self._upto: dict[str, Millis] = {station: known.get(station, first) for station in self._places}
        self._keep_begin(self._upto.keys() - known.keys())
        self._changes: deque[tuple[Sequence[Place], Collection[str]]] = deque()
        self._queue: list[str] = []
        self._keep_ms, self._forget_at = keep_days * DAY_MS, 0
        self._tallies, self._count_at = Tallies(self._db, folder, self._places.values()), 0

    def _keep_begin(self, stations: Iterable[str]) -> None:
        """Where each begins: of the time before nothing is kept, and whoever goes on from a copy begins there, too."""
        rows = [(station, self._upto[station]) for station in stations]
        if rows:
            with transaction(self._db):
                self._db.executemany("INSERT OR IGNORE INTO done (station, upto) VALUES (?, ?)", rows)

    @property
    def places(self) -> list[Place]:
        return list(self._places.values())

    def follow(self, places: Sequence[Place], removed: Collection[str]) -> None:
        """These stations are new or others now, those went: from the next `tidy` on. Any thread."""
        self._changes.append((places, removed))

    def _follow(self, now: Millis) -> None:
        while self._changes:
            places, removed = self._changes.popleft()
            for name in removed:
                self._places.pop(name, None)
                self._upto.pop(name, None)
            for place in places:
                self._places[place.station] = place
                if place.station not in self._upto:
                    row = self._db.execute("SELECT upto FROM done WHERE station = ?", (place.station,)).fetchone()
                    self._upto[place.station] = row[0] if row is not None else now // HOUR_MS * HOUR_MS
                    self._keep_begin([place.station])
            self._queue.clear()
            self._tallies.places(self._places.values())

    def tidy(self, now: Millis) -> bool:
        """Count new messages, roll up the next station that has a whole hour waiting. True if there may be more.

        StoreError.
        """
        try:
            self._follow(now)
            if now >= self._forget_at:
                self._forget_at = now + DAY_MS
                self._forget(now - self._keep_ms)
            # What an hour holds of counted things is known once its messages were followed.
            return self._count(now) | self._roll_up_next(min(now - SETTLE_MS, self._tallies.followed_to))
        except sqlite3.Error as error:
            raise as_store_error(error, self._path) from error

    def _forget(self, before: Millis) -> None:
        with transaction(self._db):
            for table, column in _AGEING:
                self._db.execute(f"DELETE FROM {table} WHERE {column} < ?", (before,))  # noqa: S608

    def _count(self, now: Millis) -> bool:
        if now < self._count_at <= now + COUNT_EVERY_MS:  # further ahead: the clock was set back
            return False
        more = self._tallies.follow(now)
        if not more:
            self._count_at = now + COUNT_EVERY_MS
        return more

    def _roll_up_next(self, ready: Millis) -> bool:
        if not self._queue:
            self._queue = [station for station, upto in self._upto.items() if upto + HOUR_MS <= ready]
        if not self._queue:
            return False
        place = self._places[self._queue.pop()]
        start = self._upto[place.station]
        end = min(next_day(start, place.zone), hour_start(ready, place.zone))
        if start < end:
            self._roll_up(place, start, end)
        return True

    def _roll_up(self, place: Place, start: Millis, end: Millis) -> None:
        """[start, end) lies in one local day and ends with a full hour."""
        hours = list(pieces(start, end, place.zone, "hour"))
        sums: dict[tuple[str, Millis], Minutes] = {}
        for resource in place.resources:
            counted = may_be_counted(resource)
            intervals = self._reader.history(place.station, resource.id, start - (LOOK_BACK_MS if counted else 1), end)
            told = levels(self._db, scope_of(place.station, resource=resource.id), start, end) if counted else []
            for begin, until in hours:
                minutes = (
                    fill(intervals, told, begin, until, units=counted_in_units(resource))
                    if counted
                    else measure(intervals, begin, until)
                )
                for scope in place.scopes_of(resource):
                    sums.setdefault((scope, begin), Minutes()).add(minutes)
        with transaction(self._db):
            ids = scope_ids(self._db, {scope for scope, _ in sums})
            rows = [{"scope": ids[scope], "start": begin, **asdict(sums[scope, begin])} for scope, begin in sums]
            self._db.executemany(_INSERT, rows)
            midnight = day_start(start, place.zone)
            self._db.executemany(_ADD, [row | {"start": midnight} for row in rows])
            self._db.execute("INSERT OR REPLACE INTO done (station, upto) VALUES (?, ?)", (place.station, end))
        self._upto[place.station] = end

    def close(self) -> None:
        self._tallies.close()
        self._db.close()
