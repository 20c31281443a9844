"""Visits of stations and regions by day and month: sums of what is published of each entrance and day."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from config.schema import Settings, StationSettings
from gateway.base.local_time import local_of, month_of
from gateway.history.visits import mean_coverage
from gateway.model import Millis
from gateway.policy.privacy import Band, total
from gateway.runtime import place_of
from gateway.store.base import Reader
from gateway.store.entrances import EntranceDay, Entrances
from gateway.store.place import Asked
from gateway.store.rollup_reader import RollupReader


@dataclass(slots=True)
class Visits:
    """One row. `station` None: all of a region together."""

    start: Millis
    station: str | None
    bands: list[Band] = field(default_factory=list)
    coverages: list[float | None] = field(default_factory=list)

    def add(self, days: Iterable[EntranceDay]) -> None:
        for day in days:
            self.bands.append(day.band)
            self.coverages.append(day.bounds.coverage)

    @property
    def band(self) -> Band:
        """The sum of the published bands."""
        return total(self.bands) or Band(0, None)

    @property
    def coverage(self) -> float | None:
        """The mean of its entrances' days; None where all were closed."""
        return mean_coverage(self.coverages)


def visits(
    settings: Settings,
    stations: Sequence[StationSettings],
    reader: Reader,
    window: tuple[Millis, Millis],
    *,
    by_month: bool,
    together: bool,
) -> list[Visits]:
    """Rows in order of time, then of stations; none of a station without a sensor that tells visits. StoreError.

    `together`: all stations, which share a zone, are one row.
    """
    entrances = Entrances(RollupReader(settings.store.path, reader))
    rows: dict[tuple[Millis, str], Visits] = {}
    for station in stations:
        place = place_of(settings, station)
        start_of = _month_start(place.zone) if by_month else _itself
        for day, told in entrances.days(Asked([place]), *window).items():
            name = None if together else station.id
            key = start_of(day), name or ""
            if key not in rows:
                rows[key] = Visits(key[0], name)
            rows[key].add(told)
    return [rows[key] for key in sorted(rows)]


def summed(rows: Iterable[Visits]) -> Visits | None:
    """One row of all; None where there is none."""
    whole: Visits | None = None
    for row in rows:
        whole = whole or Visits(row.start, row.station)
        whole.bands += row.bands
        whole.coverages += row.coverages
    return whole


def sensors(settings: Settings, stations: Iterable[StationSettings]) -> int:
    """How many counters and doors are asked."""
    asked = [Asked([place_of(settings, station)]) for station in stations]
    return sum(len(parts) for of_station in asked for parts in of_station.entrance_sensors.values())


def _itself(day: Millis) -> Millis:
    return day


def _month_start(zone: ZoneInfo) -> Callable[[Millis], Millis]:
    def start_of(day: Millis) -> Millis:
        local = local_of(day, zone)
        return month_of(local.year, local.month, zone)[0]

    return start_of
