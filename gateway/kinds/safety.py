"""An AED or first-aid box: free while ready and in its cabinet."""

from datetime import date

from msgspec import UNSET, UnsetType

from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.expiry import Expiring
from gateway.model import Millis
from gateway.wire import Signals

WATCHED = True


class Shape(Signals, gc=False):
    ready: bool | UnsetType = UNSET
    expires: date | UnsetType = UNSET
    cabinet_open: bool | UnsetType = UNSET


Value = Expiring


def apply(known: Expiring, signals: Shape, now: Millis) -> bool:
    ready, expires, cabinet_open = signals.ready, signals.expires, signals.cabinet_open
    known.printed(expires)
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


def due(known: Expiring, now: Millis) -> Millis | None:
    """Out of date is out of order, on the day after the printed one."""
    known.status_fault = known.status == "not_ready" or known.expired(now)
    return known.expires_after(now)
