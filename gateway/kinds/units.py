"""A bank of lockers or a parking area: so many units, so many of them free."""

from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import Facts, no_event
from gateway.model import Millis
from gateway.wire import Count, Signals

WATCHED = False


class Shape(Signals, gc=False):
    free: Count | UnsetType = UNSET
    total: Count | UnsetType = UNSET


def apply(facts: Facts, signals: Any, now: Millis) -> bool:  # noqa: ARG001
    free, total = signals.free, signals.total
    if total is not UNSET:
        facts.total = total
        if facts.free is not None:
            facts.free = min(facts.free, total)
    if free is UNSET:
        return False
    size = facts.total if facts.total is not None else facts.resource.capacity
    facts.free = free if size is None else min(free, size)
    facts.use = "free" if facts.free > 0 else "occupied"
    return True


event = no_event


def due(facts: Facts, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
