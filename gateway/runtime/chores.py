"""What is made from the journal, and let go of it, in the writer's quiet moments."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from config.schema import Settings, StationSettings
from gateway.live import Live
from gateway.model import Millis
from gateway.runtime.entrance_checks import EntranceChecks
from gateway.runtime.forecasts import Forecasts
from gateway.runtime.parts import rollups_of
from gateway.store.base import Store
from gateway.store.cards import CardRetention
from gateway.store.place import Place
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.shards import reader_of


class Chores:
    """`all`: the chores, as `Writer.chores` takes them. Roll-ups, forecasts, checks of entrances, old card numbers."""

    def __init__(
        self, settings: Settings, stations: Sequence[StationSettings], live: Live, store: Store, folder: Path,
        tell_entrance: Callable[[str, str, bool], None], now: Millis,
    ) -> None:  # fmt: skip
        """`tell_entrance`: see `EntranceChecks`."""
        self._reader = SqliteReader(folder)
        self._rollups = rollups_of(settings, stations, live, folder, self._reader, now)
        zones = {station.id: settings.zone_of(station) for station in stations}
        self.forecasts = Forecasts(live, reader_of(settings.store.path), zones)
        rolled = RollupReader(folder, self._reader)
        self._entrances = EntranceChecks(self._rollups.places, rolled, tell_entrance, now)
        cards = CardRetention(store, settings.store.retention.door_events_days)
        self.all = [self._rollups.tidy, cards.tidy, self.forecasts.tidy, self._entrances.tidy]

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
        self._rollups.close()
        self._reader.close()
