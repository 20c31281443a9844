"""Honest utilisation: occupied ÷ known-open minutes, with what is not known beside it. Pure arithmetic on intervals.

Every moment of a resource is exactly one of five: occupied (also away, reserved, blocked), free, out of order (fault or
maintenance), closed (by hours, or not in service), unknown. Known-open is occupied + free. What is out of order is
known, but nobody could have used it, so it counts as neither.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.model import Axes, Millis
from gateway.store.base import Interval

HOUR_MS = 3_600_000
By = Literal["hour", "day", "hour_of_week"]
Part = Literal["occupied", "free", "broken", "closed", "unknown"]


@dataclass(slots=True)
class Minutes:
    """Milliseconds of each part, and how many times a resource became occupied."""

    occupied: Millis = 0
    free: Millis = 0
    broken: Millis = 0
    closed: Millis = 0
    unknown: Millis = 0
    sessions: int = 0

    def add(self, other: "Minutes") -> None:
        self.occupied += other.occupied
        self.free += other.free
        self.broken += other.broken
        self.closed += other.closed
        self.unknown += other.unknown
        self.sessions += other.sessions

    @property
    def known_open(self) -> Millis:
        return self.occupied + self.free

    @property
    def utilization(self) -> float | None:
        """0 to 1; None when nothing is known of any open minute."""
        return self.occupied / self.known_open if self.known_open else None

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


def measure(intervals: Iterable[Interval], start: Millis, end: Millis) -> Minutes:
    """What a resource's intervals add up to inside [start, end). Time that no interval covers is unknown."""
    total = Minutes()
    covered = 0
    before: Part | None = None
    for one in intervals:
        part = part_of(one.axes)
        length = min(one.end, end) - max(one.start, start)
        if length > 0:
            setattr(total, part, getattr(total, part) + length)
            covered += length
            # Coming back from unknown is no arrival: nobody saw one.
            total.sessions += part == "occupied" and before == "free" and one.start >= start
        before = part
    total.unknown += max(0, end - start - covered)
    return total


def hour_start(at: Millis, zone: ZoneInfo) -> Millis:
    """The full local hour at or before `at`."""
    local = _local(at, zone)
    return at - (local.minute * 60 + local.second) * 1000 - at % 1000


def day_start(at: Millis, zone: ZoneInfo) -> Millis:
    """The local midnight at or before `at`."""
    return min(at, _millis(_local(at, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)))


def next_day(at: Millis, zone: ZoneInfo) -> Millis:
    """The local midnight after `at`: 23 to 25 hours after the one before."""
    tomorrow = _local(at, zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return _millis(tomorrow.replace(tzinfo=zone))


def hour_of_week(at: Millis, zone: ZoneInfo) -> int:
    """0 is Monday from midnight to one o'clock."""
    local = _local(at, zone)
    return local.weekday() * 24 + local.hour


def pieces(start: Millis, end: Millis, zone: ZoneInfo, by: By) -> Iterator[tuple[Millis, Millis]]:
    """[start, end) cut at local midnights, or at full local hours."""
    at = start
    while at < end:
        until = next_day(at, zone) if by == "day" else hour_start(at, zone) + HOUR_MS
        until = min(until, end)
        yield at, until
        at = until


def bucket_of(at: Millis, zone: ZoneInfo, by: By) -> int:
    """What a moment is counted under: the start of its local day or hour, or its hour of the week."""
    if by == "day":
        return day_start(at, zone)
    return hour_start(at, zone) if by == "hour" else hour_of_week(at, zone)


def _local(at: Millis, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)


def _millis(moment: datetime) -> Millis:
    return round(moment.timestamp() * 1000)
