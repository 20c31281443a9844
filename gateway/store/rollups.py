"""Roll-ups: what `gateway.utilization` measures, kept by local hour and day so that a year is answered at once.

They follow the journal by a cursor for each station and are equal to measuring the journal itself; losing this file
loses nothing.
"""

import sqlite3  # noqa: TID251
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.model import Millis
from gateway.store.base import Reader
from gateway.store.files import as_store_error, connect, read_only, transaction
from gateway.utilization import HOUR_MS, By, Minutes, bucket_of, day_start, hour_start, measure, next_day, pieces

FILE = "rollups.db"
DAY_MS = 24 * HOUR_MS
SETTLE_MS = 120_000  # an hour is rolled up so long after its end: late commits are in by then
_INSERT = "INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ADD = (
    "INSERT INTO day VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, start) DO UPDATE SET"
    " occupied = occupied + excluded.occupied, free = free + excluded.free, broken = broken + excluded.broken,"
    " closed = closed + excluded.closed, unknown = unknown + excluded.unknown, sessions = sessions + excluded.sessions"
)
_COLUMNS = "start, occupied, free, broken, closed, unknown, sessions"


@dataclass(frozen=True, slots=True)
class Place:
    """A station with its areas and their resources, as far as roll-ups need them."""

    station: str
    zone: ZoneInfo
    areas: Mapping[str, Sequence[str]]

    def scopes_of(self, area: str, resource: str) -> tuple[str, str, str]:
        return self.station, scope_of(self.station, area=area), scope_of(self.station, resource=resource)

    def resources(self, *, area: str | None = None, resource: str | None = None) -> list[str]:
        """The resources that a question is about."""
        if resource is not None:
            return [resource]
        return [one for name, held in self.areas.items() if area in (None, name) for one in held]


def scope_of(station: str, *, area: str | None = None, resource: str | None = None) -> str:
    """The name of a row's owner. An area's has a `#`, which no resource's id can have."""
    if resource is not None:
        return f"{station}/{resource}"
    return station if area is None else f"{station}/#{area}"


class Rollups:
    """The write side; it runs on the writer's thread, one station and at most one day at a time."""

    def __init__(
        self, folder: Path, places: Iterable[Place], reader: Reader, first: Millis, *,
        synchronous: str, keep_days: int = 3650,
    ) -> None:  # fmt: skip
        """`first`: where a station begins that was never rolled up."""
        self._path, self._reader, self._first = folder / FILE, reader, first
        self._db = connect(self._path, "rollup", synchronous=synchronous)
        self._places = {place.station: place for place in places}
        known = dict(self._db.execute("SELECT station, upto FROM done"))
        self._upto: dict[str, Millis] = {station: known.get(station, first) for station in self._places}
        self._queue: list[str] = []
        self._keep_ms, self._forget_at = keep_days * DAY_MS, 0

    def tidy(self, now: Millis) -> bool:
        """Roll up the next station that has a whole hour waiting. True if there may be more. StoreError."""
        ready = now - SETTLE_MS
        if now >= self._forget_at:
            self._forget_at = now + DAY_MS
            self._forget(now - self._keep_ms)
        if not self._queue:
            self._queue = [one for one, upto in self._upto.items() if upto + HOUR_MS <= ready]
        if not self._queue:
            return False
        place = self._places[self._queue.pop()]
        start = self._upto[place.station]
        end = min(next_day(start, place.zone), hour_start(ready, place.zone))
        if start < end:
            try:
                self._roll_up(place, start, end)
            except sqlite3.Error as error:
                raise as_store_error(error, self._path) from error
        return True

    def _forget(self, before: Millis) -> None:
        try:
            with transaction(self._db):
                for table in ("hour", "day"):
                    self._db.execute(f"DELETE FROM {table} WHERE start < ?", (before,))  # noqa: S608
        except sqlite3.Error as error:
            raise as_store_error(error, self._path) from error

    def _roll_up(self, place: Place, start: Millis, end: Millis) -> None:
        """[start, end) lies in one local day and ends with a full hour."""
        hours = list(pieces(start, end, place.zone, "hour"))
        sums: dict[tuple[str, Millis], Minutes] = {}
        for area, resources in place.areas.items():
            for resource in resources:
                intervals = self._reader.history(place.station, resource, start - 1, end)
                for begin, until in hours:
                    minutes = measure(intervals, begin, until)
                    for scope in place.scopes_of(area, resource):
                        sums.setdefault((scope, begin), Minutes()).add(minutes)
        with transaction(self._db):
            ids = self._scopes({scope for scope, _ in sums})
            rows = [(ids[scope], begin, *astuple(minutes)) for (scope, begin), minutes in sums.items()]
            self._db.executemany(_INSERT, rows)
            midnight = day_start(start, place.zone)
            self._db.executemany(_ADD, [(row[0], midnight, *row[2:]) for row in rows])
            self._db.execute("INSERT OR REPLACE INTO done VALUES (?, ?)", (place.station, end))
        self._upto[place.station] = end

    def _scopes(self, texts: Iterable[str]) -> dict[str, int]:
        self._db.executemany("INSERT OR IGNORE INTO scope (text) VALUES (?)", [(text,) for text in sorted(texts)])
        find = "SELECT id FROM scope WHERE text = ?"
        return {text: self._db.execute(find, (text,)).fetchone()[0] for text in texts}

    def close(self) -> None:
        self._db.close()


class RollupReader:
    """Answers from the roll-ups, and from the journal where they have not come to yet."""

    def __init__(self, folder: Path, reader: Reader) -> None:
        self._path, self._reader = folder / FILE, reader

    def minutes(
        self, place: Place, start: Millis, end: Millis, by: By, *, area: str | None = None, resource: str | None = None
    ) -> dict[int, Minutes]:
        """Bucket → its minutes: the bucket is its local start, or the hour of the week. Empty ones are left out."""
        buckets: dict[int, Minutes] = {}
        zone = place.zone
        low = high = min(end, -(-(start - hour_start(start, zone)) // HOUR_MS) * HOUR_MS + hour_start(start, zone))
        if self._path.exists():
            with closing(read_only(self._path)) as db:
                row = db.execute("SELECT upto FROM done WHERE station = ?", (place.station,)).fetchone()
                high = max(low, min(hour_start(end, zone), row[0] if row else 0))
                scope = scope_of(place.station, area=area, resource=resource)
                for at, minutes in _kept(db, scope, low, high, by, zone):
                    _into(buckets, at if by == "hour" else bucket_of(at, zone, by), minutes)
        for one in place.resources(area=area, resource=resource):
            for begin, until in ((start, low), (high, end)):
                self._measured(buckets, place, one, begin, until, by)
        return buckets

    def _measured(
        self, buckets: dict[int, Minutes], place: Place, resource: str, start: Millis, end: Millis, by: By
    ) -> None:
        if start < end:
            intervals = self._reader.history(place.station, resource, start - 1, end)
            for begin, until in pieces(start, end, place.zone, by):
                _into(buckets, bucket_of(begin, place.zone, by), measure(intervals, begin, until))


def _kept(
    db: sqlite3.Connection, scope: str, start: Millis, end: Millis, by: By, zone: ZoneInfo
) -> Iterator[tuple[Millis, Minutes]]:
    """Rows of [start, end): by day, whole days come from the table of days."""
    row = db.execute("SELECT id FROM scope WHERE text = ?", (scope,)).fetchone()
    if row is None or start >= end:
        return
    parts = [(start, end, "hour")]
    if by == "day":
        low = start if day_start(start, zone) == start else next_day(start, zone)
        high = day_start(end, zone)
        if low < high:
            parts = [(start, low, "hour"), (low, high, "day"), (high, end, "hour")]
    for begin, until, table in parts:
        question = f"SELECT {_COLUMNS} FROM {table} WHERE scope = ? AND start >= ? AND start < ?"  # noqa: S608
        for at, *sums in db.execute(question, (row[0], begin, until)):
            yield at, Minutes(*sums)


def _into(buckets: dict[int, Minutes], key: int, minutes: Minutes) -> None:
    buckets.setdefault(key, Minutes()).add(minutes)
