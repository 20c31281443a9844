"""The journal's read side: as many as wanted, in any process, while the one writer goes on."""

import logging
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from gateway import wire
from gateway.model import RETAINED, TS_SUSPECT, Axes, Batch, Interval, Millis, Reading, Rejected
from gateway.store.base import StoreError
from gateway.store.day import DAY_MS
from gateway.store.day_reader import FOREVER, DayReader
from gateway.store.days import day_files, day_number, day_path, number_of

log = logging.getLogger(__name__)

FEWEST = 1_000  # changes read at least; each day begins with one that repeats the state before it
OPEN_DAYS = 40  # files kept open between questions


class SqliteReader:
    """See `base.Reader`."""

    def __init__(self, folder: Path, *, skip_damaged: bool = False) -> None:
        """`skip_damaged`: a day whose file can't be opened is left out and counted in `unread`; else it is an error."""
        self._folder = folder
        self._skip_damaged = skip_damaged
        self._closed_unread = 0  # of the files that are closed again
        self._unopened: set[Path] = set()
        self._open: dict[Path, DayReader] = {}

    @property
    def folder(self) -> Path:
        """Where the journal is."""
        return self._folder

    def history(
        self, station: str, resource: str, start: Millis, end: Millis, most: int | None = None
    ) -> list[Interval]:
        points: list[tuple[Millis, Axes]] = []
        room = FOREVER if most is None else max(most, FEWEST)
        for path in self._days(start, end):
            reader = self._day(path)
            if reader is None:
                continue
            points += reader.changes(station, resource, max(start, number_of(path) * DAY_MS), end, room - len(points))
            if len(points) >= room:
                end = min(end, points.pop()[0])
                break
        return _intervals(sorted(points, key=itemgetter(0)), start, end)

    def _days(self, start: Millis, end: Millis) -> list[Path]:
        """The days of [start, end); when the first has no file, the one before it, whose last states still held."""
        last = day_path(self._folder, day_number(max(end - 1, start)))
        files = [path for path in day_files(self._folder) if path <= last]
        first = day_path(self._folder, day_number(start))
        older = [path for path in files if path < first]
        return files[len(older) :] if first in files or not older else files[len(older) - 1 :]

    def readings(
        self, start: Millis | None = None, end: Millis | None = None, station: str | None = None
    ) -> Iterator[Reading]:
        first, last = -FOREVER if start is None else start, FOREVER if end is None else end
        for number, batch in self._batches(first, last):
            columns = zip(batch.topics, batch.payloads, batch.received, batch.flags, strict=True)
            for topic, payload, received, flags in columns:
                if not first <= received < last:
                    continue
                reading = _reading(number, topic, payload, received, flags)
                if station is None or reading.station == station:
                    yield reading

    def _batches(self, first: Millis, last: Millis) -> Iterator[tuple[int, Batch]]:
        """(id, batch) of all that may hold messages received in [first, last)."""
        for path in day_files(self._folder):
            reader = self._day(path)
            if reader is not None:
                yield from reader.batches(0, first, last)

    def quarantine(self) -> Iterator[Rejected]:
        for path in day_files(self._folder):
            reader = self._day(path)
            if reader is not None:
                yield from reader.quarantine()

    @property
    def unread(self) -> int:
        """How many damaged places were met; a file that can't be opened at all is one."""
        return self._closed_unread + sum(reader.unread for reader in self._open.values()) + len(self._unopened)

    def _day(self, path: Path) -> DayReader | None:
        reader = self._open.get(path)
        if reader is None:
            if not path.exists():
                return None
            if len(self._open) >= OPEN_DAYS:
                oldest = self._open.pop(next(iter(self._open)))
                self._closed_unread += oldest.unread
                oldest.close()
            reader = self._opened(path)
        return reader

    def _opened(self, path: Path) -> DayReader | None:
        """None for a file that is damaged from its first page on, where such a day may be left out."""
        try:
            reader = self._open[path] = DayReader(path)
        except StoreError as error:
            if not (error.damaged and self._skip_damaged):
                raise
            self._unopened.add(path)
            log.error("%s can't be read: %s", path.name, error)
            return None
        return reader

    def close(self) -> None:
        self._closed_unread = self.unread - len(self._unopened)
        for reader in self._open.values():
            reader.close()
        self._open.clear()


def _reading(number: int, topic: bytes, payload: bytes, received: Millis, flags: int) -> Reading:
    station, device, which = wire.parse_stored(topic)
    header = wire.header_of(payload)
    return Reading(
        number, station, device, which,
        header.boot if header else None, header.seq if header else None, header.ts if header else None,
        received, bool(flags & RETAINED), bool(flags & TS_SUSPECT), payload,
    )  # fmt: skip


def _intervals(points: list[tuple[Millis, Axes]], start: Millis, end: Millis) -> list[Interval]:
    """Neighbours in the same state become one; the first begins at `start` when the state is older."""
    # Of two points at one moment the later one holds.
    moments = {max(at, start): axes for at, axes in points}
    intervals: list[Interval] = []
    for begin, axes in moments.items():
        if intervals:
            last = intervals[-1]
            if last.axes is axes:
                continue
            intervals[-1] = Interval(last.start, begin, last.axes)
        intervals.append(Interval(begin, end, axes))
    return intervals
