"""Who rests at a station, as far as it may be told: the months that are over there."""

from collections.abc import Sequence

from config.schema import Settings, StationSettings
from gateway.base.local_time import local_of
from gateway.history.occupations import Shares, told
from gateway.model import Millis
from gateway.store.occupations import MonthName, OccupationCounts


def month_name(settings: Settings, station: StationSettings, now: Millis) -> MonthName:
    """The present month in the station's zone."""
    return f"{local_of(now, settings.zone_of(station)):%Y-%m}"


def months(settings: Settings, stations: Sequence[StationSettings], now: Millis) -> dict[str, dict[MonthName, Shares]]:
    """Station → month that is over → what is told of it, the newest first. StoreError."""
    counts = OccupationCounts(settings.store.path)
    by_station: dict[str, dict[MonthName, Shares]] = {}
    for station in stations:
        known = counts.before([station.id], month_name(settings, station, now))[station.id]
        shares = {month: told(answers) for month, answers in known.items()}
        by_station[station.id] = {
            month: shares_of_month for month, shares_of_month in shares.items() if shares_of_month is not None
        }
    return by_station
