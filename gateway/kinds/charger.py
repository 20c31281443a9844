"""A charging point, told by OCPP 1.6 ChargePointStatus. Charged but still plugged in is occupied."""

from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import Facts
from gateway.model import Millis, Use
from gateway.wire import Code, Number, Signals

USE_OF_STATUS: dict[str, Use] = {
    "Available": "free",
    "Preparing": "occupied",
    "Charging": "occupied",
    "SuspendedEVSE": "occupied",
    "SuspendedEV": "occupied",
    "Finishing": "occupied",
    "Reserved": "reserved",
    "Unavailable": "blocked",  # set inoperative by its operator
    "Faulted": "unknown",
}


class Shape(Signals, gc=False):
    status: Code | UnsetType = UNSET
    power_w: Number | UnsetType = UNSET
    energy_wh: Number | UnsetType = UNSET
    error: Code | UnsetType = UNSET


def apply(facts: Facts, signals: Any, now: Millis) -> bool:  # noqa: ARG001
    status, power_w, error = signals.status, signals.power_w, signals.error
    if power_w is not UNSET:
        facts.power_w = power_w
    if error is not UNSET:
        facts.detail = None if error in ("", "NoError") else error
    if status is UNSET:
        return False
    facts.status = status
    facts.use = USE_OF_STATUS.get(status, "unknown")  # a vendor's own word is kept raw and means: not known
    facts.status_fault = status == "Faulted"
    facts.degraded = facts.detail is not None and not facts.status_fault
    return True


def due(facts: Facts, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
