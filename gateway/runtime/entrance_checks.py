"""Whether the sensors of each entrance agree about its last day, asked once a day in the writer's quiet moments."""

from collections.abc import Callable, Collection, Iterable

from gateway.base.local_time import HOUR_MS, day_start, next_day
from gateway.model import Millis
from gateway.store.entrances import Entrances
from gateway.store.place import Asked, Place
from gateway.store.rollup_reader import RollupReader

FIRST_AFTER_MS = 60_000  # once the start is over
AFTER_MIDNIGHT_MS = HOUR_MS  # what came late and the roll-ups are in by then


class EntranceChecks:
    """`tidy` is a chore: one station at a time."""

    def __init__(
        self, places: Iterable[Place], rollups: RollupReader, tell: Callable[[str, str, bool], None], now: Millis
    ) -> None:
        """`tell`: the station, the entrance's name, and whether its sensors agree; any thread."""
        self._entrances, self._tell = Entrances(rollups), tell
        self._places = _watched(places)
        self._due: dict[str, Millis] = {place.station: now + FIRST_AFTER_MS for place in self._places}

    def follow(self, places: Iterable[Place], removed: Collection[str]) -> None:
        """These stations are new or others now, those went. Any thread."""
        places = list(places)
        others = {*removed, *(place.station for place in places)}
        self._places = [place for place in self._places if place.station not in others] + _watched(places)

    def tidy(self, now: Millis) -> bool:
        """True if there is more. StoreError."""
        waiting = [place for place in self._places if self._due.get(place.station, 0) <= now]
        if not waiting:
            return False
        self._check(waiting[0], now)
        return len(waiting) > 1

    def _check(self, place: Place, now: Millis) -> None:
        today = day_start(now, place.zone)
        self._due[place.station] = next_day(now, place.zone) + AFTER_MIDNIGHT_MS
        yesterday = day_start(today - 1, place.zone)
        for told in self._entrances.days(Asked([place]), yesterday, today).values():
            for entrance in told:
                self._tell(place.station, entrance.name.removeprefix("#"), entrance.agree)


def _watched(places: Iterable[Place]) -> list[Place]:
    return [place for place in places if Asked([place]).entrance_sensors]
