"""An AED or first-aid box: free while ready and in its cabinet."""

from datetime import UTC, date, datetime
from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import Facts, no_event
from gateway.model import Millis
from gateway.wire import Signals

DAY_MS = 86_400_000

WATCHED = True


class Shape(Signals, gc=False):
    ready: bool | UnsetType = UNSET
    expires: date | UnsetType = UNSET
    cabinet_open: bool | UnsetType = UNSET


def apply(facts: Facts, signals: Any, now: Millis) -> bool:
    ready, expires, cabinet_open = signals.ready, signals.expires, signals.cabinet_open
    if expires is not UNSET:
        end = datetime(expires.year, expires.month, expires.day, tzinfo=UTC)
        facts.expires = round(end.timestamp() * 1000) + DAY_MS
    if cabinet_open is not UNSET:
        facts.use = "occupied" if cabinet_open else "free"
    elif ready is not UNSET and facts.use == "unknown":
        facts.use = "free"
    if ready is not UNSET:
        facts.status = "ready" if ready else "not_ready"
    due(facts, now)
    return ready is not UNSET or cabinet_open is not UNSET


event = no_event


def due(facts: Facts, now: Millis) -> Millis | None:
    """Out of date is out of order, on the day after the printed one."""
    end = facts.expires
    facts.status_fault = facts.status == "not_ready" or (end is not None and now >= end)
    return end if end is not None and now < end else None
