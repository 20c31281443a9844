"""What is known of one resource now, in parts that have one owner each.

`known`: its value, which its kind writes (gateway/kinds). `fresh`: when that was told and how long it is good, written
by its own methods. `doubt`: what the judge remembers, written by him alone (contradiction). All else is what is shown
of it, and belongs to the live state (gateway/live). Every room reads any of them, and writes none but its own.
"""

from collections.abc import Sequence
from operator import attrgetter

from config.kinds import INSTRUMENTS, SPECS
from gateway.evidence.checks import CheckState, vouched_until
from gateway.evidence.doubt import Doubt
from gateway.evidence.freshness import Freshness
from gateway.kinds import KindRule, Known
from gateway.kinds.known import slots_of
from gateway.model import AXES, Access, Axes, Evidence, Millis, Resource
from gateway.policy.override import Effect

_NEVER = AXES[3]  # active, ok, open, free, never: replaced before anybody sees it


class Facts:
    """One resource. The pipeline's thread alone touches it. Times in ms.

    `axes` are what is shown, `since` when; `watched_since`: since when its evidence is live without a gap. `access` is
    that of its hours, `effect` what is set by hand, None for nothing, `booked` that an activity keeps it reserved,
    `barred` that its station should be open, and evidence says that nobody can come in;
    `holds_until`: when hours or hand may change. `renew_at`: a message after that has its document made again;
    `alarm`: when the heap of deadlines will look at it next. `proves_entry`: who begins to use it has come in;
    `sees_entry`: it tells itself when somebody does, and `entered_at` is the last time of which note was taken.
    `checks`: what people look at of it.
    """

    __slots__ = (
        "access", "alarm", "axes", "barred", "booked", "checks", "doubt", "effect", "entered_at", "fresh",
        "holds_until", "kind", "known", "lifecycle", "proves_entry", "renew_at", "resource", "sees_entry", "since",
        "watched_since",
    )  # fmt: skip

    def __init__(self, resource: Resource, kind: KindRule, step_ms: Millis = 1) -> None:
        """`step_ms`: to what the end of its validity is rounded down, see `Freshness`."""
        self.resource, self.kind = resource, kind
        self.known = kind.Value(resource)
        self.fresh = Freshness(resource, step_ms)
        self.doubt = Doubt()
        self.lifecycle = resource.lifecycle
        self.axes: Axes = _NEVER
        self.since: Millis | None = None
        self.watched_since: Millis | None = None
        self.access: Access = "open"
        self.effect: Effect | None = None
        self.barred = False
        self.booked = False
        self.checks: Sequence[CheckState] = ()
        spec = SPECS[resource.kind]
        sort = spec.types.get(resource.type or "")
        self.proves_entry = spec.proves_entry and (sort is None or sort.indoors)
        self.sees_entry = "entered_at" in slots_of(type(self.known))
        self.entered_at: Millis | None = None
        self.holds_until: Millis | None = None
        self.renew_at: Millis = 0
        self.alarm: Millis | None = None

    @property
    def checked(self) -> bool:
        """No sensor ever spoke of it, and people look at it: their word is its evidence."""
        return bool(self.checks) and not self.fresh.heard and self.resource.kind not in INSTRUMENTS

    @property
    def found_wrong(self) -> bool:
        """Only a person says that it is at fault."""
        return self.axes.health == "fault" and self.known.health != "fault"


def evidence_of(facts: Facts, now: Millis) -> tuple[Evidence, Millis | None]:
    """The evidence axis, and when it will change if nothing comes. First match wins:

    never heard → `live` while people's checks vouch for it, else `never`; its device said goodbye, and nothing
    fresher came → `offline`; past `valid_until` → `stale`;
    contradicted, or told in a way that we could not read → `suspect`; else `live`.
    """
    fresh = facts.fresh
    if not fresh.heard:
        until = vouched_until(facts.checks, now) if facts.checked else None
        return ("never", None) if until is None else ("live", until)
    until, gone = fresh.valid_until, fresh.offline_at
    if gone is not None:
        if now >= gone:
            return "offline", None
        until = gone if until is not None and gone < until else until
    if until is None or now >= until:
        return "stale", gone
    return ("suspect" if facts.doubt.suspect or fresh.unreadable else "live"), until


# ---- over a restart, and when the clock is set ----

KEPT = (
    "known.use", "fresh.heard", "known.fault", "known.status_fault", "known.degraded", "doubt.suspect",
    "fresh.offline_at", "fresh.observed_at", "fresh.valid_until", "since", "known.away_until", "known.status",
    "known.detail", "known.battery_pct", "known.power_w", "known.energy_wh", "known.people", "known.ins", "known.outs",
    "known.passages", "known.free", "known.total", "known.expires", "doubt.was", "doubt.moved_at", "doubt.flips",
    "doubt.mark", "doubt.reason", "doubt.since", "known.seen_at", "watched_since", "fresh.unreadable", "known.off_at",
    "known.rose_at", "doubt.verdict", "known.reads_cards", "known.measured", "known.moved_at", "known.unlocked_at",
    "known.relocks", "known.relocks_at", "known.leaf", "known.leaf_at", "known.bolt", "known.bolt_at", "fresh.cut_at",
)  # fmt: skip
"""What a snapshot keeps: everything that evidence made; axes, access and what is set by hand are decided anew.
Snapshots hold the values alone, so a new name goes to the end."""
MOMENTS = (
    "fresh.observed_at", "fresh.valid_until", "fresh.offline_at", "known.away_until", "known.seen_at", "known.off_at",
    "known.rose_at", "doubt.moved_at", "doubt.since", "since", "watched_since", "known.moved_at", "known.unlocked_at",
    "known.relocks_at", "known.leaf_at", "known.bolt_at", "fresh.cut_at",
)  # fmt: skip
"""Times of ours: they move along when the clock is set."""

kept = attrgetter(*KEPT)
"""The values of a resource under the names of KEPT."""
_moments = attrgetter(*MOMENTS)


def put_back(facts: Facts, axes: Axes, values: Sequence[object]) -> None:
    """What `kept` once gave, and the axes of then. Values that its kind does not know are left out."""
    facts.axes = axes
    key = type(facts.known), len(values)
    places_of = _kept_places.get(key)
    if places_of is None:
        places_of = _kept_places[key] = _places(KEPT[: len(values)], type(facts.known))
    for part, places in places_of:
        owner = getattr(facts, part) if part else facts
        for slot, at in places:
            setattr(owner, slot, values[at])


def shift(facts: Facts, by: Millis) -> None:
    """The clock was set by `by` ms."""
    moments = _moments(facts)
    known = type(facts.known)
    places_of = _moment_places.get(known)
    if places_of is None:
        places_of = _moment_places[known] = _places(MOMENTS, known)
    for part, places in places_of:
        owner = getattr(facts, part) if part else facts
        for slot, at in places:
            if moments[at] is not None:
                setattr(owner, slot, moments[at] + by)
    if facts.known.measured:
        later = {name: (value, at + by) for name, (value, at) in facts.known.measured.items()}
        setattr(facts.known, "measured", later)  # noqa: B010  only a kind that measures has the slot
    facts.renew_at += by
    facts.doubt.ask()


_Places = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]

# Found out once for each kind: a start asks for every resource.
_kept_places: dict[tuple[type[Known], int], _Places] = {}
_moment_places: dict[type[Known], _Places] = {}


def _places(names: tuple[str, ...], known: type[Known]) -> _Places:
    """Each part with those slots of it that are named and that this kind knows, and where their values stand."""
    slots = set(slots_of(known))
    parts: dict[str, list[tuple[str, int]]] = {}
    for at, name in enumerate(names):
        part, _, slot = name.rpartition(".")
        if part != "known" or slot in slots:
            parts.setdefault(part, []).append((slot, at))
    return tuple((part, tuple(places)) for part, places in parts.items())
