"""The availability document of contract section 4 as a word, and what follows from it alone. Pure.

Times stand in it as on the wire: RFC 3339 in UTC. A field that is UNSET is left out there, None is null. Fields stand
in the order of the wire. It is made by `live/document`, encoded once, and decoded once where an API reads it from a
broker (`api/wire_documents`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from config.kinds import INSTRUMENTS, UNITS
from config.schema import ResourceSettings, StationSettings
from gateway.base.times import from_rfc3339, rfc3339
from gateway.evidence.opening import Proof
from gateway.model import Access, Evidence, Health, Lifecycle, Millis, Usable, Use, axes_of, marks_in

OPENING_GRACE_MS: Final = 2_000
"""At the turn of opening hours the gateway says what comes next; only its silence makes the answer unknown."""

Texts = dict[str, str]
By = Literal["sensor", "person", "schedule"]
Group = tuple[str, str | None]
"""Kind and type: what one line of the summary counts."""


class ActivityNow(Struct, frozen=True, gc=False):
    title: Texts
    until: str


class ActivityNext(Struct, frozen=True, gc=False):
    title: Texts
    from_: str = field(name="from")


class Programme(Struct, frozen=True, gc=False):
    """What takes place in a room. A private activity has no title."""

    now: ActivityNow | UnsetType = UNSET
    next: ActivityNext | UnsetType = UNSET


class ShownResource(Struct, frozen=True, gc=False):
    """One resource. `level` is that of a room; `free` and `total` are those of kinds counted in units."""

    id: str
    kind: str
    type: str | None
    usable: Usable
    because: tuple[str, ...]
    lifecycle: Lifecycle
    health: Health
    access: Access
    use: Use
    evidence: Evidence
    observed_at: str | None
    valid_until: str | None
    since: str | None
    by: By = "sensor"
    name: Texts | UnsetType = UNSET
    level: str | UnsetType = UNSET
    free: int | UnsetType | None = UNSET
    total: int | UnsetType | None = UNSET
    programme: Programme | UnsetType = UNSET

    @property
    def group(self) -> Group:
        return self.kind, self.type


class ShownInstrument(Struct, frozen=True, gc=False):
    """One counter, detector or gauge of the air. `alarm` is that of a detector whose word is live, else null; `values`
    are those that are live, none of a counter; `by` is whose word decides its health."""

    id: str
    kind: str
    type: str | None
    health: Health
    evidence: Evidence
    by: By
    alarm: bool | None
    values: dict[str, float | bool]
    observed_at: str | None
    valid_until: str | None
    name: Texts | UnsetType = UNSET


class ShownArea(Struct, frozen=True, gc=False):
    id: str
    name: Texts
    resources: Sequence[ShownResource]
    instruments: Sequence[ShownInstrument] = ()


class ExpectedFree(Struct, frozen=True, gc=False):
    """When the next one will about be free; in four of five cases between `from` and `to`."""

    at: str
    from_: str = field(name="from")
    to: str


class SummaryLine(Struct, frozen=True, gc=False):
    """How many there are of a kind and type, how many are usable for certain, and how many at most."""

    kind: str
    type: str | None
    total: int
    usable_min: int
    usable_max: int
    next_free: ExpectedFree | UnsetType = UNSET

    @property
    def group(self) -> Group:
        return self.kind, self.type


class OpenNow(Struct, frozen=True, gc=False):
    """`now` is what its hours and people promise; `proof`, what shows that one can come in (evidence/opening).

    `proved_at`, `proved_until`: the last sign, rounded down, and how long it proves at most, rounded up, to the hour.
    """

    now: Usable
    until: str | None
    proof: Proof = "unproved"
    proved_at: str | None = None
    proved_until: str | UnsetType = UNSET


class StationDocument(Struct, frozen=True, gc=False, kw_only=True):
    """`watched` is said by an API alone, and only where it is false: the station's gateway is away."""

    station: str
    name: Texts
    region: Sequence[str] | UnsetType = UNSET
    location: dict[str, float | str] | UnsetType | None = UNSET
    as_of: str
    valid_until: str | None
    open: OpenNow
    summary: Sequence[SummaryLine]
    areas: Sequence[ShownArea]
    watched: bool | UnsetType = UNSET

    def resources(self) -> Iterator[ShownResource]:
        return _resources(self.areas)

    def instruments(self) -> Iterator[ShownInstrument]:
        return _instruments(self.areas)

    def live_ends(self) -> Iterator[str]:
        """Until when each live value of it holds."""
        return _live_ends(self.areas)


@dataclass(frozen=True, slots=True)
class Document:
    """A document as made: the word, and `body`, its JSON. `made_at` is when this process made or received it."""

    station: str
    shown: StationDocument
    body: bytes
    made_at: Millis


encode = msgspec.json.Encoder().encode


def encoded(shown: StationDocument, now: Millis) -> Document:
    """The one place where a document is encoded. Its bytes are kept: the encoder's spare room, up to a half, is not."""
    return Document(shown.station, shown, bytes(memoryview(encode(shown))), now)


def summed(resources: Iterable[ShownResource]) -> list[SummaryLine]:
    """Counts by kind and type: certain ones, and those that may be. Units, not banks, where the kind is counted so."""
    counts: dict[Group, list[int]] = {}
    for resource in resources:
        if resource.lifecycle != "active":
            continue
        group = resource.kind, resource.type
        count = counts.get(group)
        if count is None:
            count = counts[group] = [0, 0, 0]
        size, free = _units(resource) if resource.kind in UNITS else (1, 1)
        count[0] += size
        if resource.usable == "yes":
            count[1] += free
            count[2] += free
        elif resource.usable == "unknown":
            count[2] += size
    return [SummaryLine(kind, sort, total, least, most) for (kind, sort), (total, least, most) in counts.items()]


def deadline(document: StationDocument) -> Millis | None:
    """The first moment at which it must be rewritten, None for never. ValueError for a time that can't be read."""
    ends = [from_rfc3339(end) for end in document.live_ends()]
    if document.open.until is not None:
        ends.append(from_rfc3339(document.open.until) + OPENING_GRACE_MS)
    if document.open.proved_until is not UNSET:
        ends.append(from_rfc3339(document.open.proved_until) + OPENING_GRACE_MS)
    return min(ends, default=None)


def withdrawn(document: StationDocument, now: Millis) -> StationDocument:
    """It as it may be shown at `now`: every live value past its `valid_until` is stale, answers and sums follow.

    Opening hours past their turn are unknown. `as_of` becomes `now`, `valid_until` the earliest of what is still live.
    The gateway withdraws its claims itself: this is for the day when it, or the line to it, is dead.
    """
    turned = _passed(document.open.until, now - OPENING_GRACE_MS)
    until = document.open.proved_until
    areas = [_area_at(area, now, turned=turned) for area in document.areas]
    pairs = zip(document.resources(), _resources(areas), strict=True)
    lapsed = until is not UNSET and _passed(until, now - OPENING_GRACE_MS)
    touched = {after.group for before, after in pairs if after is not before}
    counts = {line.group: line for line in summed(_resources(areas))} if touched else {}
    summary = [_recounted(line, counts) if line.group in touched else line for line in document.summary]
    return replace(
        document,
        as_of=rfc3339(now),
        valid_until=min(_live_ends(areas), key=from_rfc3339, default=None),
        open=OpenNow("unknown", None) if turned else _unproved(document.open) if lapsed else document.open,
        summary=summary,
        areas=areas,
    )


def blank(station: StationSettings, now: Millis) -> StationDocument:
    """That of a station for which nobody has spoken yet: what the configuration alone can say."""
    areas = [
        ShownArea(
            area.id,
            dict(area.name),
            [_blank_resource(station, resource) for resource in area.resources if resource.kind not in INSTRUMENTS],
            [_blank_instrument(resource) for resource in area.resources if resource.kind in INSTRUMENTS],
        )
        for area in station.areas
    ]
    return StationDocument(
        station=station.id,
        name=dict(station.name),
        region=station.region,
        location=station.location.model_dump(exclude_none=True) if station.location else None,
        as_of=rfc3339(now),
        valid_until=None,
        open=OpenNow("unknown", None),
        summary=summed(_resources(areas)),
        areas=areas,
    )


def _resources(areas: Iterable[ShownArea]) -> Iterator[ShownResource]:
    for area in areas:
        yield from area.resources


def _instruments(areas: Iterable[ShownArea]) -> Iterator[ShownInstrument]:
    for area in areas:
        yield from area.instruments


def _live_ends(areas: Iterable[ShownArea]) -> Iterator[str]:
    for area in areas:
        every: list[ShownResource | ShownInstrument] = [*area.resources, *area.instruments]
        for shown in every:
            if shown.evidence == "live" and shown.valid_until is not None:
                yield shown.valid_until


def _unproved(open_now: OpenNow) -> OpenNow:
    return replace(open_now, proof="unproved", proved_until=UNSET)


def _units(resource: ShownResource) -> tuple[int, int]:
    """(how many it is, how many of them are free if it is usable). A bank that has told neither is one."""
    free = None if resource.free is UNSET else resource.free
    total = None if resource.total is UNSET else resource.total
    if total is not None:
        return total, free or 0
    return (1, 0) if free is None else (free, free)


def _area_at(area: ShownArea, now: Millis, *, turned: bool) -> ShownArea:
    """The same object where nothing in it is withdrawn."""
    resources = [_resource_at(resource, now, turned=turned) for resource in area.resources]
    instruments = [_instrument_at(instrument, now) for instrument in area.instruments]
    before, after = (*area.resources, *area.instruments), (*resources, *instruments)
    if all(new is old for old, new in zip(before, after, strict=True)):
        return area
    return replace(area, resources=resources, instruments=instruments)


def _instrument_at(instrument: ShownInstrument, now: Millis) -> ShownInstrument:
    """Nobody can say any more whether it warns, nor what it measures."""
    if instrument.evidence != "live" or not _passed(instrument.valid_until, now):
        return instrument
    return replace(instrument, evidence="stale", alarm=None, values={})


def _resource_at(resource: ShownResource, now: Millis, *, turned: bool) -> ShownResource:
    """Without what it can no longer claim; the same object where it may claim all of it."""
    stale = resource.evidence == "live" and _passed(resource.valid_until, now)
    reopened = turned and resource.access in ("open", "closed")
    if not stale and not reopened:
        return resource
    axes = axes_of(
        resource.lifecycle,
        resource.health,
        "unknown" if reopened else resource.access,
        resource.use,
        "stale" if stale else resource.evidence,
        marks_in(resource.because),
    )
    return replace(
        resource,
        usable=axes.usable,
        because=axes.because,
        access=axes.access,
        evidence=axes.evidence,
        since=resource.valid_until if stale else resource.since,
    )


def _recounted(line: SummaryLine, counts: dict[Group, SummaryLine]) -> SummaryLine:
    """Without its forecast: it was made from values that have just been taken back."""
    count = counts.get(line.group)
    least, most = (0, 0) if count is None else (count.usable_min, count.usable_max)
    return replace(line, usable_min=least, usable_max=most, next_free=UNSET)


def _blank_resource(station: StationSettings, resource: ResourceSettings) -> ShownResource:
    lifecycle = station.lifecycle if station.lifecycle != "active" else resource.lifecycle
    axes = axes_of(lifecycle, "ok", "unknown", "unknown", "never")
    free, total = (None, resource.capacity) if resource.kind in UNITS else (UNSET, UNSET)
    return ShownResource(
        resource.id, resource.kind, resource.type, axes.usable, axes.because, axes.lifecycle, axes.health, axes.access,
        axes.use, axes.evidence, None, None, None, "schedule", name=dict(resource.name) if resource.name else UNSET,
        free=free, total=total,
    )  # fmt: skip


def _blank_instrument(configured: ResourceSettings) -> ShownInstrument:
    return ShownInstrument(
        configured.id, configured.kind, configured.type, "ok", "never", "sensor", None, {}, None, None,
        name=dict(configured.name) if configured.name else UNSET,
    )  # fmt: skip


def _passed(text: str | None, now: Millis) -> bool:
    return text is not None and from_rfc3339(text) <= now
