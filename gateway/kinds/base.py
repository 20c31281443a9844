"""What a kind of resource must say of itself, and the slotted object in which its present facts live."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import UNSET, Struct, UnsetType

from gateway.kinds.doubt import Doubt
from gateway.model import AXES, Access, Axes, Health, Millis, Resource, Use
from gateway.policy.override import Effect
from gateway.policy.personal import without_personal_numbers
from gateway.policy.privacy import Public
from gateway.wire import Event

NEVER = AXES[3]  # active, ok, open, free, never: replaced before anybody sees it


class Facts:
    """What is known of one resource now. The pipeline's thread mutates it; nobody else sees it.

    `use` is what the evidence says, for a coarse room what the public may know of it; `fault` and `status_fault` latch
    until evidence clears them. Times in ms.
    """

    __slots__ = (
        "access",
        "alarm",
        "away_until",
        "axes",
        "battery_pct",
        "booked",
        "counters",
        "degraded",
        "detail",
        "doubt",
        "effect",
        "energy_wh",
        "expires",
        "fault",
        "free",
        "heard",
        "holds_until",
        "ins",
        "kind",
        "level",
        "lifecycle",
        "observed_at",
        "off_at",
        "offline_at",
        "outs",
        "passages",
        "people",
        "power_w",
        "public",
        "renew_at",
        "resource",
        "rose_at",
        "seen_at",
        "since",
        "status",
        "status_fault",
        "step_ms",
        "total",
        "ttl_ms",
        "unreadable",
        "use",
        "valid_until",
        "watched_since",
    )  # fmt: skip

    def __init__(self, resource: Resource, kind: "Kind") -> None:
        self.resource = resource
        self.kind = kind
        self.counters: Counter[str] = Counter()  # those of the live state, once it is in one
        self.lifecycle, self.ttl_ms = resource.lifecycle, resource.ttl_ms
        self.step_ms: Millis = 1  # `valid_until` is rounded down to it
        self.use: Use = "unknown"
        self.access: Access = "open"
        self.holds_until: Millis | None = None  # when its hours, or what is set by hand, may change
        self.axes: Axes = NEVER
        self.fault: str | None = None
        self.status_fault = False
        self.degraded = False
        self.effect: Effect | None = None  # what is set by hand; None for nothing
        self.booked = False  # an activity keeps it reserved
        self.offline_at: Millis | None = None  # from when on its device counts as gone
        self.observed_at: Millis | None = None
        self.valid_until: Millis | None = None
        self.heard = False  # a value came at least once
        self.unreadable = False  # its value could not be read when it was last told
        self.off_at: Millis | None = None  # when a sensor that only says "somebody" means nobody
        self.renew_at: Millis = 0  # a message after this has the document made again
        self.alarm: Millis | None = None  # when the heap will look at it next
        self.since: Millis | None = None
        # ---- values of its kind
        self.away_until: Millis | None = None
        self.status: str | None = None  # as the device said it
        self.detail: str | None = None
        self.battery_pct: float | None = None
        self.power_w: float | None = None
        self.energy_wh: float | None = None
        self.rose_at: Millis | None = None  # when its energy register last rose
        self.people: int | None = None
        self.seen_at: Millis | None = None  # when anybody was last in a room, or at a door
        self.watched_since: Millis | None = None  # since when its evidence is live without a gap
        self.ins = 0
        self.outs = 0
        self.passages = 0  # since the count was last certain
        self.public: Public | None = None  # a room's count as the public sees it
        self.level: str | None = None
        self.free: int | None = None
        self.total: int | None = None
        self.expires: Millis | None = None
        self.doubt = Doubt()

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


# What a snapshot keeps of Facts: everything that evidence made; axes, access and maintenance are decided anew.
# Snapshots hold the values alone, so a new name goes to the end.
KEPT = (
    "use", "heard", "fault", "status_fault", "degraded", "doubt.suspect", "offline_at", "observed_at", "valid_until",
    "since", "away_until", "status", "detail", "battery_pct", "power_w", "energy_wh", "people", "ins", "outs",
    "passages", "free", "total", "expires", "doubt.was", "doubt.moved_at", "doubt.flips", "doubt.mark", "doubt.reason",
    "doubt.since", "seen_at", "watched_since", "unreadable", "off_at", "rose_at", "doubt.verdict",
)  # fmt: skip
MOMENTS = ("observed_at", "valid_until", "away_until", "since", "offline_at", "doubt.moved_at", "doubt.since",
           "seen_at", "watched_since", "off_at", "rose_at")  # fmt: skip
"""Times of ours in Facts: they move along when the clock is set."""


def put(facts: Facts, name: str, value: object) -> None:
    """Set a value by the name that it has in KEPT."""
    owner, _, slot = name.rpartition(".")
    setattr(getattr(facts, owner) if owner else facts, slot, value)


class Kind(Protocol):
    """One file per kind. `Shape` is the payload (wire.Signals plus its own); `apply` turns it into facts."""

    @property
    def Shape(self) -> type[Struct]: ...  # noqa: N802

    @property
    def WATCHED(self) -> bool:  # noqa: N802
        """Whether an alert may follow from its values themselves, not only from its axes or a battery."""
        ...

    def apply(self, facts: Facts, signals: Any, now: Millis, /) -> bool:
        """Take over what the message says. True when it carries the resource's value, not just a heartbeat."""
        ...

    def event(self, facts: Facts, event: Event, now: Millis, /) -> bool:
        """Take over what happened. True when it tells the resource's value."""
        ...

    def due(self, facts: Facts, now: Millis, /) -> Millis | None:
        """Let the kind's own timers fire; the next time to be called, None for no timer."""
        ...


def common(facts: Facts, signals: Any) -> bool:
    """Signals of any kind: a fault code latches until an empty one clears it. True when the battery is another."""
    fault: str | UnsetType = signals.fault
    if fault is not UNSET:
        facts.fault = fault or None
    battery: float | UnsetType = signals.battery_pct
    if battery is UNSET or battery == facts.battery_pct:
        return False
    facts.battery_pct = battery
    return True


def use_of_status(facts: Facts, table: Mapping[str, Use], status: str) -> Use:
    """A word of a vendor's own is kept as it is, counted, and means: not known."""
    use = table.get(status)
    if use is None:
        facts.counters["unknown_status"] += 1
        return "unknown"
    return use


def no_event(facts: Facts, event: Event, now: Millis) -> bool:  # noqa: ARG001
    """For kinds whose value no event tells."""
    return False
