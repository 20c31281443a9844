"""Supplies: free while something is left, blocked when nothing is, at fault from the day after they expire."""

from datetime import UTC, date, datetime
from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.known import Known, use_of_status
from gateway.model import Millis, Resource, Use
from gateway.wire import Code, Count, Signals

DAY_MS = 86_400_000
LEVELS: dict[str, Use] = {"ok": "free", "low": "free", "out": "blocked"}

WATCHED = True


class Shape(Signals, gc=False):
    level: Code | UnsetType = UNSET
    count: Count | UnsetType = UNSET
    expires: date | UnsetType = UNSET


class Value(Known):
    """`expires`: the end of the last good day."""

    __slots__ = ("expires",)

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.expires: Millis | None = None


def apply(known: Value, signals: Any, now: Millis) -> bool:
    """Where a message says both, the count decides."""
    level, count, expires = signals.level, signals.count, signals.expires
    if expires is not UNSET:
        end = datetime(expires.year, expires.month, expires.day, tzinfo=UTC)
        known.expires = round(end.timestamp() * 1000) + DAY_MS
    if count is not UNSET:
        known.status = "ok" if count else "out"
        known.use = LEVELS[known.status]
    elif level is not UNSET:
        known.status = level
        known.use = use_of_status(known, LEVELS, level)
    due(known, now)
    return count is not UNSET or level is not UNSET


repeats = never_repeats
event = no_event


def due(known: Value, now: Millis) -> Millis | None:
    """Out of date is out of order, on the day after the printed one."""
    end = known.expires
    known.status_fault = end is not None and now >= end
    return end if end is not None and now < end else None
