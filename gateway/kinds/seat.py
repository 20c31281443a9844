"""A seat: somebody sits there or nobody does. Short absences keep it `away` before it is free."""

from msgspec import UNSET, UnsetType

from gateway.kinds.base import no_event
from gateway.kinds.known import Known
from gateway.model import Millis, Resource
from gateway.wire import Hold, Signals

WATCHED = False


class Shape(Signals, gc=False):
    occupied: bool | UnsetType = UNSET
    hold_s: Hold | UnsetType = UNSET  # `occupied` means nobody after so many seconds without news


class Value(Known):
    """`off_at`: when a sensor that only says "somebody" means nobody; `away_until`: when it is free."""

    __slots__ = ("away_until", "off_at")

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.away_until: Millis | None = None
        self.off_at: Millis | None = None


def apply(known: Value, signals: Shape, now: Millis) -> bool:
    occupied = signals.occupied
    if occupied is UNSET:
        return False
    known.off_at = now + round(signals.hold_s * 1000) if occupied and signals.hold_s is not UNSET else None
    if occupied:
        known.use, known.away_until = "occupied", None
    elif known.use == "occupied" and known.resource.away_ms:
        known.use, known.away_until = "away", now + known.resource.away_ms
    elif known.use != "away":
        known.use = "free"
    return True


def repeats(known: Value, signals: Shape) -> bool:
    occupied = signals.occupied
    if occupied is UNSET or known.off_at is not None or signals.hold_s is not UNSET:
        return False
    return known.use == ("occupied" if occupied else "free")


NOBODY = Shape(occupied=False)
event = no_event


def due(known: Value, now: Millis) -> Millis | None:
    if known.off_at is not None:
        if now < known.off_at:
            return known.off_at
        apply(known, NOBODY, known.off_at)
    if known.away_until is not None and now >= known.away_until:
        known.away_until = None
        if known.use == "away":
            known.use = "free"
    return known.away_until
