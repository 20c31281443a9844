"""Supplies: free while something is left, blocked when nothing is, at fault from the day after they expire."""

from datetime import date
from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.expiry import Expiring
from gateway.kinds.known import use_of_status
from gateway.model import Millis, Use
from gateway.wire import Code, Count, Signals

LEVELS: dict[str, Use] = {"ok": "free", "low": "free", "out": "blocked"}

WATCHED = True


class Shape(Signals, gc=False):
    level: Code | UnsetType = UNSET
    count: Count | UnsetType = UNSET
    expires: date | UnsetType = UNSET


Value = Expiring


def apply(known: Expiring, signals: Any, now: Millis) -> bool:
    """Where a message says both, the count decides."""
    level, count, expires = signals.level, signals.count, signals.expires
    known.printed(expires)
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


def due(known: Expiring, now: Millis) -> Millis | None:
    """Out of date is out of order, on the day after the printed one."""
    known.status_fault = known.expired(now)
    return known.expires_after(now)
