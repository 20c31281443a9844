"""A bank of lockers or a parking area: so many units, so many of them free."""

from msgspec import UNSET, UnsetType

from gateway.kinds.base import no_event
from gateway.kinds.known import Known
from gateway.model import Millis, Resource
from gateway.wire import Count, Signals

WATCHED = False


class Shape(Signals, gc=False):
    free: Count | UnsetType = UNSET
    total: Count | UnsetType = UNSET


class Value(Known):
    """`free` of `total` units."""

    __slots__ = ("free", "total")

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.free: int | None = None
        self.total: int | None = None


def apply(known: Value, signals: Shape, now: Millis) -> bool:  # noqa: ARG001
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


event = no_event


def due(known: Value, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
