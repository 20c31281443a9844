"""Foreign devices: which topics feed which resources, and their messages turned into the house's own.

What is stored is the native form, so that export, replay, dedupe and privacy are the same for everybody.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from gateway import wire
from gateway.dialects import Decoded, Decoder, Unreadable
from gateway.live import Device
from gateway.model import Millis
from gateway.wire import UnreadableError


class Source:
    """One resource's decoder, and the device that it stands for."""

    __slots__ = ("decoder", "device", "filters")

    def __init__(self, decoder: Decoder, device: Device) -> None:
        self.decoder, self.device = decoder, device
        self.filters = decoder.filters


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


class Foreign:
    """All sources of a gateway. `filters` is what to subscribe to; a new object when a device was renamed."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = list(sources)
        self._by_topic: dict[bytes, list[Source]] = defaultdict(list)
        for source in self._sources:
            self._listen(source)
        self.filters = frozenset(topic.decode() for topic in self._by_topic)

    def __bool__(self) -> bool:
        return bool(self._sources)

    def _listen(self, source: Source) -> None:
        for topic in source.filters:
            self._by_topic[topic.encode()].append(source)

    def _follow(self, source: Source) -> None:
        """The device now speaks elsewhere."""
        for topic in source.filters:
            self._by_topic[topic.encode()].remove(source)
        source.filters = source.decoder.filters
        self._listen(source)
        self.filters = frozenset(topic.decode() for topic, heard in self._by_topic.items() if heard)

    def translate(self, topic: bytes, payload: bytes, now: Millis) -> tuple[list[Translated], str | None]:
        """The message for every resource that it feeds, and why one of them can't read it."""
        sources = self._by_topic.get(topic)
        heard: list[Translated] = []
        if not sources:
            return heard, None
        text, refused = topic.decode(), None
        for source in sources if len(sources) == 1 else tuple(sources):
            try:
                decoded = source.decoder.decode(text, payload, now)
                if decoded is not None:
                    heard.append(_native(source, decoded))
            except (Unreadable, UnreadableError) as error:
                refused = error.reason
            if source.decoder.filters is not source.filters:
                self._follow(source)
        return heard, refused


def _native(source: Source, decoded: Decoded) -> Translated:
    device, header = source.device, decoded.header
    valid_for_ms = source.decoder.valid_for_ms
    if valid_for_ms is not None:
        for facts in device.facts:
            facts.ttl_ms = valid_for_ms
    if decoded.topic == "state":
        payload = wire.encode_state(header, decoded.signals)
        signals, _ = wire.read(device.decode, payload)
        return Translated(device, device.topic, payload, signals, None, None, decoded.ignored)
    topic, payload = wire.encode(decoded.observation)
    online = bool(decoded.signals["online"]) if decoded.topic == "availability" else None
    return Translated(device, topic.encode(), payload, None, online, header.boot, decoded.ignored)
