"""What people set by hand, and what it does to the axes. It outranks schedule and sensors until its end.

A word acts on one axis: open, closed and staff_only on access, maintenance on health, free and busy on use. Where
several hold, the nearest to the resource wins on each axis: its own, its area's, its station's. Who says free or busy
is there and looks: until the end of the word this counts as live evidence, and as open where hours are unknown.

A partner venue's words stand beside those of staff and below them: on each axis a partner is heard where no word of
staff holds, and takes back only its own.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, get_args

import msgspec

from config.kinds import KindSpec
from gateway.commands import CommandError
from gateway.model import Access, Evidence, Health, Millis, Use
from gateway.policy.text import LONGEST_NAME, bounded

SetStatus = Literal["open", "closed", "staff_only", "maintenance", "free", "busy"]
STATUSES: tuple[SetStatus, ...] = get_args(SetStatus)

CONFIGURATION = "configuration"  # who sets what stands in the files
PARTNER = "partner"  # who a partner venue is in the audit trail
LONGEST_NOTE = 300
MAX_SPAN_MS = 366 * 86_400_000
MAX_COMMAND_BYTES = 4_096


class OverrideTarget(NamedTuple):
    """A station, one of its areas, or one of its resources (`area` then says nothing)."""

    station: str
    area: str | None = None
    resource: str | None = None


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`until` None: until taken back. `by` names who set it, `note` is for staff; neither is public.

    `partner`: said by a partner venue, so below staff.
    """

    status: SetStatus
    until: Millis | None = None
    by: str = ""
    note: str = ""
    partner: bool = False


class Effect(NamedTuple):
    """What all words that hold do to one resource. `until`: when this may change without anybody's doing."""

    access: Access | None = None
    maintenance: bool = False
    use: Use | None = None
    live_until: Millis | None = None
    until: Millis | None = None

    def apply(self, health: Health, access: Access, use: Use, evidence: Evidence, spec: KindSpec) -> "Sensed":
        """The axes as people see them. Who repairs a thing knows of its fault; of a vital one nothing hides it, and
        nobody's word takes the place of what an instrument says."""
        if self.maintenance and not (spec.vital and health == "fault"):
            health = "maintenance"
        if self.use is not None and not spec.instrument:
            use = self.use
            access = "open" if access == "unknown" else access
            evidence = "live" if self.live_until is not None else evidence
        return Sensed(health, self.access or access, use, evidence)


class Sensed(NamedTuple):
    health: Health
    access: Access
    use: Use
    evidence: Evidence


NOTHING = Effect()
_ACCESS: dict[SetStatus, Access] = {"open": "open", "closed": "closed", "staff_only": "staff_only"}
_USE: dict[SetStatus, Use] = {"free": "free", "busy": "occupied"}


class Overrides:
    """All that is set by hand. One target holds one word of each rank for each axis: a newer one takes its place."""

    def __init__(self) -> None:
        self._words: dict[OverrideTarget, dict[_Slot, Override]] = {}

    def put(self, target: OverrideTarget, override: Override) -> None:
        self._words.setdefault(target, {})[override.partner, _axis(override.status)] = override

    def update(self, newer: "Overrides") -> None:
        """Take over all words of `newer`."""
        for target, words in newer._words.items():  # noqa: SLF001
            for word in words.values():
                self.put(target, word)

    def configure(self, stations: Mapping[str, Iterable[tuple[OverrideTarget, Override]]]) -> None:
        """Have these words of the configuration hold in these stations, and no others of it; what people set stands
        above.
        """
        for target in [target for target in self._words if target.station in stations]:
            words = {slot: word for slot, word in self._words[target].items() if word.by != CONFIGURATION}
            self._words[target] = words
            if not words:
                del self._words[target]
        for target, override in (said for by_hand in stations.values() for said in by_hand):
            self._words.setdefault(target, {}).setdefault((override.partner, _axis(override.status)), override)

    def clear(self, target: OverrideTarget, *, partner: bool = False) -> None:
        """Take back all that was set on exactly this target; for a partner, what a partner set."""
        words = self._words.pop(target, {})
        if partner and (left := {slot: word for slot, word in words.items() if not slot[0]}):
            self._words[target] = left

    def of_station(self, station: str) -> list[tuple[OverrideTarget, Override]]:
        """Every word for a station, its areas and its resources; the station's own first."""
        words_here = [item for item in self._words.items() if item[0].station == station]
        return [(target, word) for target, words in sorted(words_here, key=_in_order) for word in words.values()]

    def effect(self, station: str, area: str, resource: str, now: Millis) -> Effect:
        """What holds for a resource at `now`; `NOTHING` is one object. Only of interest when a word came or ended."""
        if not self._words:
            return NOTHING  # asked of every resource at a start
        targets = (OverrideTarget(station, None, resource), OverrideTarget(station, area), OverrideTarget(station))
        held = [words for target in targets if (words := self._words.get(target))]
        nearest = _nearest(held, now) if held else None
        if not nearest:
            return NOTHING
        access, use = nearest.get("access"), nearest.get("use")
        ends = [word.until for word in nearest.values() if word.until is not None]
        return Effect(
            access=_ACCESS[access.status] if access else None,
            maintenance="health" in nearest,
            use=_USE[use.status] if use else None,
            live_until=use.until if use else None,
            until=min(ends, default=None),
        )

    def station_access(
        self, station: str, now: Millis, scheduled: Access = "open"
    ) -> tuple[Access | None, Millis | None]:
        """What is set by hand for the station's own `open`, and until when; None leaves it to the schedule.

        Maintenance of it all is closed. Where the hours are unknown, free or busy says that it is open.
        """
        words = [w for w in self._words.get(OverrideTarget(station), {}).values() if w.until is None or now < w.until]
        for of_partner in (False, True):
            said = {_axis(word.status): word for word in words if word.partner is of_partner}
            word = said.get("access") or said.get("health")
            if word is not None:
                return _ACCESS.get(word.status, "closed"), word.until
        looked = [word for word in words if _axis(word.status) == "use"]
        if scheduled == "unknown" and looked:
            return "open", min(looked, key=lambda word: word.partner).until
        return None, None

    def expire(self, now: Millis) -> list[OverrideTarget]:
        """Forget what has ended; the targets whose resources must be looked at again."""
        ended = []
        for target, words in list(self._words.items()):
            kept = {slot: word for slot, word in words.items() if word.until is None or now < word.until}
            if len(kept) < len(words):
                ended.append(target)
                self._words[target] = kept
            if not kept:
                del self._words[target]
        return ended

    def next_deadline(self) -> Millis | None:
        ends = (word.until for words in self._words.values() for word in words.values() if word.until is not None)
        return min(ends, default=None)

    def state(self) -> object:
        """All of it as it is now, for `put_back`."""
        return {target: dict(words) for target, words in self._words.items()}

    def put_back(self, state: object) -> None:
        self._words = state  # type: ignore[assignment]

    def dump(self) -> bytes:
        """JSON to keep over a restart: `load` reads it. What the configuration says stands in its files."""
        rows = [
            (*target, word)
            for target, words in sorted(self._words.items(), key=_in_order)
            for word in words.values()
            if word.by != CONFIGURATION
        ]
        return msgspec.json.encode(rows)

    @classmethod
    def load(cls, kept: bytes, now: Millis) -> "Overrides":
        """ValueError when `kept` isn't what `dump` wrote."""
        restored = cls()
        for station, area, resource, word in msgspec.json.decode(kept, type=list[_Row]):
            if word.by != CONFIGURATION and (word.until is None or now < word.until):
                # An older version told a partner by its name alone.
                word = msgspec.structs.replace(word, partner=word.partner or word.by == PARTNER)
                restored.put(OverrideTarget(station, area, resource), word)
        return restored


_Slot = tuple[bool, str]  # whether a partner's, and the axis
_Row = tuple[str, str | None, str | None, Override]


def _nearest(held: list[dict[_Slot, Override]], now: Millis) -> dict[str, Override]:
    """What holds on each axis, of the words of targets from the nearest on: those of staff before those of partners."""
    nearest: dict[str, Override] = {}
    for of_partner in (False, True):
        for (partner, axis), word in (item for words in held for item in words.items()):
            if partner is of_partner and (word.until is None or now < word.until):
                nearest.setdefault(axis, word)
    return nearest


def _in_order(item: tuple[OverrideTarget, object]) -> tuple[str, ...]:
    return tuple(part or "" for part in item[0])


def _axis(status: SetStatus) -> str:
    return "access" if status in _ACCESS else "use" if status in _USE else "health"


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed for `yz-cmd/{station}/override`. `override` None takes back; `partner`: it is a partner's;
    `told_by`: the box whose staff did it there.
    """

    nonce: str
    expires: Millis
    by: str
    area: str | None = None
    resource: str | None = None
    override: Override | None = None
    partner: bool = False
    told_by: str = ""

    def target(self, station: str) -> OverrideTarget:
        return OverrideTarget(station, self.area, self.resource)


_decode: Callable[[bytes], Command] = msgspec.json.Decoder(Command).decode


def encode_command(command: Command) -> bytes:
    return msgspec.json.encode(command)


def read_command(text: bytes, now: Millis) -> Command:
    """CommandError for one that can't be read or sets what has no sense. The gate has looked at nonce and expiry."""
    if len(text) > MAX_COMMAND_BYTES:
        raise CommandError(f"longer than {MAX_COMMAND_BYTES} bytes")
    try:
        command = _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CommandError(f"unreadable: {error}") from None
    if command.area is not None and command.resource is not None:
        raise CommandError("names an area and a resource; name one")
    if command.partner and (command.area is not None or command.resource is not None):
        raise CommandError("a partner sets the venue as a whole")
    word = command.override
    if word is not None and word.until is None:
        raise CommandError("until is missing: what is set from outside must end")
    if word is not None and word.until is not None and not now < word.until <= now + MAX_SPAN_MS:
        raise CommandError("until must lie ahead, by at most 366 days")
    if word is None:
        return command
    by, note = bounded(word.by, LONGEST_NAME), bounded(word.note, LONGEST_NOTE)
    word = msgspec.structs.replace(word, by=by, note=note, partner=command.partner)
    return msgspec.structs.replace(command, override=word)
