"""A place with a store and its roll-ups, told messages by the moment."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.model import Batch, Change, Millis
from gateway.policy.privacy import Band
from gateway.store.entrances import EntranceDay, Entrances
from gateway.store.place import Asked, Place
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.rollups import Rollups
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY

BEFORE = 1_792_800_000_000 // DAY * DAY


class Kept:
    """One place, its store and its roll-ups."""

    def __init__(self, folder: Path, place: Place) -> None:
        self._folder, self._place = folder, place
        self._store, self.reader = SqliteStore(folder, BEFORE, ballast_mib=0), SqliteReader(folder)
        self.rollups = self._open()

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, *_: object) -> None:
        for part in (self.rollups, self.reader, self._store):
            part.close()

    def _open(self) -> Rollups:
        return Rollups(self._folder, [self._place], self.reader, BEFORE, synchronous="OFF")

    def starts_again(self) -> None:
        self.rollups.close()
        self.rollups = self._open()

    def tell(self, device: str, which: str, said: Sequence[tuple[Millis, Mapping[str, object]]]) -> None:
        batch = Batch()
        for at, fields in said:
            batch.append(f"yz/s/{device}/{which}".encode(), json.dumps(fields).encode(), at, 0)
        self._store.commit(batch, [], [], said[-1][0])
        while self.rollups.tidy(said[-1][0] + DAY):
            pass

    def changes(self, changes: Sequence[Change]) -> None:
        self._store.commit(Batch(), changes, [], changes[-1].at)

    @property
    def rolled(self) -> RollupReader:
        return RollupReader(self._folder, self.reader)

    def days(self, start: Millis, end: Millis) -> dict[Millis, list[EntranceDay]]:
        while self.rollups.tidy(end + DAY):
            pass
        return Entrances(self.rolled).days(Asked([self._place]), start, end)

    def bands(self, start: Millis, end: Millis) -> dict[Millis, list[Band]]:
        return {day: [entrance.band for entrance in told] for day, told in self.days(start, end).items()}
