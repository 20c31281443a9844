"""Questions to the roll-ups, answered from the journal where they have not come to yet."""

import json
import sqlite3  # noqa: TID251
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.base.local_time import (
    DAY_MS,
    HOUR_MS,
    By,
    bucket_of,
    day_of,
    day_start,
    hour_start,
    next_day,
    pieces,
    stretches,
)
from gateway.history.fill import LOOK_BACK_MS, Level, fill
from gateway.history.tally import MeterMark, Tally
from gateway.history.transactions import Transaction
from gateway.history.turnstile import Passed
from gateway.history.utilization import Minutes, measure
from gateway.model import Millis, Resource
from gateway.store.base import Reader
from gateway.store.days import store_folders
from gateway.store.files import as_store_error, read_only
from gateway.store.levels import counted_in_units, levels, may_be_counted
from gateway.store.place import Asked, scope_of
from gateway.store.rollups import FILE

_MINUTES = ", ".join(f"sum({column.name})" for column in fields(Minutes))
_FILLED = {"in_use", "taken", "places", "no_shows"}  # since version 6 of the file
_MINUTES_BEFORE = ", ".join("0" if column.name in _FILLED else f"sum({column.name})" for column in fields(Minutes))
_TALLY = ", ".join(f"sum({column.name})" for column in fields(Tally))
_PASSED = ", ".join(f"sum({column.name})" for column in fields(Passed))
_TURNSTILE = "SELECT state FROM turnstile WHERE scope = (SELECT id FROM scope WHERE text = ?)"
_MARKS = (
    "SELECT at, total_mwh, resets FROM mark WHERE scope = (SELECT id FROM scope WHERE text = ?) AND at >= ? AND at < ?"
)
_CHARGES = (
    "SELECT name, start, ended, energy_mwh FROM charge"
    " WHERE scope = (SELECT id FROM scope WHERE text = ?) AND start >= ? AND start < ? ORDER BY start, name"
)
_BUCKETS: dict[By, str] = {  # a bucket from the start of a row; 1970 began on a Thursday
    "hour": "start",
    "day": f"(start + {{ahead}}) / {DAY_MS}",
    "hour_of_week": f"((start + {{ahead}}) / {HOUR_MS} + 72) % 168",
}


class RollupReader:
    """Opens the file anew for each question. StoreError where it can't be read."""

    def __init__(self, folder: Path, reader: Reader) -> None:
        self._folder, self._reader = folder, reader

    def minutes(self, asked: Asked, start: Millis, end: Millis, by: By) -> dict[int, Minutes]:
        """Bucket → its minutes: the bucket is its local start, or the hour of the week. Empty ones are left out."""
        low = min(end, _hour_at_or_after(start, asked))
        top = max(low, hour_start(end, asked.zone))
        buckets: dict[int, Minutes] = {}
        upto: dict[str, Millis] = {}
        with self._files() as files:
            for db, here, done in _owners(files, asked):
                upto |= done
                for key, sums in _kept(db, here, low, top, min(done.values()), by):
                    buckets.setdefault(key, Minutes()).add(Minutes(*sums))
        for resource in asked.resources:
            high = max(low, min(top, upto.get(resource.station, 0)))
            for begin, until in ((start, low), (high, end)):
                self._measure(buckets, resource, (begin, until), asked.zone, by)
        return buckets

    def _measure(
        self, buckets: dict[int, Minutes], resource: Resource, window: tuple[Millis, Millis], zone: ZoneInfo, by: By
    ) -> None:
        start, end = window
        if start >= end:
            return
        counted = may_be_counted(resource)
        intervals = self._reader.history(resource.station, resource.id, start - (LOOK_BACK_MS if counted else 1), end)
        told = self._levels(resource, start, end) if counted else []
        for begin, until in pieces(start, end, zone, by):
            minutes = (
                fill(intervals, told, begin, until, units=counted_in_units(resource))
                if counted
                else measure(intervals, begin, until)
            )
            buckets.setdefault(bucket_of(begin, zone, by), Minutes()).add(minutes)

    def _levels(self, resource: Resource, start: Millis, end: Millis) -> list[Level]:
        """What its counts said, from whichever file of the shards knows them."""
        scope = scope_of(resource.station, resource=resource.id)
        with self._files() as files:
            parts = [levels(db, scope, start, end) for db in files if _has(db, "level")]
        return sorted((level for part in parts for level in part), key=lambda level: level.at)

    def tallies(self, asked: Asked, start: Millis, end: Millis, by: By) -> dict[int, Tally]:
        """The same for what single messages add up to. An hour counts where it begins."""
        buckets: dict[int, Tally] = {}
        with self._files() as files:
            for db in files:  # each shard counted the messages that it took
                for key, sums in _rows(db, "tally", _TALLY, asked, start, end, by):
                    buckets.setdefault(key, Tally()).add(Tally(*sums))
        return buckets

    def people(self, alone: Asked, start: Millis, end: Millis) -> dict[Millis, Passed]:
        """Local hour → what the states of one counter or door told. None where an older version kept the roll-ups."""
        hours: dict[Millis, Passed] = {}
        with self._files() as files:
            for db in files:
                for key, sums in _rows(db, "people", _PASSED, alone, start, end, "hour") if _has(db, "people") else ():
                    hours.setdefault(key, Passed()).add(Passed(*sums))
        return hours

    def tells_totals(self, alone: Asked) -> bool:
        """Whether this counter ever told totals; one that did not tells each passage."""
        with self._files() as files:
            return any(
                json.loads(state).get("total") is not None
                for db in files
                if _has(db, "turnstile")
                for (state,) in db.execute(_TURNSTILE, alone.scopes[:1])
            )

    def counted_until(self) -> Millis:
        """Up to when every message is counted; 0 where nobody counts."""
        with self._files() as files:
            return max((db.execute("SELECT at FROM tallied").fetchone()[0] for db in files), default=0)

    def marks(self, station: str, charger: str, start: Millis, end: Millis) -> dict[Millis, MeterMark]:
        """A charger's meter at the moments at which a use began or ended."""
        values = scope_of(station, resource=charger), start, end
        with self._files() as files:
            return {at: (at, total_mwh, resets) for db in files for at, total_mwh, resets in db.execute(_MARKS, values)}

    def transactions(self, station: str, charger: str, start: Millis, end: Millis) -> list[Transaction]:
        """Those that a charger told to have ended, of which began in [start, end); the oldest first."""
        values = scope_of(station, resource=charger), start, end
        with self._files() as files:
            rows = [row for db in files if _has(db, "charge") for row in db.execute(_CHARGES, values)]
        return [Transaction(*row) for row in sorted(rows, key=lambda row: row[:2][::-1])]

    @contextmanager
    def _files(self) -> Iterator[list[sqlite3.Connection]]:
        """The roll-ups here and in the folders of shards; none on a machine without the journal."""
        paths = [folder / FILE for folder in store_folders(self._folder)]
        with ExitStack() as stack:
            try:
                yield [stack.enter_context(closing(read_only(path))) for path in paths if path.exists()]
            except sqlite3.Error as error:
                raise as_store_error(error, self._folder / FILE) from error


def _has(db: sqlite3.Connection, table: str) -> bool:
    return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone())


def _owners(
    files: Sequence[sqlite3.Connection], asked: Asked
) -> Iterator[tuple[sqlite3.Connection, Asked, dict[str, Millis]]]:
    """Each file, what of the question it rolled up, and until when it did so by station.

    A station that went from shard to shard is in several files, each with a part of it: it is measured anew.
    """
    done = [dict(db.execute("SELECT station, upto FROM done")) for db in files]
    times = Counter(station for uptos in done for station in uptos)
    for db, uptos in zip(files, done, strict=True):
        here = [place for place in asked.places if place.station in uptos and times[place.station] == 1]
        if here:
            yield db, replace(asked, places=here), {place.station: uptos[place.station] for place in here}


def _kept(
    db: sqlite3.Connection, asked: Asked, low: Millis, top: Millis, whole: Millis, by: By
) -> Iterator[tuple[int, list[int]]]:
    """(bucket, sums) of [low, top): by day, those that every station has come to (`whole`) are kept as such."""
    zone = asked.zone
    first = low if day_start(low, zone) == low else next_day(low, zone)
    last = day_start(min(top, whole), zone)
    if by != "day" or first >= last:
        first = last = low
    for table, begin, until in (("hour", low, first), ("day", first, last), ("hour", last, top)):
        yield from _rows(db, table, _MINUTES if _has(db, "level") else _MINUTES_BEFORE, asked, begin, until, by)


def _hour_at_or_after(at: Millis, asked: Asked) -> Millis:
    hour = hour_start(at, asked.zone)
    return hour if hour == at else hour + HOUR_MS


def _rows(
    db: sqlite3.Connection, table: str, sums: str, asked: Asked, start: Millis, end: Millis, by: By
) -> Iterator[tuple[int, list[int]]]:
    """(bucket, sums) of [start, end): added up by SQLite, for a year has thousands of rows. A bucket may come twice."""
    names = ", ".join("?" * len(asked.scopes))
    ids = [row[0] for row in db.execute(f"SELECT id FROM scope WHERE text IN ({names})", asked.scopes)]  # noqa: S608
    which = f"scope IN ({', '.join('?' * len(ids))}) AND start >= ? AND start < ?"
    alike = [(start, end, 0)] if by == "hour" else stretches(start, end, asked.zone)
    for begin, until, ahead in alike:
        bucket = _BUCKETS[by].format(ahead=ahead)
        question = f"SELECT {bucket} AS bucket, {sums} FROM {table} WHERE {which} GROUP BY bucket"  # noqa: S608
        for key, *values in db.execute(question, (*ids, begin, until)):
            yield day_of(key, asked.zone) if by == "day" else key, values
