"""Visits by entrance and local day, from the roll-ups: what the sensors of one entrance tell together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.base.local_time import day_start, next_day, pieces
from gateway.history.tally import Tally
from gateway.history.turnstile import Passed
from gateway.history.utilization import Minutes
from gateway.history.visits import (
    CARD,
    COUNTER,
    OPENING,
    ErrorPct,
    VisitBounds,
    by_cards,
    by_openings,
    by_totals,
    entrance,
    published,
)
from gateway.model import Millis, Resource
from gateway.policy.privacy import Band
from gateway.store.place import COUNTERS, Asked
from gateway.store.rollup_reader import RollupReader


@dataclass(frozen=True, slots=True)
class EntranceDay:
    """`agree`: its sensors meet. `name`: as configured, or `#` and the area."""

    station: str
    name: str
    bounds: VisitBounds
    agree: bool

    @property
    def band(self) -> Band:
        """The band that may be told of the entrance."""
        return published(self.bounds)


class Entrances:
    """StoreError where the store can't be read."""

    def __init__(self, rollups: RollupReader) -> None:
        self._rollups = rollups

    def days(self, asked: Asked, start: Millis, end: Millis) -> dict[Millis, list[EntranceDay]]:
        """Local day → its entrances, of days that lie whole in the window and are counted to their end.

        Whoever could shift the edge of a day would see who came in between.
        """
        sensors = asked.entrance_sensors
        days = _whole_days(asked, start, min(end, self._rollups.counted_until())) if sensors else []
        by_day: dict[Millis, list[EntranceDay]] = {day: [] for day in days}
        for (station, name), parts in sensors.items() if days else ():
            by_sensor = [self._sensor(asked, part, days) for part in parts]
            for number, day in enumerate(days):
                told, agree = entrance([sensor_day for sensor in by_sensor for sensor_day in sensor[number]])
                by_day[day].append(EntranceDay(station, name, told, agree))
        return by_day

    def bands(self, asked: Asked, start: Millis, end: Millis) -> dict[Millis, list[Band]]:
        """Local day → the band of each entrance."""
        return {day: [entrance_day.band for entrance_day in told] for day, told in self.days(asked, start, end).items()}

    def _sensor(self, asked: Asked, sensor: Resource, days: Sequence[Millis]) -> list[list[VisitBounds]]:
        """What one sensor tells of each day."""
        alone = Asked([place for place in asked.places if place.station == sensor.station], resource=sensor.id)
        window = days[0], next_day(days[-1], asked.zone)
        tallies = self._rollups.tallies(alone, *window, "day")
        if sensor.kind in COUNTERS and self._rollups.tells_totals(alone):
            return self._totals(alone, sensor, days)
        minutes = self._rollups.minutes(alone, *window, "day")
        people = _by_day(self._rollups.people(alone, *window), asked) if sensor.kind not in COUNTERS else {}
        return [
            _singly(sensor, tallies.get(day, Tally()).passages, people.get(day, Passed()), minutes.get(day, Minutes()))
            for day in days
        ]

    def _totals(self, alone: Asked, sensor: Resource, days: Sequence[Millis]) -> list[list[VisitBounds]]:
        window = days[0], next_day(days[-1], alone.zone)
        hours = self._rollups.people(alone, *window)
        minutes = self._rollups.minutes(alone, *window, "hour")
        error = ErrorPct(*(sensor.error_pct or COUNTER))
        told = []
        for day in days:
            whole, seen_ms, unseen_ms = Passed(), 0, 0
            for begin, until in pieces(day, next_day(day, alone.zone), alone.zone, "hour"):
                passed, closed_ms = hours.get(begin, Passed()), minutes.get(begin, Minutes()).closed
                whole.add(passed)
                seen = min(passed.seen_ms, until - begin)
                seen_ms += max(0, seen - closed_ms)
                unseen_ms += max(0, until - begin - seen - closed_ms)
            told.append([by_totals(whole.least, whole.most, unseen_ms, seen_ms, error)])
        return told


def _singly(sensor: Resource, passages: int, passed: Passed, minutes: Minutes) -> list[VisitBounds]:
    """A counter that tells each passage, or a door and its reader."""
    coverage = minutes.coverage
    if sensor.kind in COUNTERS:
        return [by_cards(passages, ErrorPct(*(sensor.error_pct or COUNTER)), coverage, only_way=True)]
    reader = "reader" in sensor.features or passages > 0
    told = [by_cards(passages, ErrorPct(*(sensor.error_pct or CARD)), coverage, only_way=reader)]
    return told + [by_openings(passed.openings, OPENING, coverage)] * (passed.openings > 0)


def _by_day(hours: dict[Millis, Passed], asked: Asked) -> dict[Millis, Passed]:
    days: dict[Millis, Passed] = defaultdict(Passed)
    for hour, passed in hours.items():
        days[day_start(hour, asked.zone)].add(passed)
    return days


def _whole_days(asked: Asked, start: Millis, end: Millis) -> list[Millis]:
    day = day_start(start, asked.zone)
    days = []
    while (until := next_day(day, asked.zone)) <= end:
        if day >= start:
            days.append(day)
        day = until
    return days
