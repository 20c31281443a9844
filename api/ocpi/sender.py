"""Our locations as they are now: for who asks, and for who is told."""

from collections.abc import Iterable
from typing import Any

from api.derived import Derived
from api.feeds.shared.changes import Changes
from api.feeds.shared.configured import Configured
from api.live_view import Entry
from api.ocpi.locations import ChargingStation, location
from api.wire_documents import read
from config.schema import Ocpi
from gateway.model import Millis


class Locations:
    """One for all that ask, so that a change is dated once."""

    def __init__(self, configured: Derived[Configured]) -> None:
        self._configured, self._changes = configured, Changes()

    def of(self, entries: Iterable[Entry], ocpi: Ocpi, now: Millis) -> list[dict[str, Any]]:
        """Those that have charging points, in the order of the configuration."""
        configured = self._configured()
        told = []
        for entry in entries:
            station = configured.stations.get(entry.station)
            if station is None:
                continue
            of = ChargingStation(
                station, read(entry.body), station.timezone or configured.settings.timezone,
                configured.hours(station, None), lambda key, facts: self._changes.since(key, repr(facts), now),
            )  # fmt: skip
            told_of = location(of, ocpi, now)
            told += [] if told_of is None else [told_of]
        return told
