"""The journal's read side: as many as wanted, in any process, while the one writer goes on."""

from collections.abc import Iterator
from pathlib import Path

from gateway import wire
from gateway.model import Axes, Millis, Rejected
from gateway.store.base import Interval, Reading
from gateway.store.day import DAY_MS, DayReader
from gateway.store.sqlite import day_files, day_number, day_path

OPEN_DAYS = 40  # files kept open between questions


class SqliteReader:
    """See `base.Reader`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, DayReader] = {}

    def history(self, station: str, resource: str, start: Millis, end: Millis) -> list[Interval]:
        points: list[tuple[Millis, Axes]] = []
        for day in range(day_number(start), day_number(max(end - 1, start)) + 1):
            reader = self._day(day_path(self._folder, day))
            if reader is None:
                continue
            found = reader.changes(station, resource, max(start, day * DAY_MS), end)
            points += found
        return _intervals(points, start, end)

    def readings(
        self, start: Millis | None = None, end: Millis | None = None, station: str | None = None
    ) -> Iterator[Reading]:
        for path in day_files(self._folder):
            reader = self._day(path)
            if reader is None:
                continue
            for number, batch in reader.batches():
                for topic, payload, received, flags in zip(
                    batch.topics, batch.payloads, batch.received, batch.flags, strict=True
                ):
                    if (start is not None and received < start) or (end is not None and received >= end):
                        continue
                    reading = _reading(number, topic, payload, received, flags)
                    if station is None or reading.station == station:
                        yield reading

    def quarantine(self) -> Iterator[Rejected]:
        for path in day_files(self._folder):
            reader = self._day(path)
            if reader is not None:
                yield from reader.quarantine()

    def _day(self, path: Path) -> DayReader | None:
        reader = self._open.get(path)
        if reader is None:
            if not path.exists():
                return None
            if len(self._open) >= OPEN_DAYS:
                self._open.pop(next(iter(self._open))).close()
            reader = self._open[path] = DayReader(path)
        return reader

    def close(self) -> None:
        for reader in self._open.values():
            reader.close()
        self._open.clear()


def _reading(number: int, topic: bytes, payload: bytes, received: Millis, flags: int) -> Reading:
    station, device, which = wire.parse_topic(topic)
    header = wire.header_of(payload)
    return Reading(
        number, station, device, which,
        header.boot if header else None, header.seq if header else None, header.ts if header else None,
        received, bool(flags & 1), bool(flags & 2), payload,
    )  # fmt: skip


def _intervals(points: list[tuple[Millis, Axes]], start: Millis, end: Millis) -> list[Interval]:
    """Neighbours in the same state become one; the first begins at `start` when the state is older."""
    intervals: list[Interval] = []
    for at, axes in points:
        begin = max(at, start)
        if intervals:
            last = intervals[-1]
            if last.axes is axes:
                continue
            intervals[-1] = Interval(last.start, begin, last.axes)
            if intervals[-1].start == begin:
                intervals.pop()
        intervals.append(Interval(begin, end, axes))
    return intervals
