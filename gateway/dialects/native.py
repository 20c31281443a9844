"""Our own payloads on somebody else's topics: contract section 3 below another base.

`topic` carries the state messages, or is the base of `…/state`, `…/event` and `…/availability`. Identity and time as
ever: nothing is lost in translation.
"""

import re
from collections.abc import Callable
from typing import Final

from gateway.dialects.base import NO_HEADER, Decoded, Overheard, Source, Unreadable, millis, read_object
from gateway.dialects.shared import values
from gateway.dialects.shared.availability import is_online
from gateway.dialects.shared.facts import EVENTS, FACTS, Name, other_types, reader_of
from gateway.dialects.shared.meaning import Meaning, ReadSignals
from gateway.model import Header, Millis, Resource, Signal

_HEADER: Final = ("ts", "boot", "seq", "oldest")
_EVENT_FIELDS: Final[dict[str, Callable[[object], Signal | None]]] = {
    "card": values.text,
    "granted": values.flag,
    "direction": values.text,
    "n": values.count,
}
_OURS: Final = re.compile(r"(yz/[a-z0-9-]+/([^/]+))/(state|event|availability)")


def _names(resource: Resource) -> tuple[Name, ...]:
    """Here a field is called as the signal that it is."""
    told = [(fact, signal) for fact, signal in FACTS[resource.kind].items() if fact not in other_types(resource)]
    signals = {signal: fact for fact, signal in reversed(told) if signal not in ("relay", "bay")}
    return tuple(Name(signal, fact, reader_of(resource.kind, signal)) for signal, fact in signals.items())


class Native:
    """One device that speaks as ours do."""

    __slots__ = ("_availability", "_event", "_meaning", "_rules", "_states", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        names = _names(resource)
        self._meaning = Meaning(source, resource, names)
        self._meaning.derives_status = False
        self._rules = self._meaning.rules(names, _HEADER)
        self._states = (source.topic, f"{source.topic}/state")
        self._event, self._availability = f"{source.topic}/event", f"{source.topic}/availability"
        self.filters = (*self._states, self._event, self._availability)

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        if topic in self._states:
            body = read_object(payload)
            signals = ReadSignals()
            ignored = self._meaning.read(self._rules, body, signals)
            self._meaning.take(body, signals)
            return self._meaning.decoded(_header(body), signals, ignored)
        if topic == self._event:
            return self._happened(read_object(payload))
        return self._meaning.availability(is_online(payload), NO_HEADER) if topic == self._availability else None

    def _happened(self, body: dict[str, object]) -> Decoded:
        kind = body.get("type")
        if kind not in EVENTS:
            raise Unreadable("unknown_value")
        told = {key: read(body[key]) for key, read in _EVENT_FIELDS.items() if key in body}
        signals = ReadSignals({key: value for key, value in told.items() if value is not None})
        return self._meaning.event(str(kind), _header(body), 0, signals)


bind = Native


def _header(body: dict[str, object]) -> Header:
    """`seq` counts only together with `boot`."""
    ts, boot, seq, oldest = (body.get(key) for key in _HEADER)
    if boot is None or seq is None:
        return NO_HEADER if ts is None else Header(millis(ts))
    lowest = None if oldest is None else values.sequence(oldest)
    return Header(millis(ts), values.text(boot), values.sequence(seq), lowest)


def hear(topic: str, payload: bytes) -> Overheard | None:
    """Any message of a device of ours: its signals are told by its state alone, its will at least that it is there."""
    ours = _OURS.fullmatch(topic)
    if ours is None:
        return None
    base, device, told = ours.groups()
    if told == "availability":
        is_online(payload)
    said = read_object(payload) if told == "state" else {}
    facts = {signal: fact for facts in reversed([*FACTS.values()]) for fact, signal in reversed([*facts.items()])}
    return Overheard(f"{base}/state", tuple(dict.fromkeys(facts[key] for key in said if key in facts)), device)
