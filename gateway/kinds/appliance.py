"""A microwave, water dispenser, massage chair: idle, running or out of order."""

from msgspec import UNSET, UnsetType

from config.kinds import SPECS
from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.declared import uses_of
from gateway.kinds.known import Known, use_of_status
from gateway.model import Millis
from gateway.wire import Code, Signals, Watts

USE_OF_STATUS = uses_of(SPECS["appliance"], "status")

WATCHED = False
Value = Known


class Shape(Signals, gc=False):
    status: Code | UnsetType = UNSET
    power_w: Watts | UnsetType = UNSET


def apply(known: Known, signals: Shape, now: Millis) -> bool:  # noqa: ARG001
    status, power_w = signals.status, signals.power_w
    if power_w is not UNSET:
        known.power_w = power_w
    if status is UNSET:
        return False
    known.status = status
    known.use = use_of_status(known, USE_OF_STATUS, status)
    known.status_fault = status == "fault"
    return True


repeats = never_repeats
event = no_event


def due(known: Known, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
