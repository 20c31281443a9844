"""A charging point, told by OCPP 1.6 ChargePointStatus. Charged but still plugged in is occupied."""

from msgspec import UNSET, UnsetType

from config.kinds import SPECS
from gateway.kinds.base import never_repeats, no_event
from gateway.kinds.declared import uses_of
from gateway.kinds.known import Known, use_of_status
from gateway.model import Millis, Resource
from gateway.wire import Code, Signals, WattHours, Watts

USE_OF_STATUS = uses_of(SPECS["charger"], "status")

WATCHED = False


class Shape(Signals, gc=False):
    status: Code | UnsetType = UNSET
    power_w: Watts | UnsetType = UNSET
    energy_wh: WattHours | UnsetType = UNSET
    error: Code | UnsetType = UNSET


class Value(Known):
    """`rose_at`: when its energy register last rose."""

    __slots__ = ("energy_wh", "rose_at")

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.energy_wh: float | None = None
        self.rose_at: Millis | None = None


def apply(known: Value, signals: Shape, now: Millis) -> bool:
    status, power_w, energy_wh, error = signals.status, signals.power_w, signals.energy_wh, signals.error
    if power_w is not UNSET:
        known.power_w = power_w
    if energy_wh is not UNSET and energy_wh != known.energy_wh:
        if known.energy_wh is not None and energy_wh > known.energy_wh:
            known.rose_at = now
        known.energy_wh = energy_wh
    if error is not UNSET:
        known.detail = None if error in ("", "NoError") else error
    if status is UNSET:
        return False
    known.status = status
    known.use = use_of_status(known, USE_OF_STATUS, status)
    known.status_fault = status == "Faulted"
    known.degraded = known.detail is not None and not known.status_fault
    return True


repeats = never_repeats
event = no_event


def due(known: Value, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
