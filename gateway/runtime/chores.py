"""What is made from the journal, and let go of it, in the writer's quiet moments."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from config.schema import Settings, StationSettings
from gateway.live import Live
from gateway.model import Millis
from gateway.runtime.entrance_checks import EntranceChecks
from gateway.runtime.forecasts import Forecasts
from gateway.runtime.left_folders import LeftFolders
from gateway.runtime.parts import rollups_of, store_of
from gateway.store.base import Store
from gateway.store.cards import CardRetention
from gateway.store.place import Place
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.shard_folders import ShardFolders
from gateway.store.shards import reader_of


class Chores:
    """`all`: the chores, as `Writer.chores` takes them. Roll-ups, forecasts, checks of entrances, old card numbers, and
    the folders of shards that are no more.
    """

    def __init__(
        self, settings: Settings, stations: Sequence[StationSettings], live: Live, store: Store, folder: Path,
        tell_entrance: Callable[[str, str, bool], None], now: Millis, *, first: bool,
    ) -> None:  # fmt: skip
        """`tell_entrance`: see `EntranceChecks`; `first`: of the shards that run, or no shard."""
        self._reader = SqliteReader(folder)
        self._rollups = rollups_of(settings, stations, live, folder, self._reader, now)
        zones = {station.id: settings.zone_of(station) for station in stations}
        self.forecasts = Forecasts(live, reader_of(settings.store.path), zones)
        rolled = RollupReader(folder, self._reader)
        self._entrances = EntranceChecks(self._rollups.places, rolled, tell_entrance, now)
        retention = settings.store.retention
        cards = CardRetention(store, retention.door_events_days)
        self._left = LeftFolders(
            folder, lambda: ShardFolders(settings.store.path, settings.gateway.id).left(folder),
            partial(store_of, settings), retention.raw_days, retention.door_events_days,
        )  # fmt: skip
        self.all = [self._rollups.tidy, cards.tidy, self.forecasts.tidy, self._entrances.tidy]
        if first:
            self.all.append(self._left.tidy)

    def follow(
        self, settings: Settings, stations: Sequence[StationSettings], places: Sequence[Place],
        removed: Collection[str],
    ) -> None:  # fmt: skip
        """Another configuration holds: all `stations`, the `places` that are new or others, those that went."""
        self.forecasts.follow({station.id: settings.zone_of(station) for station in stations})
        self._rollups.follow(places, removed)
        self._entrances.follow(places, removed)

    def close(self) -> None:
        self.forecasts.close()
        self._left.close()
        self._rollups.close()
        self._reader.close()
