"""What a kind of resource must say of itself, and the slotted object in which its present facts live."""

from typing import Any, Protocol

from msgspec import UNSET, Struct, UnsetType

from gateway.model import AXES, Access, Axes, Evidence, Health, Millis, Resource, Use

NEVER = AXES[3]  # active, ok, open, free, never: replaced before anybody sees it


class Facts:
    """What is known of one resource now. The pipeline's thread mutates it; nobody else sees it.

    `use` is what the evidence says; `fault` and `status_fault` latch until evidence clears them. Times in ms.
    """

    __slots__ = (
        "access",
        "alarm",
        "away_until",
        "axes",
        "degraded",
        "detail",
        "effect",
        "evidence",
        "expires",
        "fault",
        "free",
        "heard",
        "holds_until",
        "kind",
        "observed_at",
        "offline",
        "people",
        "power_w",
        "renew_at",
        "resource",
        "since",
        "station",
        "status",
        "status_fault",
        "suspect",
        "total",
        "ttl_ms",
        "use",
        "valid_until",
    )  # fmt: skip

    def __init__(self, resource: Resource, kind: "Kind") -> None:
        self.resource = resource
        self.kind = kind
        self.station: Any = None  # the live station that shows it
        self.ttl_ms = resource.ttl_ms
        self.use: Use = "unknown"
        self.evidence: Evidence = "never"
        self.access: Access = "open"
        self.holds_until: Millis | None = None  # when its hours, or what is set by hand, may change
        self.axes: Axes = NEVER
        self.fault: str | None = None
        self.status_fault = False
        self.degraded = False
        self.effect: Any = None  # what is set by hand; None for nothing
        self.suspect: str | None = None
        self.offline = False
        self.observed_at: Millis | None = None
        self.valid_until: Millis | None = None
        self.heard = False  # a value came at least once
        self.renew_at: Millis = 0  # a message after this has the document made again
        self.alarm: Millis | None = None  # when the heap will look at it next
        self.since: Millis | None = None
        self.away_until: Millis | None = None
        self.status: str | None = None
        self.detail: str | None = None
        self.power_w: float | None = None
        self.people: int | None = None
        self.free: int | None = None
        self.total: int | None = None
        self.expires: Millis | None = None

    @property
    def health(self) -> Health:
        if self.fault is not None or self.status_fault:
            return "fault"
        return "degraded" if self.degraded else "ok"


# What a snapshot keeps of Facts: everything that evidence made; axes, access and maintenance are decided anew.
KEPT = (
    "use", "heard", "fault", "status_fault", "degraded", "suspect", "offline", "observed_at", "valid_until", "since",
    "away_until", "status", "detail", "power_w", "people", "free", "total", "expires",
)  # fmt: skip


class Kind(Protocol):
    """One file per kind. `Shape` is the payload (wire.Signals plus its own); `apply` turns it into facts."""

    @property
    def Shape(self) -> type[Struct]: ...  # noqa: N802

    def apply(self, facts: Facts, signals: Any, now: Millis, /) -> bool:
        """Take over what the message says. True when it carries the resource's value, not just a heartbeat."""
        ...

    def due(self, facts: Facts, now: Millis, /) -> Millis | None:
        """Let the kind's own timers fire; the next time to be called, None for no timer."""
        ...


def common(facts: Facts, signals: Any) -> None:
    """Signals of any kind: a fault code latches until an empty one clears it."""
    fault: str | UnsetType = signals.fault
    if fault is not UNSET:
        facts.fault = fault or None
