"""Foreign MQTT dialects: other people's payloads, read into the house's own words.

A dialect is one file with `bind(source, resource) -> Decoder` and `hear(topic, payload) -> Heard | None`, and one
line in `DIALECTS`. Files are imported when a configuration first names them.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import cast

from gateway.dialects.availability import WithAvailability
from gateway.dialects.base import BadSource, Decoded, Decoder, Heard, Source, Unreadable, is_topic
from gateway.dialects.stamped import Stamped
from gateway.model import Resource

__all__ = ["DIALECTS", "BadSource", "Decoded", "Decoder", "Heard", "Source", "Unreadable", "bind", "ear"]

DIALECTS: dict[str, str] = {
    "native": "gateway.dialects.native",
    "zigbee2mqtt": "gateway.dialects.zigbee2mqtt",
    "tasmota": "gateway.dialects.tasmota",
    "shelly": "gateway.dialects.shelly",
    "homeassistant": "gateway.dialects.homeassistant",
    "esphome": "gateway.dialects.esphome",
    "chirpstack": "gateway.dialects.chirpstack",
    "ttn": "gateway.dialects.ttn",
    "senml": "gateway.dialects.senml",
    "json": "gateway.dialects.plain_json",
}

_OURS = re.compile(r"yz(-[a-z]+)?(/|\Z)")


def bind(source: Source, resource: Resource) -> Decoder:
    """The decoder that feeds `resource` from `source`. BadSource says what to write instead."""
    if source.dialect not in DIALECTS:
        raise BadSource(f"{source.dialect!r} is no dialect; use one of {', '.join(DIALECTS)}")
    for topic in (source.topic, source.availability_topic):
        if topic is not None and not is_topic(topic):
            raise BadSource(f"topic {topic!r}: write one device's own topic, without + and #")
        if topic is not None and _OURS.match(topic):
            raise BadSource(f"topic {topic!r} is one of ours: name its device instead, as in device: seat-01")
    make = cast("Callable[[Source, Resource], Decoder]", import_module(DIALECTS[source.dialect]).bind)
    decoder = make(source, resource)
    if source.ts is not None and source.dialect != "json":  # which reads it itself
        decoder = Stamped(decoder, source.ts)
    if source.availability_topic:
        return WithAvailability(decoder, source.availability_topic, resource)
    return decoder


def ear(dialect: str) -> Callable[[str, bytes], Heard | None]:
    """The dialect's `hear`: what one message tells somebody who only listens. KeyError for no dialect."""
    return cast("Callable[[str, bytes], Heard | None]", import_module(DIALECTS[dialect]).hear)
