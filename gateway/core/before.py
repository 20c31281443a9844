"""What messages may touch, as it was before they came, so that a message that fails leaves no trace.

Copying what one device feeds costs as much as handling a message, so a busy gateway does it only once something has
failed: see `Pipeline`.
"""

from collections.abc import Callable, Collection, Iterable
from copy import copy
from operator import attrgetter
from typing import Any

from gateway.core.context import Context
from gateway.evidence.checks import CheckState
from gateway.evidence.doubt import Doubt
from gateway.evidence.facts import Facts
from gateway.evidence.freshness import Freshness
from gateway.evidence.seen import NO_BOOTS, Seen
from gateway.kinds.known import Known, slots_of
from gateway.live import Station

# What stays what it is, and what is another's. An alarm is put back too: the heap still holds the entry that it had.
_PARTS = {"counters", "doubt", "fresh", "kind", "known", "public", "resource"}
_FACTS = tuple(name for name in Facts.__slots__ if name not in _PARTS)
_DOUBT = tuple(name for name in Doubt.__slots__ if name not in ("around", "group"))
_FRESH = Freshness.__slots__
_DEVICE = ("number", "online", "owed", "seen_at")
_STATION = ("access", "access_until", "alarm", "judged", "opening_kept", "recheck_at")
_BATCH = ("topics", "payloads", "received", "flags", "numbers")
_SEEN = tuple(name for name in Seen.__slots__ if name not in ("older", "ranges"))
_seen_of = attrgetter(*_SEEN)
_facts_of, _doubt_of, _fresh_of = attrgetter(*_FACTS), attrgetter(*_DOUBT), attrgetter(*_FRESH)
_device_of, _station_of = attrgetter(*_DEVICE), attrgetter(*_STATION)
_DEPTH = 4  # a decoder within decoders


class BeforeMessages:
    """Made before messages on these topics are handled; `restore` puts everything back. A command comes alone."""

    __slots__ = (
        "_checks",
        "_context",
        "_decoders",
        "_devices",
        "_kept",
        "_lengths",
        "_promises",
        "_quarantined",
        "_reports",
        "_returned",
        "_staff",
        "_stations",
        "_totals",
    )  # fmt: skip

    def __init__(self, context: Context, topics: Collection[bytes]) -> None:
        self._context = context
        outcome, live = context.outcome, context.live
        self._lengths = (
            len(outcome.batch),
            len(live.changes),
            len(live.openings.changes),
            len(outcome.rejected),
            len(outcome.happened),
            len(outcome.heard),
        )
        self._totals, self._quarantined = dict(live.counters), dict(context.quarantined)
        self._returned, self._kept = set(outcome.returned), dict(outcome.kept)
        sources = dict.fromkeys(source for topic in topics for source in context.foreign.sources_of(topic))
        self._decoders = [(source, _state(source.decoder)) for source in sources]
        devices = dict.fromkeys(device for topic in topics for device in context.speakers(topic))
        around = [live.stations[name] for name in sorted({device.station for device in devices})]
        self._promises = [(station, station.promise.kept(), station.opening_kept) for station in around]
        self._reports = len(outcome.reports)
        self._staff: tuple[Any, ...] | None = None
        self._checks: list[tuple[CheckState, tuple[Any, ...]]] = []
        self._stations: list[tuple[Station, tuple[Any, ...], list[_Facts]]] = []
        for topic in filter(is_command, topics):
            self._staff = context.nonces.state(), live.overrides.state(), dict(context.reports)
            station = live.stations.get(topic.split(b"/", 2)[1].decode(errors="replace"))
            if station is not None:
                self._promises.append((station, station.promise.kept(), station.opening_kept))
                self._checks += [(check, check.state()) for check in station.checks.values()]
                self._stations.append((station, _station_of(station), [_Facts(facts) for facts in station.facts()]))
        self._devices = [
            (device, _device_of(device), _seen(device.seen), [_Facts(facts) for facts in device.facts])
            for device in devices
        ]

    def restore(self) -> None:
        context = self._context
        outcome, live = context.outcome, context.live
        rows, changes, openings, rejected, happened, heard = self._lengths
        for name in _BATCH:
            del getattr(outcome.batch, name)[rows:]
        del (
            live.changes[changes:],
            live.openings.changes[openings:],
            outcome.rejected[rejected:],
            outcome.happened[happened:],
            outcome.heard[heard:],
        )
        for counter, before in ((live.counters, self._totals), (context.quarantined, self._quarantined)):
            counter.clear()
            counter.update(before)
        outcome.returned, outcome.kept = self._returned, self._kept
        for source, state in self._decoders:
            _put_back(source.decoder, state)
            context.foreign.hear_again(source)
        for device, said, seen, facts in self._devices:
            _put(device, _DEVICE, said)
            _put_seen(device.seen, seen)
            for one in facts:
                one.restore()
        for station, kept, opening in self._promises:  # it is judged anew at the next sign, or at its next look
            station.promise.restore(kept)
            station.opening_kept = opening
        for station, said, facts in self._stations:
            _put(station, _STATION, said)
            for one in facts:
                one.restore()
        if self._staff is not None:
            context.nonces.put_back(self._staff[0])
            live.overrides.put_back(self._staff[1])
            context.reports = self._staff[2]
        for check, known in self._checks:
            check.put_back(known)
        del outcome.reports[self._reports :]


def is_command(topic: bytes) -> bool:
    """What staff change. It reaches others too, who undo nothing."""
    return topic.startswith(b"yz-cmd/") or topic.endswith(b"/check")


def _put(thing: object, names: Iterable[str], values: Iterable[Any]) -> None:
    for name, value in zip(names, values, strict=True):
        setattr(thing, name, value)


class _Facts:
    """One resource with its parts."""

    __slots__ = ("_doubt", "_facts", "_fresh", "_known", "_public", "_said")

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._said, self._fresh, self._doubt = _facts_of(facts), _fresh_of(facts.fresh), _doubt_of(facts.doubt)
        self._known = _names_of(type(facts.known))[1](facts.known)
        self._public = None if facts.known.public is None else copy(facts.known.public)

    def restore(self) -> None:
        facts = self._facts
        _put(facts, _FACTS, self._said)
        _put(facts.fresh, _FRESH, self._fresh)
        _put(facts.doubt, _DOUBT, self._doubt)
        _put(facts.known, _names_of(type(facts.known))[0], self._known)
        if self._public is not None:
            facts.known.guard(self._public)


_Getter = Callable[[Known], tuple[Any, ...]]
_cached: dict[type[Known], tuple[tuple[str, ...], _Getter]] = {}


def _names_of(known: type[Known]) -> tuple[tuple[str, ...], _Getter]:
    """What a message may change of a kind's value, and what reads it."""
    cached = _cached.get(known)
    if cached is None:
        names = tuple(name for name in slots_of(known) if name not in _PARTS)
        several = attrgetter(*names) if len(names) > 1 else None
        cached = names, several or (lambda one: tuple(getattr(one, name) for name in names))
        _cached[known] = cached
    return cached


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
    found: dict[str, Any] = {}
    for name, value in _attributes(thing).items():
        if type(value) in (dict, list, set):
            found[name] = value, value.copy(), [(one, _state(one, depth - 1)) for one in _parts(value, depth)]
        elif depth and type(value).__module__.startswith("gateway.dialects"):
            found[name] = value, None, [(value, _state(value, depth - 1))]
        else:
            found[name] = value, None, []
    return found


def _attributes(thing: object) -> dict[str, Any]:
    names = [name for part in type(thing).__mro__ for name in getattr(part, "__slots__", ())]
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)} | getattr(thing, "__dict__", {})


def _parts(container: Any, depth: int) -> list[object]:
    values = container.values() if isinstance(container, dict) else container
    return [one for one in values if depth and type(one).__module__.startswith("gateway.dialects")]


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
