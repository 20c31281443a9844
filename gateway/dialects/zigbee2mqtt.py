"""Zigbee2MQTT: `zigbee2mqtt/NAME` JSON, availability in both forms, `last_seen`, one topic an attribute, renames.

Source: Koenkk/zigbee2mqtt.io, guide/usage (MQTT topics and messages, availability, exposes). `topic` is
`zigbee2mqtt/NAME`; with the IEEE address as NAME the device is followed through renames, by the list of devices and by
the answer to a rename.
No sequence, no time unless `last_seen` is on.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from gateway.dialects.base import (
    MAX_LIST_BYTES,
    NO_HEADER,
    Decoded,
    Overheard,
    Source,
    Unreadable,
    decode_json,
    is_topic,
    millis,
    read,
    read_object,
    read_text,
)
from gateway.dialects.shared import values
from gateway.dialects.shared.availability import is_online
from gateway.dialects.shared.facts import Name
from gateway.dialects.shared.meaning import Meaning, ReadSignals
from gateway.model import Header, Millis, Resource

TOPICS: Final = ("zigbee2mqtt/",)
NAMES: Final = (
    Name("occupancy", "presence", values.present),
    Name("presence", "presence", values.present),
    Name("contact", "open", values.shut),
    Name("lock_state", "locked", values.locked),
    Name("state", "relay", values.flag),
    Name("state", "locked", values.locked),
    Name("power", "power_w", values.power_w),
    Name("energy", "energy_wh", values.energy_kwh),
    Name("battery", "battery_pct", values.battery_pct),
    Name("smoke", "smoke", values.flag),
    Name("gas", "gas", values.flag),
    Name("carbon_monoxide", "co", values.flag),
    Name("water_leak", "leak", values.flag),
    Name("test", "test", values.flag),
    Name("temperature", "temperature_c", values.temperature_c),
    Name("humidity", "humidity_pct", values.humidity_pct),
    Name("co2", "co2_ppm", values.co2_ppm),
    Name("pm25", "pm25_ugm3", values.pm25_ugm3),
    Name("illuminance", "illuminance_lx", values.illuminance_lx),
)
_ATTRIBUTES: Final = (
    "occupancy", "presence", "contact", "lock_state", "power", "smoke", "gas", "carbon_monoxide", "water_leak",
    "temperature", "humidity", "co2", "pm25", "illuminance",
)  # fmt: skip
_IEEE: Final = re.compile(r"0x[0-9a-f]{16}")


class _Member(msgspec.Struct, gc=False):
    ieee_address: str
    friendly_name: str


class _Renamed(msgspec.Struct, gc=False, frozen=True, rename={"old": "from"}):
    old: str | None = None
    to: str | None = None


class _Answer(msgspec.Struct, gc=False):
    """`bridge/response/device/rename`; `data` is empty when it failed."""

    data: _Renamed = _Renamed()


_answer = msgspec.json.Decoder(_Answer).decode
_members = msgspec.json.Decoder(list[_Member]).decode


class Zigbee2Mqtt:
    """One Zigbee device."""

    __slots__ = ("_answer", "_bridges", "_ieee", "_list", "_meaning", "_root", "_rules", "_state", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        names = (*NAMES, *_contacts(source))
        self._meaning = Meaning(source, resource, names)
        self._rules = self._meaning.rules(NAMES, ("last_seen",))
        topic = source.topic
        name = topic.rpartition("/")[2]
        self._ieee = name if _IEEE.fullmatch(name) else None
        self._bridges = _bridges(topic)
        self._root = topic.removesuffix(name)
        self._list, self._answer = f"{self._root}bridge/devices", f"{self._root}bridge/response/device/rename"
        self._follow(topic)

    def _follow(self, topic: str) -> None:
        self._state = topic
        attributes = (f"{topic}/{key}" for key in _ATTRIBUTES if self._rules.get(key, ("",))[0])
        renames = (self._list, self._answer) if self._ieee else ()
        self.filters = (topic, f"{topic}/availability", *attributes, *self._bridges, *renames)

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        if topic == self._state:
            return self._report(read_object(payload))
        if topic in self._bridges:
            # The bridge being back says nothing about the device; the bridge being gone does.
            return None if is_online(payload) else self._meaning.availability(False, NO_HEADER)
        if self._ieee and topic in (self._list, self._answer):
            try:
                self._rename(self._new_name(topic, payload))
            except Unreadable as error:
                raise Unreadable(error.reason, aside=True) from None
            return None
        base, _, last = topic.rpartition("/")
        if base != self._state:
            return None
        if last == "availability":
            return self._meaning.availability(is_online(payload), NO_HEADER)
        return self._report({last: _scalar(payload)}) if topic in self.filters else None

    def _report(self, body: dict[str, object]) -> Decoded:
        signals = ReadSignals()
        ignored = self._meaning.read(self._rules, body, signals)
        if self._meaning.picks:
            self._meaning.take(body, signals)
        seen = body.get("last_seen")
        header = NO_HEADER if seen is None else Header(millis(seen))
        return self._meaning.decoded(header, signals, ignored)

    def _new_name(self, topic: str, payload: bytes) -> str | None:
        if topic == self._list:
            names = {member.ieee_address: member.friendly_name for member in read(_members, payload, MAX_LIST_BYTES)}
            return names.get(str(self._ieee))
        data = read(_answer, payload).data
        return data.to if data.old in (self._ieee, self._state.removeprefix(self._root)) else None

    def _rename(self, name: str | None) -> None:
        if is_topic(name) and f"{self._root}{name}" != self._state:
            self._follow(f"{self._root}{name}")


bind = Zigbee2Mqtt


def _contacts(source: Source) -> Iterator[Name]:
    """A contact of another name (`garage_door_contact`) has the sense of `contact`: true is closed."""
    for path in (source.field or "", *source.fields.values()):
        if path.endswith("_contact"):
            yield Name(path.rpartition(".")[2], "open", values.shut)


def _bridges(topic: str) -> tuple[str, ...]:
    """Where the bridge's own state may stand: base topic and friendly name may both contain slashes."""
    steps = topic.split("/")[:-1]
    return tuple("/".join((*steps[:depth], "bridge", "state")) for depth in range(1, len(steps) + 1))


def _scalar(payload: bytes) -> object:
    """One attribute alone: JSON, or a bare word."""
    try:
        return read(decode_json, payload)
    except Unreadable:
        return read_text(payload)


def hear(topic: str, payload: bytes) -> Overheard | None:
    """A device report under `zigbee2mqtt/`."""
    root, _, name = topic.partition("/")
    if root != "zigbee2mqtt" or not name or name.startswith("bridge/") or name.endswith(("/set", "/get")):
        return None
    if name.endswith("/availability"):
        return Overheard(topic.removesuffix("/availability"))
    body = read_object(payload)
    return Overheard(topic, tuple(dict.fromkeys(name.fact for name in NAMES if name.key in body)))
