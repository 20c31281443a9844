"""A room: full at its capacity; without a capacity, taken while anybody is in it.

A sensor that counts says `people`. Where only passages are told (`card` events with a direction, from the device of its
door), we count ourselves: never below zero, and certain again on proof of emptiness (`people` 0, `occupied` false).
"""

from msgspec import UNSET, UnsetType

from gateway.base.bounds import NOBODY_COUNTED
from gateway.kinds.base import never_repeats
from gateway.kinds.known import Known
from gateway.model import Millis, Resource, Use
from gateway.policy.privacy import Public, coarse, level
from gateway.wire import Count, Event, Hold, Signals

PASSAGES_A_MISCOUNT = 25
"""Two through the door on one card, one who turns round: so many passages widen the bound by one person."""

LEAST_OF_ONES = min(NOBODY_COUNTED)
WATCHED = False


class Shape(Signals, gc=False):
    people: Count | UnsetType = UNSET
    occupied: bool | UnsetType = UNSET
    hold_s: Hold | UnsetType = UNSET  # `occupied` means nobody after so many seconds without news


class Value(Known):
    """`seen_at`: when anybody was last in it, `entered_at`: when it was last empty no more; `passages`: since the count
    was last certain; `public`: the count as the public sees it, `level` its word; `off_at`: when a sensor that only
    says "somebody" means nobody.
    """

    __slots__ = ("entered_at", "ins", "level", "off_at", "outs", "passages", "people", "public", "seen_at")

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.people: int | None = None
        self.seen_at: Millis | None = None
        self.entered_at: Millis | None = None
        self.ins = self.outs = self.passages = 0
        self.public: Public | None = None
        self.level: str | None = None
        self.off_at: Millis | None = None

    def guard(self, public: Public) -> None:
        self.public = public


def apply(known: Value, signals: Shape, now: Millis) -> bool:
    people, occupied = signals.people, signals.occupied
    if people is UNSET and occupied is UNSET:
        return False
    hold_s = signals.hold_s if occupied is True else UNSET
    known.off_at = None if hold_s is UNSET else now + round(hold_s * 1000)
    if people is not UNSET and people >= LEAST_OF_ONES and people in NOBODY_COUNTED:
        _not_known(known)
        return True
    if people is not UNSET:
        known.people, known.passages = people, 0
    elif not occupied:
        known.people, known.passages = 0, 0
    elif not (known.ins or known.outs):
        known.people = None  # somebody, and nobody counts
    elif known.people is not None:
        known.people = max(known.people, 1)
    _present(known, occupied is True or (known.people or 0) > 0, now)
    return True


repeats = never_repeats


def event(known: Value, event: Event, now: Millis) -> bool:
    """Count a passage. It tells a value only where a proof of emptiness gave a number to count from."""
    if event.type != "card" or event.granted is False or event.direction is UNSET:
        return False
    inwards = event.direction == "in"
    known.ins += inwards
    known.outs += not inwards
    if known.people is None:
        return False
    known.people = max(0, known.people + (1 if inwards else -1))
    known.passages += 1
    _present(known, known.people > 0, now)
    return True


def bounds(known: Value) -> tuple[int, int | None]:
    """How many people are in it, at least and at most; None: no upper end."""
    if known.people is None:
        return (1 if known.status == "occupied" else 0), None
    error = known.passages // PASSAGES_A_MISCOUNT
    return max(0, known.people - error), known.people + error


def _present(known: Value, anybody: bool, now: Millis) -> None:
    if anybody or known.status == "occupied":
        known.seen_at = now
    if anybody and known.status == "empty":
        known.entered_at = now
    known.status = "occupied" if anybody else "empty"
    if known.resource.privacy != "coarse":  # else `due` tells what the public may know
        known.use = _use(known)


def _not_known(known: Value) -> None:
    known.people, known.passages, known.status = None, 0, "unknown"
    if known.resource.privacy != "coarse":
        known.use = "unknown"


def _use(known: Value) -> Use:
    low, high = bounds(known)
    size = known.resource.capacity
    if size is None or known.people is None:  # who can't count can't tell a few from a crowd
        return "occupied" if low > 0 else "free" if high == 0 else "unknown"
    return "occupied" if low >= size else "free" if high is not None and high < size else "unknown"


def due(known: Value, now: Millis) -> Millis | None:
    """Publish the count of the last tick; the next tick is when that may change."""
    off_at = known.off_at
    if off_at is not None and now >= off_at:
        apply(known, Shape(occupied=False), off_at)
        off_at = None
    public = known.public
    if public is None or known.status is None:  # nothing was told yet
        return off_at
    public.put(known.people, now)
    band, size = public.at(now), known.resource.capacity
    if known.resource.privacy == "coarse":
        known.level, known.use = coarse(band, size)
    else:
        known.level = None if band is None or size is None else level(band, size)
    tick = public.next_tick(now)
    return tick if off_at is None else min(tick, off_at)
