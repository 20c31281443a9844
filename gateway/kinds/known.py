"""What the messages of one resource say of its value. Its kind alone writes it; every room may read it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from gateway.model import Health, Millis, Resource, Use
from gateway.policy.personal import without_personal_numbers
from gateway.policy.privacy import Public


class Counters(Counter[str]):
    """Totals of the live state; in `words` what devices say that nobody knows, as `station/device status 'word'`."""

    MOST = 1_000

    def __init__(self, totals: Mapping[str, int] | None = None) -> None:
        super().__init__(totals or {})
        self.words: Counter[str] = Counter()

    def not_understood(self, resource: Resource, word: str) -> None:
        """Counted; a flood of words is named no further."""
        self["unknown_status"] += 1
        named = f"{resource.station}/{resource.device} status {without_personal_numbers(word[:64])!r}"
        if named in self.words or len(self.words) < self.MOST:
            self.words[named] += 1


_NOBODYS = Counters()
"""The counters of resources outside of any live state: nobody reads them, and one each for 100,000 would slow a
start."""


class Known:
    """What every kind knows. A kind that knows more has a class of its own, with a slot for each further value.

    `use` is what the evidence says, for a coarse room what the public may know of it; `fault` and `status_fault` latch
    until evidence clears them; `status` is as the device said it. Times in ms.
    """

    __slots__ = (
        "battery_pct", "counters", "degraded", "detail", "fault", "power_w", "resource", "status", "status_fault",
        "use",
    )  # fmt: skip

    # What only some kinds know, so that everybody may ask anything of any: nothing known. Writing it is an
    # AttributeError where the kind has no slot for it.
    away_until: Millis | None = None
    bolt: bool | None = None
    bolt_at: Millis | None = None
    energy_wh: float | None = None
    entered_at: Millis | None = None
    expires: Millis | None = None
    free: int | None = None
    ins: int = 0
    leaf: bool | None = None
    leaf_at: Millis | None = None
    level: str | None = None
    measured: Mapping[str, tuple[float, Millis]] | None = None
    moved_at: Millis | None = None
    off_at: Millis | None = None
    outs: int = 0
    passages: int = 0
    people: int | None = None
    public: Public | None = None
    reads_cards: bool = False
    relocks: int = 0
    relocks_at: Millis | None = None
    rose_at: Millis | None = None
    seen_at: Millis | None = None
    total: int | None = None
    unlocked_at: Millis | None = None

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.counters = _NOBODYS  # those of the live state, once it is in one
        self.use: Use = "unknown"
        self.fault: str | None = None
        self.status_fault = False
        self.degraded = False
        self.status: str | None = None
        self.detail: str | None = None
        self.battery_pct: float | None = None
        self.power_w: float | None = None

    @property
    def locks_itself(self) -> bool:
        """It locks behind everybody, so that it is locked says nothing."""
        return False

    @property
    def health(self) -> Health:
        if self.fault is not None or self.status_fault:
            return "fault"
        return "degraded" if self.degraded else "ok"

    @property
    def trouble(self) -> str | None:
        """The code that its device gives for what is wrong, as it goes to alerts: without numbers of persons."""
        code = self.fault or self.detail
        return None if code is None else without_personal_numbers(code)

    def count_in(self, counters: Counters) -> None:
        """Where words that nobody knows are counted."""
        self.counters = counters

    def guard(self, public: Public) -> None:
        """What the public may see of people, for kinds that count them; the others tell of none."""


def common(known: Known, signals: Any) -> bool:
    """Signals of any kind: a fault code latches until an empty one clears it. True when the battery is another."""
    fault: str | UnsetType = signals.fault
    if fault is not UNSET:
        known.fault = fault or None
    battery: float | UnsetType = signals.battery_pct
    if battery is UNSET or battery == known.battery_pct:
        return False
    known.battery_pct = battery
    return True


def use_of_status(known: Known, table: Mapping[str, Use], status: str) -> Use:
    """A word of a vendor's own is kept as it is, counted, and means: not known."""
    use = table.get(status)
    if use is None:
        known.counters.not_understood(known.resource, status)
        return "unknown"
    return use


_slots: dict[type[Known], tuple[str, ...]] = {}


def slots_of(known: type[Known]) -> tuple[str, ...]:
    """The attributes that the kind itself may write."""
    slots = _slots.get(known)
    if slots is None:
        slots = _slots[known] = tuple(slot for base in known.__mro__ for slot in getattr(base, "__slots__", ()))
    return slots
