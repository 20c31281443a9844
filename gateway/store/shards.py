"""The store's read side over all of a house: one folder, or one for each shard of the gateway beside it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.model import Interval, Millis, Reading, Rejected
from gateway.store.base import Reader
from gateway.store.days import store_folders
from gateway.store.reader import SqliteReader


def reader_of(folder: Path) -> Callable[[], Reader]:
    """What opens a reader for one request. Shards are looked for each time: they come and go while we run."""

    def opened() -> Reader:
        own, *shards = store_folders(folder)
        return Shards([SqliteReader(each) for each in (own, *shards)]) if shards else SqliteReader(own)

    return opened


class Shards:
    """See `base.Reader`. A station belongs to one shard at a time; after a change of shards, its past is in two."""

    def __init__(self, readers: list[SqliteReader]) -> None:
        self._readers = readers

    def history(
        self, station: str, resource: str, start: Millis, end: Millis, most: int | None = None
    ) -> list[Interval]:
        """Joined by time: where a shard knew nothing newer, the next one's first word ends its last.

        Where one stopped reading after `most` changes, all stop.
        """
        found = [reader.history(station, resource, start, end, most) for reader in self._readers]
        parts = sorted((part for part in found if part), key=lambda part: part[-1].start)
        upto = min((part[-1].end for part in parts), default=end)
        joined: list[Interval] = []
        for part in parts:
            joined = [Interval(before.start, min(before.end, part[0].start), before.axes) for before in joined]
            joined = [before for before in joined if before.start < before.end] + part
        return [
            Interval(interval.start, min(interval.end, upto), interval.axes)
            for interval in joined
            if interval.start < upto
        ]

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
