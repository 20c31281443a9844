"""Foreign devices: which topics feed which resources, and their messages turned into the house's own.

What is stored is the native form, so that export, replay, dedupe and privacy are the same for everybody.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from gateway import wire
from gateway.core.remarks import Remarks
from gateway.dialects import Decoded, Decoder, Unreadable
from gateway.dialects.base import Elsewhere
from gateway.dialects.shared.facts import MAINS
from gateway.live import Device
from gateway.model import Header, Millis
from gateway.wire import UnreadableError

_VALUES = frozenset(signal for told, _ in MAINS.values() for signal in told)
AWAKE_MS = 120_000
"""A device that says hello, reports and says goodbye within this time has gone to sleep, not missing."""


class BoundSource:
    """One resource's decoder, and the device that it stands for."""

    __slots__ = ("born_at", "decoder", "device", "filters", "own_will", "spoke", "told_on")

    def __init__(self, decoder: Decoder, device: Device, *, own_will: bool = False) -> None:
        self.decoder, self.device = decoder, device
        self.filters = decoder.filters
        self.own_will = own_will  # its goodbye is that of its own connection, not somebody's judgement of it
        self.born_at: Millis | None = None
        self.spoke = False  # since it was born
        self.told_on: str | None = None  # the only topic that has told its value so far; "" for several

    def sleeps(self, now: Millis) -> bool:
        """Whether a goodbye now is that of a device that wakes, reports and sleeps again."""
        if not (self.own_will and self.spoke) or self.born_at is None or now - self.born_at > AWAKE_MS:
            return False
        return all(facts.resource.reporting == "on_change" for facts in self.device.facts)


class Translated(msgspec.Struct, gc=False):
    """A foreign message as a native one: `signals` as the device's own decoder reads them, None for what is no state;
    `online` is set for availability."""

    device: Device
    topic: bytes
    payload: bytes
    signals: Any
    online: bool | None
    boot: str | None
    ignored: int


class Translation(NamedTuple):
    """What a message came to: its native forms, why a source can't read it, whose value is lost with it."""

    said: list[Translated]
    refused: str | None
    lost: list[Device]


class Foreign:
    """All sources of a gateway. `filters` is what to subscribe to; a new object when a device was renamed."""

    def __init__(self, sources: Mapping[tuple[str, str], BoundSource]) -> None:
        """By station and resource."""
        self._sources = dict(sources)
        self._by_topic: dict[bytes, list[BoundSource]] = defaultdict(list)
        for source in self._sources.values():
            self._listen(source)
        self.filters = frozenset(topic.decode() for topic in self._by_topic)
        self.remarks = Remarks()

    def __bool__(self) -> bool:
        return bool(self._sources)

    def change(self, ended: Iterable[tuple[str, str]], begun: Mapping[tuple[str, str], BoundSource]) -> None:
        """Some sources speak no more, others do from now on."""
        silent = set[str]()
        for key in [key for key in ended if key in self._sources]:
            source = self._sources.pop(key)
            for topic in source.filters:
                heard = self._by_topic[topic.encode()]
                heard.remove(source)
                if not heard:
                    del self._by_topic[topic.encode()]
                    silent.add(topic)
        self._sources.update(begun)
        for source in begun.values():
            self._listen(source)
        fresh = {topic for source in begun.values() for topic in source.filters}
        if silent or fresh:
            self.filters = self.filters - silent | fresh

    def _listen(self, source: BoundSource) -> None:
        for topic in source.filters:
            self._by_topic[topic.encode()].append(source)

    def _follow(self, source: BoundSource) -> None:
        """The device now speaks elsewhere."""
        for topic in source.filters:
            self._by_topic[topic.encode()].remove(source)
        source.filters = source.decoder.filters
        self._listen(source)
        self.filters = frozenset(topic.decode() for topic, heard in self._by_topic.items() if heard)

    def sources_of(self, topic: bytes) -> list[BoundSource]:
        """Those that listen to this topic."""
        return list(self._by_topic.get(topic, ()))

    def hear_again(self, source: BoundSource) -> None:
        """A decoder was put back to what it was: it listens where it then did."""
        if source.decoder.filters is not source.filters:
            self._follow(source)

    def translate(self, topic: bytes, payload: bytes, now: Millis) -> Translation:
        """The message for every resource that it feeds. An empty one clears what was retained: it says nothing."""
        heard = Translation([], None, [])
        sources = self._by_topic.get(topic)
        if not sources:
            return heard
        text, refused = topic.decode(), None
        for source in sources if len(sources) == 1 else tuple(sources):
            try:
                decoded = source.decoder.decode(text, payload, now)
                if decoded is not None and payload:
                    heard.said.extend(_native(source, decoded, text, now))
                    self.remarks.bad(source.device.station, source.device.id, decoded.bad)
            except Elsewhere:
                continue
            except (Unreadable, UnreadableError) as error:
                if payload:
                    refused = error.reason
                if payload and _is_lost(source, text, error):
                    heard.lost.append(source.device)
            if source.decoder.filters is not source.filters:
                self._follow(source)
                self._note_unused(source)
        return heard._replace(refused=refused)

    def lost(self, topic: bytes) -> list[Device]:
        """The devices whose value stands in messages on `topic` alone: one came that no decoder may see."""
        return self.translate(topic, b"\xff", 0).lost if topic in self._by_topic else []

    def _note_unused(self, source: BoundSource) -> None:
        for text in getattr(source.decoder, "unused", ()):
            self.remarks.say(
                f"{source.device.station}/{source.device.id}: {text}",
                "is not used: it is outside of the templates that we read (told once)",
            )


def _is_lost(source: BoundSource, topic: str, error: Unreadable | UnreadableError) -> bool:
    if isinstance(error, UnreadableError) or error.main:
        return True
    return not error.aside and source.told_on in (None, topic)


def _native(source: BoundSource, decoded: Decoded, heard_on: str, now: Millis) -> Iterator[Translated]:
    """A state, an event, or a state and then the event that came with it."""
    if decoded.topic == "availability":
        yield _availability(source, decoded, now)
        return
    source.spoke = True
    if decoded.topic == "state" and source.told_on != heard_on and not _VALUES.isdisjoint(decoded.signals):
        source.told_on = heard_on if source.told_on is None else ""
    yield _one(source, decoded)
    if decoded.topic == "state" and decoded.event is not None:
        # The identity is the state's: who has one number has one message.
        yield _one(source, replace(decoded, topic="event", signals={}, header=Header(decoded.header.ts), ignored=0))


def _availability(source: BoundSource, decoded: Decoded, now: Millis) -> Translated:
    online, sleeps = bool(decoded.signals["online"]), False
    if online:
        source.born_at, source.spoke = now, False
    else:
        sleeps = source.sleeps(now)
    topic, payload = wire.encode(decoded.observation)
    if sleeps:
        payload = wire.GOOD_NIGHT
    return Translated(source.device, topic.encode(), payload, None, online, decoded.header.boot, decoded.ignored)


def _one(source: BoundSource, decoded: Decoded) -> Translated:
    device, header = source.device, decoded.header
    valid_for_ms = source.decoder.valid_for_ms
    if valid_for_ms is not None:
        for facts in device.facts:
            facts.fresh.lasts(valid_for_ms)
    if decoded.topic == "state":
        payload = wire.encode_state(header, decoded.signals)
        signals, _, _ = wire.read(device.decode, payload)
        return Translated(device, device.topic, payload, signals, None, None, decoded.ignored)
    topic, payload = wire.encode(decoded.observation)
    return Translated(device, topic.encode(), payload, None, None, header.boot, decoded.ignored)
