"""Our locations as they are now: for who asks, and for who is told."""

from collections.abc import Iterable
from typing import Any

from api.feeds.shared.changes import Changes
from api.live_view import Entry
from api.ocpi.locations import ChargingStation, location
from api.wire_documents import read
from config.schema import Ocpi, Settings
from gateway.model import Millis
from gateway.policy.hours.configured import Openings


class Locations:
    """One for all that ask, so that a change is dated once."""

    def __init__(self) -> None:
        self._changes = Changes()
        self._hours: tuple[Settings, Openings] | None = None

    def of(self, entries: Iterable[Entry], settings: Settings, ocpi: Ocpi, now: Millis) -> list[dict[str, Any]]:
        """Those that have charging points, in the order of the configuration."""
        if self._hours is None or self._hours[0] is not settings:
            self._hours = settings, Openings(settings)
        hours = self._hours[1]
        stations = {station.id: station for station in settings.stations}
        told = []
        for entry in entries:
            station = stations.get(entry.station)
            if station is None:
                continue
            zone = station.timezone or settings.timezone
            of = ChargingStation(
                station, read(entry.body), zone, hours(station, None),
                lambda key, facts: self._changes.since(key, repr(facts), now),
            )  # fmt: skip
            found = location(of, ocpi, now)
            told += [] if found is None else [found]
        return told
