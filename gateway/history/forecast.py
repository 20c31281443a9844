"""When something that is in use will be free: the survival of past sessions, given how long this one lasts. Pure.

Sessions are pooled by the part of the day in which they began, since a week has too many hours for a thousand of them.
The interval is conformal: left to itself the middle 80 % of the past covers less of the future than it says, so each
fifth of the past is forecast from the others, and the level is taken that would have covered 80 % of it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.model import Millis

COVERAGE = 0.8
ENOUGH = 100  # sessions; with fewer there is no forecast
SURVIVORS = 20  # sessions that lasted as long as this one; with fewer the part of the day is not told apart, or nothing
FOLDS = 5
LOOK_EVERY_MS = 600_000  # how often in its course a past session is asked about
PART_HOURS = 2
ALL_DAY = -1


class UseSpan(NamedTuple):
    """Somebody's use of a resource, from start to end."""

    start: Millis
    end: Millis


class Remaining(NamedTuple):
    """How long it will still last: about `median`, between `low` and `high` in four of five cases."""

    low: Millis
    median: Millis
    high: Millis


Pools = dict[int, list[Millis]]


class Forecast:
    """What the sessions of one kind and type teach. Build it off the hot path: it takes a second for some thousands."""

    def __init__(self, sessions: Iterable[UseSpan], zone: ZoneInfo) -> None:
        past = sorted(sessions)
        self._zone = zone
        self._pools = pools_of(past, zone)
        self.sessions = len(past)
        self.level = _level(past, zone) if len(past) >= ENOUGH else COVERAGE

    def remaining(self, start: Millis, now: Millis) -> Remaining | None:
        """For a session that began at `start` and goes on; None where too little of the past lasted so long."""
        if self.sessions < ENOUGH:
            return None
        elapsed = max(0, now - start)
        lasted = survivors(self._pools, part_of_day(start, self._zone), elapsed)
        if lasted is None:
            return None
        durations, first = lasted
        low, high = (1 - self.level) / 2, (1 + self.level) / 2
        return Remaining(*[round(quantile(durations, share, first)) - elapsed for share in (low, 0.5, high)])


def part_of_day(at: Millis, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).hour // PART_HOURS


def looks(sessions: Iterable[UseSpan]) -> Iterator[tuple[UseSpan, Millis]]:
    """Every moment at which somebody might have asked about a session, regularly until it ended."""
    for session in sessions:
        for now in range(session.start, session.end, LOOK_EVERY_MS):
            yield session, now


def pools_of(sessions: Iterable[UseSpan], zone: ZoneInfo) -> Pools:
    """Durations in ascending order, by part of the day, and of all."""
    pools: Pools = defaultdict(list)
    for start, end in sessions:
        pools[part_of_day(start, zone)].append(end - start)
        pools[ALL_DAY].append(end - start)
    for durations in pools.values():
        durations.sort()
    return dict(pools)


def survivors(pools: Pools, part: int, elapsed: Millis) -> tuple[list[Millis], int] | None:
    """Durations and the place of the first one that is longer than `elapsed`."""
    for key in (part, ALL_DAY):
        durations = pools.get(key, [])
        first = bisect_right(durations, elapsed)
        if len(durations) - first >= SURVIVORS:
            return durations, first
    return None


def _level(past: Sequence[UseSpan], zone: ZoneInfo) -> float:
    """How wide the middle part must be: the COVERAGE quantile of how far out each session's true end lay."""
    distances = []
    for fold in range(FOLDS):
        begin, end = len(past) * fold // FOLDS, len(past) * (fold + 1) // FOLDS
        pools = pools_of([*past[:begin], *past[end:]], zone)
        for use, now in looks(past[begin:end]):
            lasted = survivors(pools, part_of_day(use.start, zone), now - use.start)
            if lasted is not None:
                durations, first = lasted
                shorter = bisect_left(durations, use.end - use.start) - first
                distances.append(abs(2 * shorter / (len(durations) - first) - 1))
    distances.sort()
    return quantile(distances, COVERAGE) if distances else COVERAGE


def quantile(values: Sequence[float], share: float, first: int = 0) -> float:
    """The quantile `share` of the ascending values from index `first` on, interpolated linearly."""
    place = first + share * (len(values) - 1 - first)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
