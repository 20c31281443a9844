"""Tasmota: SENSOR, STATE, STATUS8/10/11/2, RESULT and POWER, LWT.

Source: tasmota/docs (MQTT, JSON-Status-Responses, Power-Monitoring-Calibration, HLK-LD2410). `topic` is `tele/NAME`,
or `NAME/tele` where the full topic is set so; `field: POWER2` or `Switch2` picks one of several. No sequence; `Time`
counts only if it carries an offset. The relay comes in other messages than the power does.
"""

import re
from dataclasses import replace
from typing import Final

from gateway.dialects.base import (
    NO_HEADER,
    BadSource,
    Decoded,
    Overheard,
    Source,
    Unreadable,
    millis,
    read_object,
    read_text,
)
from gateway.dialects.shared import values
from gateway.dialects.shared.availability import is_online
from gateway.dialects.shared.facts import HAZARDS, Name
from gateway.dialects.shared.meaning import FieldRules, Meaning, ReadSignals
from gateway.dialects.shared.paths import pick
from gateway.dialects.shared.values import SignalReader
from gateway.model import Header, Millis, Resource, Signal

TOPICS: Final = ("tasmota/discovery/",)
OWN_WILL: Final = True

_PART: Final = re.compile(r"(POWER|Switch)(\d*)")
_BRIDGES: Final = ("ZbReceived", "ZbInfo", "RfReceived", "IrReceived", "BLE", "SSerialReceived")
_WRAPPED: Final = {"STATUS8": "StatusSNS", "STATUS10": "StatusSNS", "STATUS11": "StatusSTS", "STATUS2": "StatusFWR"}


def _channel(index: int | None, read: SignalReader) -> SignalReader:
    """One number, or a list with one a channel: the `index`th, or all together."""

    def channel(value: object) -> Signal | None:
        if not isinstance(value, list):
            return read(value) if not index else None
        if index is not None:
            return read(value[index]) if index < len(value) else None
        if not value:
            raise Unreadable("wrong_type")
        return read(sum(values.number(number) for number in value))

    return channel


def _action(value: object) -> Signal | None:
    """A switch: `"ON"`, or `{"Action": "ON"}` when it is detached from its relay."""
    return values.flag(value.get("Action") if isinstance(value, dict) else value)


_AIR: Final = (
    Name("Temperature", "temperature_c", values.temperature_c),
    Name("Humidity", "humidity_pct", values.humidity_pct),
    Name("CarbonDioxide", "co2_ppm", values.co2_ppm),
    Name("PM2.5", "pm25_ugm3", values.pm25_ugm3),
    Name("Illuminance", "illuminance_lx", values.illuminance_lx),
)
_FAHRENHEIT: Final = (Name("Temperature", "temperature_c", values.temperature_f), *_AIR[1:])
_NO_AIR: Final = ("ENERGY", "ESP32", "Wifi", *_BRIDGES)  # the chip is no thermometer of the room


def _names(field: str | None) -> tuple[tuple[Name, ...], tuple[Name, ...]]:
    """Top-level names and those inside ENERGY."""
    part = _PART.fullmatch(field or "")
    relay = part[0] if part and part[1] == "POWER" else "POWER"
    switch = part[0] if part and part[1] == "Switch" else "Switch1"
    index = int(part[2]) - 1 if part and part[1] == "POWER" and part[2] else None
    top = [
        Name(relay, "relay", values.flag),
        Name(switch, "presence", _action),
        Name(switch, "open", _action),
        *(Name(switch, hazard, _action) for hazard in HAZARDS),
        Name("Wifi", "rssi_dbm", values.inside("Signal", values.rssi_dbm)),
        Name("Version", "firmware", values.text),
    ]
    if relay == "POWER":
        top.append(Name("POWER1", "relay", values.flag))
    energy = (
        Name("Power", "power_w", _channel(index, values.power_w)),
        Name("Total", "energy_wh", _channel(index, values.energy_kwh)),
    )
    return tuple(top), energy


class Tasmota:
    """One Tasmota device, or one channel of it."""

    __slots__ = (
        "_air",
        "_behind",
        "_energy",
        "_fahrenheit",
        "_lwt",
        "_meaning",
        "_plain",
        "_top",
        "_topics",
        "filters",
    )
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        top, energy = _names(source.field)
        if _PART.fullmatch(source.field or ""):
            source = replace(source, field=None)
        self._meaning = Meaning(source, resource, (*top, *energy))
        self._meaning.awaits_relay = True
        self._top: FieldRules = self._meaning.rules(top, ("Time", "ENERGY"))
        self._energy: FieldRules = self._meaning.rules(energy)
        self._air, self._fahrenheit = self._meaning.rules(_AIR), self._meaning.rules(_FAHRENHEIT)
        paths = [picked.path for picked in self._meaning.picks]
        behind = bool(paths) and all(path[:1] and path[0] in _BRIDGES for path in paths)
        self._behind = tuple({path[:-1] for path in paths}) if behind else ()
        tele, stat = _prefixes(source.topic)
        self._lwt = f"{tele}/LWT"
        self._topics = {f"{tele}/STATE": "STATE", f"{tele}/SENSOR": "SENSOR", f"{stat}/RESULT": "RESULT"}
        self._topics |= {f"{stat}/{status}": status for status in _WRAPPED}
        self._plain = {f"{stat}/{key}": key for key in self._top if _PART.fullmatch(key)}
        self.filters = (self._lwt, *self._topics, *self._plain)

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        what = self._topics.get(topic)
        if what is not None:
            return self._report(what, read_object(payload))
        if topic == self._lwt:
            online = is_online(payload)
            # The bridge being back says nothing about a device behind it; the bridge being gone does.
            return None if online and self._behind else self._meaning.availability(online, NO_HEADER)
        key = self._plain.get(topic)
        return None if key is None else self._report("POWER", {key: read_text(payload)})

    def _report(self, what: str, body: dict[str, object]) -> Decoded | None:
        wrapper = _WRAPPED.get(what)
        if wrapper:
            inner = body.get(wrapper)
            if not isinstance(inner, dict):
                raise Unreadable("wrong_type")
            body = inner
        signals = ReadSignals()
        ignored = self._meaning.read(self._top, body, signals)
        energy = body.get("ENERGY")
        if isinstance(energy, dict):
            ignored += self._meaning.read(self._energy, energy, signals)
        if self._air:
            self._breathe(body, signals)
        if self._meaning.picks:
            self._meaning.take(body, signals)
        if self._behind and not signals and not signals.bad and all(pick(body, path) is None for path in self._behind):
            return None  # another device behind the same bridge
        if what in ("STATE", "STATUS11") and not any(key.startswith("POWER") for key in body):
            self._meaning.awaits_relay = False  # a meter without a relay
        time = millis(body.get("Time"))
        return self._meaning.decoded(Header(time) if time else NO_HEADER, signals, ignored)

    def _breathe(self, body: dict[str, object], signals: ReadSignals) -> None:
        """Each sensor has an object of its own; of two that tell the same the first one counts."""
        rules = self._fahrenheit if body.get("TempUnit") == "F" else self._air
        for name, part in body.items():
            if isinstance(part, dict) and name not in _NO_AIR:
                told = ReadSignals()
                self._meaning.read(rules, part, told)
                for signal, value in told.items():
                    signals.setdefault(signal, value)
                signals.bad += told.bad


bind = Tasmota


def _prefixes(topic: str) -> tuple[str, str]:
    steps = topic.split("/")
    if steps.count("tele") != 1:
        raise BadSource(f"topic {topic!r}: write the telemetry topic with its `tele` step, as in tele/NAME")
    return topic, "/".join("stat" if step == "tele" else step for step in steps)


def hear(topic: str, payload: bytes) -> Overheard | None:
    """LWT, STATE or SENSOR below a `tele` step."""
    base, _, last = topic.rpartition("/")
    if last not in ("LWT", "STATE", "SENSOR") or "tele" not in base.split("/"):
        return None
    if last == "LWT":
        return Overheard(base)
    body = read_object(payload)
    energy = body.get("ENERGY")
    keys = {*body, *(energy if isinstance(energy, dict) else ())}
    top, inside = _names(None)
    air = {key for name, part in body.items() if isinstance(part, dict) and name not in _NO_AIR for key in part}
    told = [name.fact for name in (*top, *inside) if name.key in keys and name.fact not in HAZARDS]
    return Overheard(base, tuple(dict.fromkeys((*told, *(name.fact for name in _AIR if name.key in air)))))
