"""Kinds that are counted in units, a bank of lockers or a parking area: so many units, so many of them free."""

from typing import Any

from msgspec import UNSET

from config.kinds import KindSpec
from gateway.kinds.base import no_event
from gateway.kinds.declared import shape_of
from gateway.kinds.known import Known
from gateway.model import Millis, Resource


class Bank(Known):
    """A bank of units: `free` of `total` are free."""

    __slots__ = ("free", "total")

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.free: int | None = None
        self.total: int | None = None


class CountedUnits:
    """The rule of a kind whose declaration says `counted_in_units`, from its signals `free` and `total`."""

    WATCHED = False
    Value = Bank
    event = staticmethod(no_event)

    def __init__(self, spec: KindSpec) -> None:
        self.Shape = shape_of(spec)

    def apply(self, known: Bank, signals: Any, now: Millis) -> bool:  # noqa: ARG002
        free, total = signals.free, signals.total
        if total is not UNSET:
            known.total = total
            if known.free is not None:
                known.free = min(known.free, total)
        if free is UNSET:
            return False
        size = known.total if known.total is not None else known.resource.capacity
        known.free = free if size is None else min(free, size)
        known.use = "free" if known.free > 0 else "occupied"
        return True

    def repeats(self, known: Bank, signals: Any) -> bool:
        free, total = signals.free, signals.total
        if free is UNSET or free != known.free or (total is not UNSET and total != known.total):
            return False
        size = known.total if known.total is not None else known.resource.capacity
        return size is None or bool(free <= size)

    def due(self, known: Bank, now: Millis) -> Millis | None:  # noqa: ARG002
        return None
