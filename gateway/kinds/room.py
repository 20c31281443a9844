"""A room: full at its capacity; without a capacity, taken while anybody is in it.

A sensor that counts says `people`. Where only passages are told (`card` events with a direction, from the device of its
door), we count ourselves: never below zero, and certain again on proof of emptiness (`people` 0, `occupied` false).
"""

from typing import Any

from msgspec import UNSET, UnsetType

from gateway.base.bounds import NOBODY_COUNTED
from gateway.kinds.base import Facts
from gateway.model import Millis, Use
from gateway.policy.privacy import coarse, level
from gateway.wire import Count, Event, Hold, Signals

PASSAGES_A_MISCOUNT = 25
"""Two through the door on one card, one who turns round: so many passages widen the bound by one person."""

WATCHED = False


class Shape(Signals, gc=False):
    people: Count | UnsetType = UNSET
    occupied: bool | UnsetType = UNSET
    hold_s: Hold | UnsetType = UNSET  # `occupied` means nobody after so many seconds without news


def apply(facts: Facts, signals: Any, now: Millis) -> bool:
    people, occupied = signals.people, signals.occupied
    if people is UNSET and occupied is UNSET:
        return False
    held = occupied is True and signals.hold_s is not UNSET
    facts.off_at = now + round(signals.hold_s * 1000) if held else None
    if people in NOBODY_COUNTED:
        _not_known(facts)
        return True
    if people is not UNSET:
        facts.people, facts.passages = people, 0
    elif not occupied:
        facts.people, facts.passages = 0, 0
    elif not (facts.ins or facts.outs):
        facts.people = None  # somebody, and nobody counts
    elif facts.people is not None:
        facts.people = max(facts.people, 1)
    _present(facts, occupied is True or (facts.people or 0) > 0, now)
    return True


def event(facts: Facts, event: Event, now: Millis) -> bool:
    """Count a passage. It tells a value only where a proof of emptiness gave a number to count from."""
    if event.type != "card" or event.granted is False or event.direction is UNSET:
        return False
    inwards = event.direction == "in"
    facts.ins += inwards
    facts.outs += not inwards
    if facts.people is None:
        return False
    facts.people = max(0, facts.people + (1 if inwards else -1))
    facts.passages += 1
    _present(facts, facts.people > 0, now)
    return True


def bounds(facts: Facts) -> tuple[int, int | None]:
    """How many people are in it, at least and at most; None: no upper end."""
    if facts.people is None:
        return (1 if facts.status == "occupied" else 0), None
    error = facts.passages // PASSAGES_A_MISCOUNT
    return max(0, facts.people - error), facts.people + error


def _present(facts: Facts, anybody: bool, now: Millis) -> None:
    if anybody or facts.status == "occupied":
        facts.seen_at = now
    facts.status = "occupied" if anybody else "empty"
    if facts.resource.privacy != "coarse":  # else `due` tells what the public may know
        facts.use = _use(facts)


def _not_known(facts: Facts) -> None:
    facts.people, facts.passages, facts.status = None, 0, None
    if facts.resource.privacy != "coarse":
        facts.use = "unknown"


def _use(facts: Facts) -> Use:
    low, high = bounds(facts)
    size = facts.resource.capacity
    if size is None or facts.people is None:  # who can't count can't tell a few from a crowd
        return "occupied" if low > 0 else "free" if high == 0 else "unknown"
    return "occupied" if low >= size else "free" if high is not None and high < size else "unknown"


def due(facts: Facts, now: Millis) -> Millis | None:
    """Publish the count of the last tick; the next tick is when that may change."""
    off_at = facts.off_at
    if off_at is not None and now >= off_at:
        apply(facts, Shape(occupied=False), off_at)
        off_at = None
    public = facts.public
    if public is None or not facts.heard:
        return off_at
    public.put(facts.people, now)
    band, size = public.at(now), facts.resource.capacity
    if facts.resource.privacy == "coarse":
        facts.level, facts.use = coarse(band, size)
    else:
        facts.level = None if band is None or size is None else level(band, size)
    tick = public.next_tick(now)
    return tick if off_at is None else min(tick, off_at)
