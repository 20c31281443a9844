"""How things stand in a document at the moment it is served: counts and words by the rules of truth.js and count.js.

Whoever hands a document over has taken back what ended before (`LiveView.get`), so its `usable` holds as it stands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET

from api.pages.wordlist import Speaker
from config.kinds import SPECS
from gateway.live.station_document import ShownResource, StationDocument, SummaryLine

Form = Literal["exact", "atleast", "unknown", "closed", "maintenance"]
Usable = Literal["yes", "no", "unknown"]
SHUT = ("closed", "staff_only")
BROKEN = ("fault", "maintenance")


def key_of(kind: str, sort: str | None) -> str:
    return f"{kind}:{sort}" if sort else kind


@dataclass(slots=True)
class FreeCount:
    """How many are free for certain and at most, of how many; how many are shut, out of order, in repair."""

    least: int = 0
    most: int = 0
    total: int = 0
    shut: int = 0
    broken: int = 0
    mended: int = 0

    @property
    def usable(self) -> Usable:
        return "yes" if self.least else "unknown" if self.most else "no"

    @property
    def form(self) -> Form:
        if self.total and self.shut == self.total:
            return "closed"
        if self.total and self.mended == self.total:
            return "maintenance"
        if self.least == self.most:
            return "exact"
        return "atleast" if self.least else "unknown"


@dataclass(frozen=True, slots=True)
class ShownKind:
    """What is counted together, in the order of a page."""

    key: str
    kind: str
    type: str | None
    members: Sequence[ShownResource]
    tally: FreeCount


def reason(resource: ShownResource) -> str | None:
    """The most decisive reason why it is not usable."""
    return resource.because[0] if resource.usable != "yes" and resource.because else None


def shown(document: StationDocument) -> list[ShownResource]:
    return [resource for resource in document.resources() if resource.lifecycle == "active"]


def groups(document: StationDocument) -> list[ShownKind]:
    """The countable kinds, those first that people ask for."""
    members: dict[str, list[ShownResource]] = {}
    for resource in shown(document):
        if resource.kind in SPECS and SPECS[resource.kind].groups_on_pages:
            members.setdefault(key_of(resource.kind, resource.type), []).append(resource)
    kinds = [ShownKind(key, every[0].kind, every[0].type, every, _tally(every)) for key, every in members.items()]
    return sorted(kinds, key=lambda group: _ORDER.get(group.key, len(_ORDER)))


def things(document: StationDocument) -> list[ShownResource]:
    """All resources that are in no group, the ways in last."""
    ranks = {name: (spec.entrance, rank) for rank, (name, spec) in enumerate(SPECS.items())}
    rest = [
        resource
        for resource in shown(document)
        if resource.kind not in SPECS or not SPECS[resource.kind].groups_on_pages
    ]
    return sorted(rest, key=lambda resource: ranks.get(resource.kind, (False, len(ranks))))


def tally_of_line(line: SummaryLine, document: StationDocument) -> FreeCount:
    """From the summary alone, as a list of stations has it."""
    shut = line.total if document.open.now == "no" and line.usable_max == 0 else 0
    return FreeCount(line.usable_min, line.usable_max, line.total, shut)


def count_text(tally: FreeCount, say: Speaker) -> str:
    """`7`, `at least 3`, `not known`, `closed`: in one line."""
    form = tally.form
    if form == "closed":
        return say("shut")
    if form in ("unknown", "maintenance"):
        return say(form)
    return str(tally.least) if form == "exact" else f"{say('at_least')} {tally.least}"


def word_of(resource: ShownResource, say: Speaker) -> str:
    """Free, in use, out of order …, in the words of its kind."""

    def own(form: str) -> str | None:
        keys = (f"{key_of(resource.kind, resource.type)}.{form}", f"{resource.kind}.{form}")
        return next((say(key) for key in keys if say.has(key)), None)

    if resource.usable == "yes":
        return own("usable") or say("free")
    if resource.usable == "unknown":
        return own("unknown") or say("unknown")
    why = reason(resource) or "occupied"
    return (own("blocked") if why == "blocked" else None) or say(why)


def _tally(members: Iterable[ShownResource]) -> FreeCount:
    sum_ = FreeCount()
    for resource in members:
        size, free = _units(resource)
        sum_.total += size
        if resource.usable == "yes":
            sum_.least += free
            sum_.most += free
        elif resource.usable == "unknown":
            sum_.most += size
        why = reason(resource)
        sum_.shut += size if why in SHUT else 0
        sum_.broken += size if why in BROKEN else 0
        sum_.mended += size if why == "maintenance" else 0
    return sum_


def _units(resource: ShownResource) -> tuple[int, int]:
    """How many it is, and how many of them are free if it is usable."""
    if not SPECS[resource.kind].counted_in_units:
        return 1, 1
    free = 0 if resource.free is UNSET or resource.free is None else resource.free
    total = free or 1 if resource.total is UNSET or resource.total is None else resource.total
    return total, free


def _order() -> dict[str, int]:
    keys: list[str] = []
    for name, spec in SPECS.items():
        if spec.groups_on_pages:
            keys += [f"{name}:{sort}" for sort, _ in sorted(spec.types.items(), key=lambda item: item[1].rank)] + [name]
    return {key: rank for rank, key in enumerate(keys)}


_ORDER = _order()
