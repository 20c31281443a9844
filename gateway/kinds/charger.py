"""A charging point, told by OCPP 1.6 ChargePointStatus. Charged but still plugged in is occupied."""

from typing import Any

from msgspec import UNSET, UnsetType

from config.kinds import SPECS
from gateway.kinds.base import Facts, no_event, use_of_status
from gateway.kinds.declared import uses_of
from gateway.model import Millis
from gateway.wire import Code, Signals, WattHours, Watts

USE_OF_STATUS = uses_of(SPECS["charger"], "status")

WATCHED = False


class Shape(Signals, gc=False):
    status: Code | UnsetType = UNSET
    power_w: Watts | UnsetType = UNSET
    energy_wh: WattHours | UnsetType = UNSET
    error: Code | UnsetType = UNSET


def apply(facts: Facts, signals: Any, now: Millis) -> bool:
    status, power_w, energy_wh, error = signals.status, signals.power_w, signals.energy_wh, signals.error
    if power_w is not UNSET:
        facts.power_w = power_w
    if energy_wh is not UNSET and energy_wh != facts.energy_wh:
        if facts.energy_wh is not None and energy_wh > facts.energy_wh:
            facts.rose_at = now
        facts.energy_wh = energy_wh
    if error is not UNSET:
        facts.detail = None if error in ("", "NoError") else error
    if status is UNSET:
        return False
    facts.status = status
    facts.use = use_of_status(facts, USE_OF_STATUS, status)
    facts.status_fault = status == "Faulted"
    facts.degraded = facts.detail is not None and not facts.status_fault
    return True


event = no_event


def due(facts: Facts, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
