"""The store's read side over all of a house: one folder, or one for each shard of the gateway beside it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.model import Interval, Millis, Reading, Rejected
from gateway.store.base import Reader
from gateway.store.days import store_folders
from gateway.store.reader import SqliteReader
from gateway.store.tenure import Period, periods_in


def reader_of(folder: Path) -> Callable[[], Reader]:
    """What opens a reader for one request. Shards are looked for each time: they come and go while we run."""

    def opened() -> Reader:
        own, *shards = store_folders(folder)
        return Shards([SqliteReader(store_folder) for store_folder in (own, *shards)]) if shards else SqliteReader(own)

    return opened


class Shards:
    """See `base.Reader`. A station belongs to one shard at a time; after a change of shards, its past is in two."""

    def __init__(self, readers: list[SqliteReader]) -> None:
        self._readers = readers
        self._periods: list[list[Period]] | None = None

    def history(
        self, station: str, resource: str, start: Millis, end: Millis, most: int | None = None
    ) -> list[Interval]:
        """Joined by time: each folder tells of the time in which it had its stations. Of folders that don't say when
        that was, the next one's first word ends the last of the one before.

        Where one stopped reading after `most` changes, all stop.
        """
        upto, parts = end, list[list[Interval]]()
        for reader, low, high in self._pieces(start, end):
            part = reader.history(station, resource, low, high, most)
            if part:
                parts.append(part)
                upto = min(upto, part[-1].end) if part[-1].end < high else upto
        parts.sort(key=lambda part: part[-1].start)
        joined: list[Interval] = []
        for part in parts:
            joined = [Interval(before.start, min(before.end, part[0].start), before.axes) for before in joined]
            joined = [before for before in joined if before.start < before.end] + part
        return [
            Interval(interval.start, min(interval.end, upto), interval.axes)
            for interval in joined
            if interval.start < upto
        ]

    def _pieces(self, start: Millis, end: Millis) -> Iterator[tuple[SqliteReader, Millis, Millis]]:
        """(reader, from, until): which shard's reader answers for which part of the time."""
        if self._periods is None:
            self._periods = [periods_in(reader.folder) or [(0, None)] for reader in self._readers]
        for reader, periods in zip(self._readers, self._periods, strict=True):
            for begin, until in periods:
                low, high = max(start, begin), end if until is None else min(end, until)
                if low < high:
                    yield reader, low, high

    def readings(
        self, start: Millis | None = None, end: Millis | None = None, station: str | None = None
    ) -> Iterator[Reading]:
        for reader in self._readers:
            yield from reader.readings(start, end, station)

    def quarantine(self) -> Iterator[Rejected]:
        for reader in self._readers:
            yield from reader.quarantine()

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
