"""Foreign devices: which topics feed which resources, and their messages turned into the house's own.

What is stored is the native form, so that export, replay, dedupe and privacy are the same for everybody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from gateway import wire
from gateway.dialects import Decoded, Decoder, Unreadable
from gateway.live import Device
from gateway.model import Header, Millis
from gateway.wire import UnreadableError


class Source:
    """One resource's decoder, the device that it stands for, and the Struct its signals go into."""

    __slots__ = ("decoder", "device", "filters", "shape")

    def __init__(self, decoder: Decoder, device: Device, shape: type[msgspec.Struct]) -> None:
        self.decoder, self.device, self.shape = decoder, device, shape
        self.filters = decoder.filters


class Translated(msgspec.Struct, gc=False):
    """A foreign message as a native one: `signals` is the kind's Struct; `online` is set for availability."""

    device: Device
    topic: bytes
    payload: bytes
    header: Header
    signals: Any
    online: bool | None
    ignored: int


class Foreign:
    """All sources of a gateway. `filters` is what to subscribe to; a new object when a device was renamed."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = list(sources)
        self._by_topic: dict[bytes, list[Source]] = {}
        self.filters = self._all_filters()

    def __bool__(self) -> bool:
        return bool(self._sources)

    def _all_filters(self) -> frozenset[str]:
        return frozenset(one for source in self._sources for one in source.filters)

    def translate(self, topic: bytes, payload: bytes, now: Millis) -> Iterator[Translated]:
        """The message for every resource that it feeds. UnreadableError with the reason."""
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            raise UnreadableError("topic_encoding") from None
        for source in self._sources_of(topic, text):
            try:
                decoded = source.decoder.decode(text, payload, now)
            except Unreadable as error:
                raise UnreadableError(error.reason) from None
            if source.decoder.filters is not source.filters:
                source.filters = source.decoder.filters
                self.filters = self._all_filters()
                self._by_topic.clear()
            if decoded is not None:
                yield self._native(source, decoded)

    def _sources_of(self, topic: bytes, text: str) -> list[Source]:
        found = self._by_topic.get(topic)
        if found is None:
            found = [source for source in self._sources if any(matches(one, text) for one in source.filters)]
            if len(self._by_topic) > 100_000:  # somebody publishes ever new topics under a wildcard
                self._by_topic.clear()
            self._by_topic[topic] = found
        return found

    @staticmethod
    def _native(source: Source, decoded: Decoded) -> Translated:
        device = source.device
        if source.decoder.valid_for_ms is not None:
            for facts in device.facts:
                facts.ttl_ms = source.decoder.valid_for_ms
        ours = replace(decoded, station=device.station, device=device.id)
        topic, payload = wire.encode(ours)
        online = bool(decoded.signals.get("online")) if decoded.topic == "availability" else None
        signals = None
        if online is None and decoded.event is None:
            try:
                signals = msgspec.convert(decoded.signals, source.shape)
            except msgspec.ValidationError:
                raise UnreadableError("wrong_type") from None
        return Translated(device, topic.encode(), payload, decoded.header, signals, online, decoded.ignored)


def matches(topic_filter: str, topic: str) -> bool:
    """MQTT's own rule for `+` and `#`."""
    wanted, got = topic_filter.split("/"), topic.split("/")
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at >= len(got) or level not in ("+", got[at]):
            return False
    return len(wanted) == len(got)
