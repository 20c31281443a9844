"""An AED or first-aid box: free while ready and in its cabinet."""

from datetime import UTC, date, datetime

from msgspec import UNSET, UnsetType

from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.known import Known
from gateway.model import Millis, Resource
from gateway.wire import Signals

DAY_MS = 86_400_000

WATCHED = True


class Shape(Signals, gc=False):
    ready: bool | UnsetType = UNSET
    expires: date | UnsetType = UNSET
    cabinet_open: bool | UnsetType = UNSET


class Value(Known):
    """`expires`: the end of the last good day."""

    __slots__ = ("expires",)

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.expires: Millis | None = None


def apply(known: Value, signals: Shape, now: Millis) -> bool:
    ready, expires, cabinet_open = signals.ready, signals.expires, signals.cabinet_open
    if expires is not UNSET:
        end = datetime(expires.year, expires.month, expires.day, tzinfo=UTC)
        known.expires = round(end.timestamp() * 1000) + DAY_MS
    if cabinet_open is not UNSET:
        known.use = "occupied" if cabinet_open else "free"
    elif ready is not UNSET and known.use == "unknown":
        known.use = "free"
    if ready is not UNSET:
        known.status = "ready" if ready else "not_ready"
    due(known, now)
    return ready is not UNSET or cabinet_open is not UNSET


repeats = never_repeats
event = no_event


def due(known: Value, now: Millis) -> Millis | None:
    """Out of date is out of order, on the day after the printed one."""
    end = known.expires
    known.status_fault = known.status == "not_ready" or (end is not None and now >= end)
    return end if end is not None and now < end else None
