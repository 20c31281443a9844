"""The words of the house: what crosses from one room to another. Standard library only.

Every time is an `int`: milliseconds since 1970-01-01 UTC (`_ms` is implied by the type `Millis`).
Text for people never lives here; `because` holds reason codes in the order of `REASONS`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from itertools import product
from typing import Literal, NamedTuple

Millis = int

Usable = Literal["yes", "no", "unknown"]
Lifecycle = Literal["planned", "active", "removed"]
Health = Literal["ok", "degraded", "fault", "maintenance"]
Access = Literal["open", "closed", "staff_only", "unknown"]
Use = Literal["free", "away", "occupied", "reserved", "blocked", "unknown"]
Evidence = Literal["live", "stale", "offline", "never", "suspect"]
Topic = Literal["state", "event", "availability"]
StoredTopic = Literal["state", "event", "availability", "check"]
"""What stands in the journal; a check is what a person said, and `device` is its name then."""
KindName = str  # one of config.kinds.NAMES
Reporting = Literal["periodic", "on_change"]
Signal = bool | int | float | str


class InvariantError(BaseException):
    """Something that this house itself promises does not hold: the one error after which the process must not go on.

    Whatever else is raised while one input is handled costs that input alone. It is no Exception, so that nothing that
    contains those takes it.
    """


# Append only: the position is what history stores.
LIFECYCLES: tuple[Lifecycle, ...] = ("planned", "active", "removed")
HEALTHS: tuple[Health, ...] = ("ok", "degraded", "fault", "maintenance")
ACCESSES: tuple[Access, ...] = ("open", "closed", "staff_only", "unknown")
USES: tuple[Use, ...] = ("free", "away", "occupied", "reserved", "blocked", "unknown")
EVIDENCES: tuple[Evidence, ...] = ("live", "stale", "offline", "never", "suspect")

# Most decisive first; `because` keeps this order.
REASONS = (
    "planned", "removed", "fault", "maintenance", "closed", "staff_only", "not_enterable", "never", "stale", "offline",
    "suspect", "unreadable", "hours_unknown", "use_unknown", "empty", "occupied", "away", "reserved", "blocked",
)  # fmt: skip


class Axes(NamedTuple):
    """One point of the five axes with the answer that follows from it. Interned: compare with `is`."""

    lifecycle: Lifecycle
    health: Health
    access: Access
    use: Use
    evidence: Evidence
    usable: Usable
    because: tuple[str, ...]
    code: int

    def shown(self) -> Mapping[str, object]:
        """As documents, streams and replays write it: the answer first."""
        return _SHOWN[self.code]


class Mark(IntFlag):
    """What is known beside the five axes, and says why they are as they are."""

    UNREADABLE = 1
    """It is suspect because its last message could not be read."""
    BARRED = 2
    """It is open by its hours, and evidence says that nobody can come in."""
    EMPTY = 4
    """It is blocked because nothing of it is left."""


# As plain numbers: with flags of Python, each start spent 60 ms on the table of points below.
_UNREADABLE, _BARRED, _EMPTY = int(Mark.UNREADABLE), int(Mark.BARRED), int(Mark.EMPTY)
_REASON = {_UNREADABLE: "unreadable", _BARRED: "not_enterable", _EMPTY: "empty"}
_Point = tuple[Lifecycle, Health, Access, Use, Evidence]


def _because(point: _Point, marks: int) -> tuple[str, ...]:
    lifecycle, health, access, use, evidence = point
    holds = {lifecycle, health, evidence, "hours_unknown" if access == "unknown" else access}
    holds.add("use_unknown" if use == "unknown" else use)
    holds.update(reason for mark, reason in _REASON.items() if marks & mark)
    return tuple(reason for reason in REASONS if reason in holds)


def _usable(point: _Point, marks: int) -> Usable:
    """First match wins; the order is the contract's."""
    lifecycle, health, access, use, evidence = point
    if lifecycle != "active" or health in ("fault", "maintenance") or access in ("closed", "staff_only"):
        return "no"
    if marks & _BARRED or evidence != "live" or access == "unknown" or use == "unknown":
        return "unknown"
    return "yes" if use == "free" else "no"


def _mean_something(point: _Point, marks: int) -> int:
    """Each mark stands beside one word of one axis alone."""
    _, _, access, use, evidence = point
    beside = _UNREADABLE if evidence == "suspect" else 0
    beside |= _BARRED if access == "open" else 0
    return marks & (beside | (_EMPTY if use == "blocked" else 0))


_POINTS: tuple[_Point, ...] = tuple(product(LIFECYCLES, HEALTHS, ACCESSES, USES, EVIDENCES))
# History stores positions: what is new goes to the end.
_MARKED = [(point, 0) for point in _POINTS]
for _marks in range(1, 8):
    _MARKED += [(point, _marks) for point in _POINTS if _mean_something(point, _marks) == _marks]
AXES: tuple[Axes, ...] = tuple(
    Axes(*point, _usable(point, marks), _because(point, marks), code) for code, (point, marks) in enumerate(_MARKED)
)
_SHOWN = tuple(
    {name: getattr(axes, name) for name in ("usable", "because", "lifecycle", "health", "access", "use", "evidence")}
    for axes in AXES
)
POINTS = {axes[:5]: axes for axes in AXES[: len(_POINTS)]}
"""By the five axes: what `axes_of` gives without marks, where each message asks."""
_WITH_MARKS = dict(zip(_MARKED, AXES, strict=True))
_MARK_OF = {reason: mark for mark, reason in _REASON.items()}


def axes_of(lifecycle: Lifecycle, health: Health, access: Access, use: Use, evidence: Evidence, marks: int = 0) -> Axes:
    """The one interned `Axes` for this point. KeyError for a word that is no state.

    A mark means nothing where what it explains is not so.
    """
    if not marks:
        return POINTS[lifecycle, health, access, use, evidence]
    point = lifecycle, health, access, use, evidence
    return _WITH_MARKS[point, _mean_something(point, int(marks))]


def marks_in(because: Iterable[str]) -> Mark:
    """Those that stand among the reasons of a document."""
    marks = Mark(0)
    for reason in because:
        marks |= _MARK_OF.get(reason, 0)
    return marks


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message as it came. `dup` is the broker's redelivery flag; it proves nothing by itself."""

    topic: bytes
    payload: bytes
    received_at: Millis
    retained: bool = False
    dup: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """What identifies a message for ever: `(station, device, boot, seq)`; `oldest` is the lowest seq still held."""

    ts: Millis | None = None
    boot: str | None = None
    seq: int | None = None
    oldest: int | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """Facts from one device at one moment, in the contract's signal names and units, whoever spoke them.

    `event` is the event type for topic `event`; for `availability`, `signals` is {"online": bool}.
    """

    station: str
    device: str
    topic: Topic
    header: Header
    signals: dict[str, Signal]
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One seat, pile, door: what the configuration says of it. `device` is the device that speaks for it."""

    station: str
    area: str
    id: str
    kind: KindName
    device: str
    type: str | None = None
    name: dict[str, str] = field(default_factory=dict)
    ttl_ms: Millis = 180_000
    reporting: Reporting = "periodic"
    capacity: int | None = None
    away_ms: Millis = 0
    privacy: str | None = None
    lifecycle: Lifecycle = "active"
    features: tuple[str, ...] = ()
    entrance: str | None = None
    error_pct: tuple[float, float] | None = None  # missed, counted twice, of 100 people


@dataclass(frozen=True, slots=True)
class Change:
    """One visible flip of one resource: the stuff of history and alerts. `cause` names what made it."""

    resource: Resource
    at: Millis
    before: Axes
    after: Axes
    cause: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class OpeningChange:
    """From `at` on the promise of a station to be open is `proved`, `unproved` or `contradicted`; `closed`: none.

    `why`: what contradicts it, which alerts tell and history does not keep.
    """

    station: str
    at: Millis
    state: str
    why: str | None = None


Held = Literal["held", "not_held", "unknown"]


@dataclass(frozen=True, slots=True)
class ActivityEnded:
    """An activity of an area is over: presence proved that it was held, that nobody came, or neither."""

    station: str
    area: str
    start: Millis
    end: Millis
    uid: str
    held: Held


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that can't be read, kept aside with its reason. Payload is empty when it may not be stored."""

    topic: bytes
    payload: bytes
    received_at: Millis
    reason: str


class Arrival(IntFlag):
    """A message as it came, the bits of MQTT; AGAIN: it came before, for certain."""

    RETAINED = 1
    QOS1 = 2
    AGAIN = 4
    DUP = 8


class Stored(IntFlag):
    """A message in the journal. TS_SUSPECT: its `ts` is not believed; ANEW: with it the device counts anew under its
    old boot; LATE: newer ones came before it, so it is of history alone."""

    RETAINED = 1
    TS_SUSPECT = 2
    ANEW = 4
    LATE = 8


# As plain numbers, for what is done with each message: `&` of an IntFlag takes 1.5 µs. RETAINED is the same in both.
RETAINED, QOS1, AGAIN, DUP = (int(flag) for flag in Arrival)
TS_SUSPECT, ANEW, LATE = int(Stored.TS_SUSPECT), int(Stored.ANEW), int(Stored.LATE)


class Batch:
    """Accepted messages in order of arrival, side by side in columns: cheap to fill, one packed row to write.

    `numbers` is what the journal was last known to call each topic, 0 where nobody knows. They are hints, which the
    store checks; what it had to look up is in `looked_up` afterwards.
    """

    __slots__ = ("flags", "looked_up", "numbers", "payloads", "received", "topics")

    def __init__(self) -> None:
        self.topics: list[bytes] = []
        self.payloads: list[bytes] = []
        self.received: list[Millis] = []
        self.flags = bytearray()
        self.numbers: list[int] = []
        self.looked_up: list[tuple[bytes, int]] = []

    def __len__(self) -> int:
        return len(self.payloads)

    def append(self, topic: bytes, payload: bytes, received_at: Millis, flags: int, number: int = 0) -> None:
        self.topics.append(topic)
        self.payloads.append(payload)
        self.received.append(received_at)
        self.flags.append(flags)
        self.numbers.append(number)

    def drop_last(self) -> None:
        del self.topics[-1], self.payloads[-1], self.received[-1], self.flags[-1], self.numbers[-1]


@dataclass(frozen=True, slots=True)
class Interval:
    """A resource's state from `start` (inclusive) to `end` (exclusive; the query's end for the last one)."""

    start: Millis
    end: Millis
    axes: Axes


@dataclass(frozen=True, slots=True)
class Reading:
    """One stored message. `boot`, `seq`, `ts` are None where the device gave none; `payload` is as it came."""

    id: int
    station: str
    device: str
    topic: StoredTopic
    boot: str | None
    seq: int | None
    ts: Millis | None
    received_at: Millis
    retained: bool
    ts_suspect: bool
    payload: bytes
