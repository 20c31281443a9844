"""What a message may touch, as it was before it came, so that a message that fails leaves no trace.

A message that only repeats what is known touches nothing before all that can fail is done, so nothing is copied for it:
see `Usual`. Of all others, whatever they may touch is copied, at any load.
"""

from collections.abc import Callable, Iterable
from copy import copy
from operator import attrgetter
from typing import Any

from gateway.core.context import Context
from gateway.evidence.checks import CheckState
from gateway.evidence.doubt import Doubt
from gateway.evidence.facts import Facts
from gateway.evidence.freshness import Freshness
from gateway.evidence.opening import Kept
from gateway.evidence.seen import NO_BOOTS, Seen
from gateway.kinds.known import Known
from gateway.live import Device, Station
from gateway.policy.privacy import Public

# What is never written after it was built, or is another's. An alarm is put back too: the heap still holds the entry
# that it had.
STAYS = {
    Facts: ("checks", "doubt", "fresh", "kind", "known", "lifecycle", "proves_entry", "resource", "sees_entry"),
    Freshness: ("on_change", "step_ms"),
    Doubt: ("around", "group", "load"),
    Known: ("counters", "public", "resource"),
}
_DEVICE = ("online", "owed", "seen_at")
_STATION = ("access", "access_until", "alarm", "judged", "opening_kept", "recheck_at")
_BATCH = ("topics", "payloads", "received", "flags", "numbers")
_SEEN = tuple(name for name in Seen.__slots__ if name not in ("older", "ranges"))
_seen_of, _device_of, _station_of = attrgetter(*_SEEN), attrgetter(*_DEVICE), attrgetter(*_STATION)
_DEPTH = 4  # a decoder within decoders


class BeforeState:
    """Made before a state message of `device` is handled; `restore` puts everything back.

    `in_order`: its number is the next one, of which note is taken when nothing can fail any more.
    """

    __slots__ = ("_context", "_device", "_facts", "_gathered", "_promise", "_said", "_seen")

    def __init__(self, context: Context, device: Device, *, in_order: bool) -> None:
        self._context, self._device = context, device
        self._gathered = _gathered(context)
        self._said, self._seen = _device_of(device), None if in_order else _seen(device.seen)
        self._facts = [_facts(facts) for facts in device.facts]
        self._promise: _Promise | None = None
        for facts in device.facts:
            if facts.proves_entry or facts.sees_entry:
                self._promise = _promise(context.live.stations[device.station])
                break

    def restore(self) -> None:
        _put_gathered(self._context, self._gathered)
        _put(self._device, _DEVICE, self._said)
        if self._seen is not None:
            _put_seen(self._device.seen, self._seen)
        for kept in self._facts:
            _put_facts(*kept)
        if self._promise is not None:
            _put_promise(self._promise)


class BeforeMessage:
    """Made before any message on this topic is handled; `restore` puts everything back."""

    __slots__ = (
        "_asked", "_checks", "_context", "_decoders", "_gathered", "_kept", "_lengths", "_promises", "_quarantined",
        "_returned", "_staff", "_states", "_stations", "_told",
    )  # fmt: skip

    def __init__(self, context: Context, topic: bytes) -> None:
        self._context = context
        outcome, live = context.outcome, context.live
        self._gathered = _gathered(context)
        self._lengths = len(outcome.rejected), len(outcome.happened), len(outcome.reports)
        self._told = len(outcome.said), len(outcome.answers), len(outcome.to_centre)
        self._quarantined = dict(context.quarantined)
        self._returned, self._kept = set(outcome.returned), dict(outcome.kept)
        self._decoders = [(source, _state(source.decoder)) for source in context.foreign.sources_of(topic)]
        devices = dict.fromkeys(context.speakers(topic))
        self._promises = [_promise(live.stations[name]) for name in sorted({device.station for device in devices})]
        self._staff: tuple[Any, ...] | None = None
        self._asked: tuple[Any, Any] = (None, None)
        self._checks: list[tuple[CheckState, tuple[Any, ...]]] = []
        self._stations: list[tuple[Station, tuple[Any, ...], list[_Facts]]] = []
        if is_command(topic):
            self._staff = context.nonces.state(), live.overrides.state(), dict(context.reports)
            self._asked = context.errands.state(), context.answers.state()
            station = live.stations.get(topic.split(b"/", 2)[1].decode(errors="replace"))
            if station is not None:
                self._stations.append((station, _station_of(station), [_facts(facts) for facts in station.facts()]))
                self._promises.append(_promise(station))
                self._checks += [(check, check.state()) for check in station.checks.values()]
        self._states = [BeforeState(context, device, in_order=False) for device in devices]

    def restore(self) -> None:
        context = self._context
        outcome, live = context.outcome, context.live
        _put_gathered(context, self._gathered)
        rejected, happened, reports = self._lengths
        del outcome.rejected[rejected:], outcome.happened[happened:], outcome.reports[reports:]
        told = self._told
        del outcome.said[told[0] :], outcome.answers[told[1] :], outcome.to_centre[told[2] :]
        context.quarantined.clear()
        context.quarantined.update(self._quarantined)
        outcome.returned, outcome.kept = self._returned, self._kept
        for source, state in self._decoders:
            _put_back(source.decoder, state)
            context.foreign.hear_again(source)
        for state_before in self._states:
            state_before.restore()
        for promise in self._promises:
            _put_promise(promise)
        for station, said, facts in self._stations:
            _put(station, _STATION, said)
            for kept in facts:
                _put_facts(*kept)
        if self._staff is not None:
            context.nonces.put_back(self._staff[0])
            live.overrides.put_back(self._staff[1])
            context.reports = self._staff[2]
            context.errands.put_back(self._asked[0])
            context.answers.put_back(self._asked[1])
        for check, known in self._checks:
            check.put_back(known)


def is_command(topic: bytes) -> bool:
    """What staff change. It reaches others too, who undo nothing."""
    return topic.startswith((b"yz-cmd/", b"yz-deed/", b"yz-reply/")) or topic.endswith(b"/check")


_Gathered = tuple[int, int, int, int, dict[str, int]]


def _gathered(context: Context) -> _Gathered:
    """How much has come together of what any message adds to."""
    outcome, live = context.outcome, context.live
    rows, openings = len(outcome.batch.payloads), len(live.openings.changes)
    return rows, len(live.changes), openings, len(outcome.heard), dict(live.counters)


def _put_gathered(context: Context, gathered: _Gathered) -> None:
    outcome, live = context.outcome, context.live
    rows, changes, openings, heard, totals = gathered
    for name in _BATCH:
        del getattr(outcome.batch, name)[rows:]
    del live.changes[changes:], live.openings.changes[openings:], outcome.heard[heard:]
    live.counters.clear()
    live.counters.update(totals)


_Promise = tuple[Station, Kept, str]


def _promise(station: Station) -> _Promise:
    return station, station.promise.kept(), station.opening_kept


def _put_promise(promise: _Promise) -> None:
    """It is judged anew at the next sign, or at its next look."""
    station, kept, opening = promise
    station.promise.restore(kept)
    station.opening_kept = opening


def _put(thing: object, names: Iterable[str], values: Iterable[Any]) -> None:
    for name, value in zip(names, values, strict=True):
        setattr(thing, name, value)


def changeable(part: type) -> tuple[str, ...]:
    """The slots of a part of a resource that a message may change."""
    stays = {name for base, names in STAYS.items() if issubclass(part, base) for name in names}
    return tuple(name for base in part.__mro__ for name in getattr(base, "__slots__", ()) if name not in stays)


_FACTS, _FRESH, _DOUBT = changeable(Facts), changeable(Freshness), changeable(Doubt)
_Values = tuple[Any, ...]
_Facts = tuple[Facts, _Values, _Values, _Values, _Values, Public | None]


# In the order of their slots; written out, for `attrgetter` takes three times as long.


def facts_of(facts: Facts) -> _Values:
    return (
        facts.access, facts.alarm, facts.axes, facts.barred, facts.booked, facts.effect, facts.entered_at,
        facts.holds_until, facts.renew_at, facts.since, facts.watched_since,
    )  # fmt: skip


def fresh_of(fresh: Freshness) -> _Values:
    return (
        fresh.cut_at, fresh.heard, fresh.observed_at, fresh.offline_at, fresh.ttl_ms, fresh.unreadable,
        fresh.valid_until,
    )  # fmt: skip


def doubt_of(doubt: Doubt) -> _Values:
    return (
        doubt.band, doubt.flips, doubt.look_at, doubt.mark, doubt.moved_at, doubt.reason, doubt.since, doubt.status,
        doubt.suspect, doubt.verdict, doubt.was,
    )  # fmt: skip


def _facts(facts: Facts) -> _Facts:
    """One resource with its parts."""
    known = facts.known
    public = known.public
    getter = _getters.get(type(known)) or _getter_of(type(known))
    return (
        facts,
        facts_of(facts),
        fresh_of(facts.fresh),
        doubt_of(facts.doubt),
        getter(known),
        None if public is None else copy(public),
    )


def _put_facts(
    facts: Facts, said: _Values, fresh: _Values, doubt: _Values, known: _Values, public: Public | None
) -> None:
    _put(facts, _FACTS, said)
    _put(facts.fresh, _FRESH, fresh)
    _put(facts.doubt, _DOUBT, doubt)
    _put(facts.known, changeable(type(facts.known)), known)
    if public is not None:
        facts.known.guard(public)


_getters: dict[type[Known], Callable[[Known], _Values]] = {}


def _getter_of(known: type[Known]) -> Callable[[Known], _Values]:
    """What reads that of a kind's value which a message may change. Every kind has several such slots."""
    getter = _getters[known] = attrgetter(*changeable(known))
    return getter


def _seen(seen: Seen) -> tuple[Any, ...]:
    """What stands in `_SEEN`, and copies of what is changed in place."""
    older = seen.older
    if older is not NO_BOOTS:
        older = {boot: list(ranges) for boot, ranges in older.items()}
    return _seen_of(seen), list(seen.ranges), older


def _put_seen(seen: Seen, kept: tuple[Any, ...]) -> None:
    said, seen.ranges, seen.older = kept
    _put(seen, _SEEN, said)


def _state(thing: object, depth: int = _DEPTH) -> dict[str, Any]:
    """Attribute by attribute: containers copied, parts that are dialects' own objects looked into."""
    state: dict[str, Any] = {}
    for name, value in _attributes(thing).items():
        if type(value) in (dict, list, set):
            state[name] = value, value.copy(), [(part, _state(part, depth - 1)) for part in _parts(value, depth)]
        elif depth and type(value).__module__.startswith("gateway.dialects"):
            state[name] = value, None, [(value, _state(value, depth - 1))]
        else:
            state[name] = value, None, []
    return state


def _attributes(thing: object) -> dict[str, Any]:
    names = [name for part in type(thing).__mro__ for name in getattr(part, "__slots__", ())]
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)} | getattr(thing, "__dict__", {})


def _parts(container: Any, depth: int) -> list[object]:
    values = container.values() if isinstance(container, dict) else container
    return [part for part in values if depth and type(part).__module__.startswith("gateway.dialects")]


def _put_back(thing: object, state: dict[str, Any]) -> None:
    for name in _attributes(thing).keys() - state.keys():
        delattr(thing, name)
    for name, (value, content, parts) in state.items():
        if content is not None:
            value.clear()
            (value.extend if isinstance(value, list) else value.update)(content)
        if getattr(thing, name, None) is not value:
            setattr(thing, name, value)
        for part, inside in parts:
            _put_back(part, inside)
