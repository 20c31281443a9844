"""The store's read side as the API sees it: one folder, or one for each shard of the gateway beside it."""

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
        return Shards([SqliteReader(one) for one in (own, *shards)]) if shards else SqliteReader(own)

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
        parts = sorted((one for one in found if one), key=lambda part: part[-1].start)
        upto = min((part[-1].end for part in parts), default=end)
        joined: list[Interval] = []
        for part in parts:
            joined = [Interval(one.start, min(one.end, part[0].start), one.axes) for one in joined]
            joined = [one for one in joined if one.start < one.end] + part
        return [Interval(one.start, min(one.end, upto), one.axes) for one in joined if one.start < upto]

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
