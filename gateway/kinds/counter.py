"""A counter of people at an entrance. Its totals are read from the journal; here is only what can be seen of it now."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.base import bounds
from gateway.kinds.base import never_repeats
from gateway.kinds.known import Known
from gateway.model import Millis, Resource
from gateway.wire import Event, Signals

WATCHED = False
Total = Annotated[int, Meta(ge=bounds.TOTAL[0], le=bounds.TOTAL[1])]


class Shape(Signals, gc=False):
    """Totals of people since the device began to count."""

    ins: Total | UnsetType = msgspec.field(name="in", default=UNSET)
    outs: Total | UnsetType = msgspec.field(name="out", default=UNSET)


class Value(Known):
    """`ins`: the total inwards as last told; `entered_at`: when somebody last came in."""

    __slots__ = ("entered_at", "ins")

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.ins = -1  # none told yet
        self.entered_at: Millis | None = None


def apply(known: Value, signals: Shape, now: Millis) -> bool:
    ins = signals.ins
    if ins is UNSET and signals.outs is UNSET:
        return False
    known.use = "free"
    if ins is not UNSET:
        if 0 <= known.ins < ins:  # a smaller total is a device that began anew
            known.entered_at = now
        known.ins = ins
    return True


repeats = never_repeats


def event(known: Value, event: Event, now: Millis) -> bool:
    """Take up that somebody passed; whether the event was of use."""
    if event.type != "passage":
        return False
    known.use = "free"
    if event.direction == "in":
        known.entered_at = now
    return True


def due(known: Value, now: Millis) -> Millis | None:  # noqa: ARG001
    return None
