"""A microwave, water dispenser, massage chair: idle, running or out of order."""

from typing import Any

from msgspec import UNSET, UnsetType

from config.kinds import SPECS
from gateway.kinds.base import Facts, no_event, use_of_status
from gateway.kinds.declared import uses_of
from gateway.model import Millis
from gateway.wire import Code, Signals, Watts

USE_OF_STATUS = uses_of(SPECS["appliance"], "status")

WATCHED = False


class Shape(Signals, gc=False):
    status: Code | UnsetType = UNSET
    power_w: Watts | UnsetType = UNSET


def apply(facts: Facts, signals: Any, now: Millis) -> bool:  # noqa: ARG001
    status, power_w = signals.status, signals.power_w
    if power_w is not UNSET:
        facts.power_w = power_w
    if status is UNSET:
        return False
    facts.status = status
    facts.use = use_of_status(facts, USE_OF_STATUS, status)
    facts.status_fault = status == "fault"
    return True


event = no_event


def due(facts: Facts, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
