"""Honest utilisation: occupied ÷ known-open minutes, with what is not known beside it. Pure arithmetic on intervals.

Every moment of a resource is exactly one of five: occupied (also away, reserved, blocked), free, out of order (fault or
maintenance), closed (by hours, or not in service), unknown. Known-open is occupied + free. What is out of order is
known, but nobody could have used it, so it counts as neither.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from gateway.base.local_time import HOUR_MS
from gateway.model import Axes, Interval, Millis

Part = Literal["occupied", "free", "broken", "closed", "unknown"]

_START, _END = attrgetter("start"), attrgetter("end")

PEAK_HOURS = 5
PEAK_COVERAGE = 0.8  # an hour of the week that is known less well is not compared


@dataclass(slots=True)
class Minutes:
    """Milliseconds of each part, and how many times a resource became occupied.

    Of what holds several (`history.fill`): `in_use` while one at least is taken, `taken` of `places` in units times
    milliseconds, and bookings to which nobody came.
    """

    occupied: Millis = 0
    free: Millis = 0
    broken: Millis = 0
    closed: Millis = 0
    unknown: Millis = 0
    sessions: int = 0
    in_use: Millis = 0
    taken: int = 0
    places: int = 0
    no_shows: int = 0

    def add(self, other: "Minutes") -> None:
        self.occupied += other.occupied
        self.free += other.free
        self.broken += other.broken
        self.closed += other.closed
        self.unknown += other.unknown
        self.sessions += other.sessions
        self.in_use += other.in_use
        self.taken += other.taken
        self.places += other.places
        self.no_shows += other.no_shows

    @property
    def recorded(self) -> bool:
        """Is anything kept of this time?"""
        return bool(self.known_open or self.broken or self.closed or self.unknown)

    @property
    def known_open(self) -> Millis:
        return self.occupied + self.free

    @property
    def utilization(self) -> float | None:
        """0 to 1; None when nothing is known of any open minute."""
        return self.occupied / self.known_open if self.known_open else None

    @property
    def filled(self) -> float | None:
        """The share of units or seats taken on average; None where nothing counts them."""
        return self.taken / self.places if self.places else None

    @property
    def coverage(self) -> float | None:
        """The known share of the minutes that were open, or may have been; None when it was closed all the time."""
        seen = self.known_open + self.broken
        return seen / (seen + self.unknown) if seen + self.unknown else None


def part_of(axes: Axes) -> Part:
    """Which of the five a state is: closed outranks all, then out of order, then unknown."""
    if axes.lifecycle != "active" or axes.access in ("closed", "staff_only"):
        return "closed"
    if axes.health in ("fault", "maintenance"):
        return "broken"
    if axes.usable == "unknown":
        return "unknown"
    return "free" if axes.use == "free" else "occupied"


def measure(intervals: Sequence[Interval], start: Millis, end: Millis) -> Minutes:
    """What a resource's intervals add up to inside [start, end). Time that no interval covers is unknown."""
    total = Minutes()
    covered = 0
    first = bisect_right(intervals, start, key=_END)
    before = part_of(intervals[first - 1].axes) if first else None
    for interval in intervals[first : bisect_left(intervals, end, key=_START)]:
        part = part_of(interval.axes)
        length = min(interval.end, end) - max(interval.start, start)
        setattr(total, part, getattr(total, part) + length)
        covered += length
        # Coming back from unknown is no arrival: nobody saw one.
        total.sessions += part == "occupied" and before == "free" and interval.start >= start
        before = part
    total.unknown += end - start - covered
    return total


@dataclass(frozen=True, slots=True)
class UseStretch:
    """One stretch of being occupied; `end` None: it goes on. `whole`: from free to free, both seen."""

    start: Millis
    end: Millis | None
    whole: bool


def uses(intervals: Iterable[Interval]) -> list[UseStretch]:
    """The uses in a resource's intervals, the oldest first. One that the first interval begins in is not whole."""
    spans: list[UseStretch] = []
    since: Millis | None = None
    arrived = False
    before: Part | None = None
    for interval in intervals:
        part = part_of(interval.axes)
        if part == "occupied" and since is None:
            since, arrived = interval.start, before == "free"
        elif part != "occupied" and since is not None:
            spans.append(UseStretch(since, interval.start, arrived and part == "free"))
            since = None
        before = part
    if since is not None:
        spans.append(UseStretch(since, None, whole=False))
    return spans


def peaks(hours: Mapping[int, Minutes]) -> dict[int, bool | None]:
    """Hour of the week → is it among the busiest? None where too little of it is known to compare."""
    told = {
        hour: minutes.utilization or 0.0
        for hour, minutes in hours.items()
        if minutes.known_open >= HOUR_MS and (minutes.coverage or 0.0) >= PEAK_COVERAGE
    }
    busiest = sorted((hour for hour, share in told.items() if share > 0), key=lambda hour: (-told[hour], hour))
    return {hour: hour in busiest[:PEAK_HOURS] if hour in told else None for hour in hours}
