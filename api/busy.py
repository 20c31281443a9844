"""When a station is usually busy: its last whole weeks, by hour of the week, as strangers may know them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from config.schema import Settings, StationSettings
from gateway.base.local_time import DAY_MS, day_start, hour_of_week
from gateway.history.utilization import Minutes
from gateway.model import Millis
from gateway.runtime import place_of
from gateway.store.base import Reader
from gateway.store.place import Asked
from gateway.store.rollup_reader import RollupReader

WEEKS = 6
WEEK_MS = 7 * DAY_MS
ENOUGH_WEEKS = 2
"""With fewer weeks nothing is usual yet."""
SEEN = 0.5
"""An hour of which a smaller share is known is not told, nor a week of which nothing is."""
FLAT = 0.15
"""Hours whose use differs by less are alike."""


@dataclass(frozen=True, slots=True)
class BusyWeek:
    """`hours`: hour of the week → its minutes in all weeks together. `weeks`: those of `WEEKS` of which anything is
    known."""

    station: StationSettings
    zone: ZoneInfo
    upto: Millis
    hours: Mapping[int, Minutes]
    weeks: int

    @property
    def enough(self) -> bool:
        return self.weeks >= ENOUGH_WEEKS and any(share(minutes) is not None for minutes in self.hours.values())

    @property
    def coverage(self) -> float | None:
        whole = Minutes()
        for minutes in self.hours.values():
            whole.add(minutes)
        return whole.coverage


@dataclass(frozen=True, slots=True)
class BusyDay:
    """A weekday's busiest and quietest hour with their shares; `flat` where all are alike."""

    busiest: tuple[int, float]
    quietest: tuple[int, float]
    flat: bool


def window_of(now: Millis, zone: ZoneInfo) -> tuple[Millis, Millis]:
    """The last whole weeks, up to this local midnight; weeks with a change of the clock are not cut to the minute."""
    upto = day_start(now, zone)
    return max(0, day_start(upto - WEEKS * WEEK_MS + DAY_MS // 2, zone)), upto


def busy_week(settings: Settings, station: StationSettings, reader: Reader, now: Millis) -> BusyWeek:
    """Rooms and doors tell of persons and are not in it. StoreError when the journal can't be read."""
    place = place_of(settings, station).for_strangers()
    start, upto = window_of(now, place.zone)
    hours: dict[int, Minutes] = {}
    seen: set[int] = set()
    by_hour = RollupReader(settings.store.path, reader).minutes(Asked([place]), start, upto, "hour")
    for at, minutes in by_hour.items() if place.resources else ():
        hours.setdefault(hour_of_week(at, place.zone), Minutes()).add(minutes)
        if minutes.known_open:
            seen.add((upto - 1 - at) // WEEK_MS)
    return BusyWeek(station, place.zone, upto, hours, len(seen))


def share(minutes: Minutes | None) -> float | None:
    """0 to 1; None where it is shut, or less was known than `SEEN`."""
    if minutes is None or not minutes.known_open or (minutes.coverage or 0.0) < SEEN:
        return None
    return minutes.utilization


def day_of_week(hours: Mapping[int, Minutes], day: int) -> BusyDay | None:
    """None where too little is known of it."""
    known: Sequence[tuple[int, float]] = [
        (hour, used) for hour in range(24) if (used := share(hours.get(day * 24 + hour))) is not None
    ]
    if not known:
        return None
    busiest, quietest = (
        max(known, key=lambda hour: (hour[1], -hour[0])),
        min(known, key=lambda hour: (hour[1], hour[0])),
    )
    return BusyDay(busiest, quietest, busiest[1] - quietest[1] < FLAT)
