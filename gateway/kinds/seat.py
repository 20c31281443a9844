"""A seat: somebody sits there or nobody does. Short absences keep it `away` before it is free."""

from typing import Any

from msgspec import UNSET, UnsetType

from gateway.kinds.base import Facts, no_event
from gateway.model import Millis
from gateway.wire import Hold, Signals

WATCHED = False


class Shape(Signals, gc=False):
    occupied: bool | UnsetType = UNSET
    hold_s: Hold | UnsetType = UNSET  # `occupied` means nobody after so many seconds without news


def apply(facts: Facts, signals: Any, now: Millis) -> bool:
    occupied = signals.occupied
    if occupied is UNSET:
        return False
    facts.off_at = now + round(signals.hold_s * 1000) if occupied and signals.hold_s is not UNSET else None
    if occupied:
        facts.use, facts.away_until = "occupied", None
    elif facts.use == "occupied" and facts.resource.away_ms:
        facts.use, facts.away_until = "away", now + facts.resource.away_ms
    elif facts.use != "away":
        facts.use = "free"
    return True


NOBODY = Shape(occupied=False)
event = no_event


def due(facts: Facts, now: Millis) -> Millis | None:
    if facts.off_at is not None:
        if now < facts.off_at:
            return facts.off_at
        apply(facts, NOBODY, facts.off_at)
    if facts.away_until is not None and now >= facts.away_until:
        facts.away_until = None
        if facts.use == "away":
            facts.use = "free"
    return facts.away_until
