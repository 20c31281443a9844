"""Stations and areas as they are now: their opening, their resources, and whether their document must be made again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

from msgspec import UNSET, UnsetType

from gateway import wire
from gateway.evidence.checks import CheckState
from gateway.evidence.facts import Facts
from gateway.evidence.opening import NOT_OPEN, Judgement, Patience, Promise
from gateway.evidence.seen import Seen
from gateway.history.first_free import FirstFree
from gateway.history.forecast import Forecast
from gateway.model import Access, Millis
from gateway.policy.activities import Activity, Agenda, OnNow
from gateway.policy.override import OverrideTarget


class PlaceOpening(Protocol):
    """When a place is open. `at` answers for `now` and says until when that answer holds (None: for ever)."""

    def at(self, now: Millis, /) -> tuple[Access, Millis | None]: ...


class AlwaysOpen:
    def at(self, _now: Millis, /) -> tuple[Access, Millis | None]:
        return "open", None


ALWAYS = AlwaysOpen()
LONG_AGO = -1e9
NOWHERE = -1
NOTHING_ON = OnNow((), None, None)


@lru_cache(16_384)  # most times in a document stood in the one before: a third of its cost
def utc(at: Millis) -> str:
    """As documents write it: RFC 3339 with Z, six digits of a second where it is not a whole one."""
    second, ms = divmod(at, 1000)
    return f"{_second(second)}.{ms:03d}000Z" if ms else f"{_second(second)}Z"


@lru_cache(4_096)  # the resources of a station were told of within few seconds
def _second(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()[:-6]


def utc_or_none(at: Millis | None) -> str | None:
    return None if at is None else utc(at)


@dataclass(slots=True, eq=False)
class Area:
    """`opening` None: as the station. `given_up`: bookings of now that nobody came to; `over`: told to be over."""

    id: str
    name: dict[str, str]
    opening: PlaceOpening | None = None
    facts: list[Facts] = field(default_factory=list)
    agenda: Agenda = field(default_factory=Agenda)
    on_now: OnNow = NOTHING_ON
    given_up: set[Activity] = field(default_factory=set)
    over: set[Activity] = field(default_factory=set)
    station: "Station | None" = None
    alarm: Millis | None = None


@dataclass(slots=True, eq=False)
class Station:
    """`access_until`: until when its own opening holds; `recheck_at`: when that of anything in it may change."""

    id: str
    name: dict[str, str]
    opening: PlaceOpening = ALWAYS
    areas: list[Area] = field(default_factory=list)
    tick_ms: Millis = 300_000  # times of rooms and doors are shown rounded down to it
    region: Sequence[str] = ()
    location: dict[str, float | str] | UnsetType = UNSET  # shown as it stands
    # By kind and type: of one that is in use, and of the first of several.
    forecasts: dict[tuple[str, str | None], tuple[Forecast, FirstFree]] = field(default_factory=dict)
    checks: dict[str, CheckState] = field(default_factory=dict)  # by their ids
    promise: Promise = field(default_factory=lambda: Promise(Patience()))  # to be open
    judged: Judgement = NOT_OPEN
    opening_kept: str = ""  # the state of its promise as history has it
    access: Access = "unknown"
    access_until: Millis | None = None
    recheck_at: Millis | None = None
    dirty: bool = False
    untold: bool = False  # its last document could not be made, or not be told
    made_at: Millis = 0
    alarm: Millis | None = None

    def facts(self) -> list[Facts]:
        return [facts for area in self.areas for facts in area.facts]

    def has(self, target: OverrideTarget) -> bool:
        """Whether the place that somebody names is here."""
        if target.resource is not None:
            return any(facts.resource.id == target.resource for facts in self.facts())
        return target.area is None or any(area.id == target.area for area in self.areas)


class Device:
    """One thing that publishes, and the facts that it feeds. `seen_at` is the receipt of its last fresh message."""

    __slots__ = (
        "decode", "facts", "id", "number", "online", "owed", "part", "seen", "seen_at", "station", "told_at",
        "told_boot", "told_upto", "topic",
    )  # fmt: skip

    def __init__(self, station: str, id: str, facts: list[Facts], decode: "Decode") -> None:  # noqa: A002
        self.station = station
        self.id = id
        self.facts = tuple(facts)  # half the room of a list
        self.decode = decode
        self.seen = Seen()
        self.seen_at: Millis | None = None
        self.online: bool | None = None
        self.topic = wire.topic(station, id, "state").encode()
        self.number = 0  # what the journal was last known to call its topic
        self.part = 0  # which checkpoint part keeps it; NOWHERE when it was taken out of the configuration
        self.owed = False  # its watermark may have moved since it was told
        self.told_boot: str | None = None  # the watermark last published
        self.told_upto = -1
        self.told_at = LONG_AGO  # by the steady clock, in seconds


Decode = Callable[[bytes], Any]


def name_of(owner: object) -> str:
    """`station`, `station/area` or `station/resource`."""
    if isinstance(owner, Facts):
        return f"{owner.resource.station}/{owner.resource.id}"
    if isinstance(owner, Area):
        return f"{owner.station.id if owner.station else ''}/{owner.id}"
    if isinstance(owner, CheckState):
        return f"{owner.station}/{owner.id}"
    return owner.id if isinstance(owner, Station) else ""
