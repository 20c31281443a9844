"""A room: full at its capacity; without a capacity, taken while anybody is in it."""

from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import Facts
from gateway.model import Millis
from gateway.wire import Count, Signals


class Shape(Signals, gc=False):
    people: Count | UnsetType = UNSET
    occupied: bool | UnsetType = UNSET


def apply(facts: Facts, signals: Any, now: Millis) -> bool:  # noqa: ARG001
    people, occupied = signals.people, signals.occupied
    if people is not UNSET:
        facts.people = people
        facts.use = "occupied" if people >= (facts.resource.capacity or 1) else "free"
    elif occupied is not UNSET:
        facts.use = "occupied" if occupied else "free"
    return people is not UNSET or occupied is not UNSET


def due(facts: Facts, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
