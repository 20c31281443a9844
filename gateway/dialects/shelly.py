"""Shelly Gen2 and later: NotifyStatus, NotifyFullStatus, NotifyEvent, component status topics, online.

Source: Shelly Gen2+ API documentation (Notifications, MQTT, Switch, PM1, EM, Input, DevicePower, PresenceZone, BTHome,
Smoke, Flood, Temperature, Humidity, Illuminance).
`topic` is the MQTT prefix; `field: switch:1` picks one of several components. Notifications are deltas: what is not
named has not changed. No sequence; `ts` counts once the device has a clock.
"""

from dataclasses import replace
from typing import Final

from config.kinds import SPECS
from gateway.dialects.base import (
    NO_HEADER,
    BadSource,
    Decoded,
    Overheard,
    Source,
    Unreadable,
    millis,
    read_object,
)
from gateway.dialects.shared import values
from gateway.dialects.shared.availability import is_online
from gateway.dialects.shared.facts import EVENTS, HAZARDS, Name
from gateway.dialects.shared.meaning import FieldRules, Meaning, ReadSignals
from gateway.model import Header, KindName, Millis, Resource

OWN_WILL: Final = True

_METER: Final = (
    Name("apower", "power_w", values.power_w),
    Name("aenergy", "energy_wh", values.inside("total", values.energy_wh)),
)


def _either(fact: str) -> tuple[Name, ...]:
    """A two-state component feeds whichever of these the resource asks for."""
    return tuple(Name(fact, told, values.flag) for told in ("presence", "open", *HAZARDS))


COMPONENTS: Final[dict[str, tuple[Name, ...]]] = {
    "switch": (Name("output", "relay", values.flag), *_METER),
    "pm1": _METER,
    "em": (Name("total_act_power", "power_w", values.power_w),),
    "emdata": (Name("total_act", "energy_wh", values.energy_wh),),
    "em1": (Name("act_power", "power_w", values.power_w),),
    "em1data": (Name("total_act_energy", "energy_wh", values.energy_wh),),
    "input": _either("state"),
    "bthomesensor": _either("value"),
    "presencezone": (Name("value", "presence", values.flag), Name("num_objects", "people", values.people)),
    "smoke": (Name("alarm", "smoke", values.flag),),
    "flood": (Name("alarm", "leak", values.flag),),
    "temperature": (Name("tC", "temperature_c", values.temperature_c),),
    "humidity": (Name("rh", "humidity_pct", values.humidity_pct),),
    "illuminance": (Name("lux", "illuminance_lx", values.illuminance_lx),),
    "devicepower": (Name("battery", "battery_pct", values.inside("percent", values.battery_pct)),),
    "wifi": (Name("rssi", "rssi_dbm", values.rssi_dbm),),
}
# Without `field`: one meter, relay or zone. An input or a Bluetooth sensor may be anything, so it must be named.
_DEFAULT: Final = (
    "switch:0", "pm1:0", "em:0", "emdata:0", "em1:0", "em1data:0", "presencezone:200", "smoke:0", "flood:0",
    "temperature:0", "humidity:0", "illuminance:0",
)  # fmt: skip
_ALWAYS: Final = ("devicepower:0", "wifi")
_SPOKEN: Final = ("NotifyStatus", "NotifyFullStatus")


class Shelly:
    """One Shelly device, or one component of it."""

    __slots__ = ("_component", "_meaning", "_online", "_plans", "_rpc", "_statuses", "_words", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        self._component, self._words = source.field, source.words("event")
        self._meaning = Meaning(replace(source, field=None), resource)
        self._plans = self._plan(source.field, resource)
        prefix = source.topic
        self._online, self._rpc = f"{prefix}/online", f"{prefix}/events/rpc"
        named = [pick.path[0] for pick in self._meaning.picks if pick.path]
        self._statuses = {f"{prefix}/status/{key}": key for key in (*self._plans, *named)}
        self.filters = (self._online, self._rpc, *self._statuses)

    def _plan(self, field: str | None, resource: Resource) -> dict[str, FieldRules]:
        sort, _, number = (field or "").partition(":")
        keys = (field, f"{sort}data:{number}") if field else _DEFAULT
        sorts = {key: COMPONENTS.get(key.partition(":")[0], ()) for key in (*keys, *_ALWAYS)}
        plans = {key: self._meaning.rules(names, ("id",)) for key, names in sorts.items()}
        plans = {key: rules for key, rules in plans.items() if any(signal for signal, _ in rules.values())}
        if not self._meaning.picks and not any(key in plans for key in keys):
            raise BadSource(f"field: name the component that feeds a {resource.kind}, as in {_example(resource.kind)}")
        return plans

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        if topic == self._rpc:
            return self._notification(read_object(payload))
        if topic == self._online:
            online = is_online(payload)
            # The relay station being back says nothing about a Bluetooth sensor behind it; its being gone does.
            return None if online and self._is_behind() else self._meaning.availability(online, NO_HEADER)
        key = self._statuses.get(topic)
        return None if key is None else self._status({key: read_object(payload)}, NO_HEADER)

    def _notification(self, body: dict[str, object]) -> Decoded | None:
        method, params = body.get("method"), body.get("params")
        if method != "NotifyEvent" and method not in _SPOKEN:
            return None
        if not isinstance(params, dict):
            raise Unreadable("wrong_type")
        ts = millis(params.get("ts"))
        header = NO_HEADER if ts is None else Header(ts)
        return self._status(params, header) if method in _SPOKEN else self._event(params.get("events"), header)

    def _is_behind(self) -> bool:
        return (self._component or "").startswith("bthome")

    def _status(self, params: dict[str, object], header: Header) -> Decoded | None:
        if self._is_behind() and self._component not in params:
            return None
        signals = ReadSignals()
        ignored = 0
        self._meaning.awaits_relay = any(key.startswith("switch:") for key in params)  # a bare meter has none
        for key, part in params.items():
            plan = self._plans.get(key)
            if plan is None:
                ignored += key != "ts"
            elif isinstance(part, dict):
                ignored += self._meaning.read(plan, part, signals)
            elif part is not None:
                raise Unreadable("wrong_type")
        if self._meaning.picks:
            self._meaning.take(params, signals)
        return self._meaning.decoded(header, signals, ignored)

    def _event(self, events: object, header: Header) -> Decoded | None:
        """The first event that `values` gives a meaning, as in `{single_push: help}`; else only a sign of life."""
        if not isinstance(events, list):
            raise Unreadable("wrong_type")
        for event in events:
            if not isinstance(event, dict):
                raise Unreadable("wrong_type")
            meant = self._words.get(values.spelled(event.get("event")))
            if meant in EVENTS and self._component in (None, event.get("component")):
                return self._meaning.event(str(meant), header, len(events) - 1)
        if self._is_behind() and not any(event.get("component") == self._component for event in events):
            return None
        return self._meaning.decoded(header, ReadSignals(), len(events))


bind = Shelly


def _example(kind: KindName) -> str:
    facts = SPECS[kind].facts
    if "presence" in facts:
        return "presencezone:201"
    if "temperature_c" in facts:
        return "temperature:100"
    return "bthomesensor:200 or input:0" if "open" in facts or "smoke" in facts else "switch:1"


def hear(topic: str, payload: bytes) -> Overheard | None:
    """`online` of a name that starts with shelly, a notification, or a component's status."""
    if topic.endswith("/online") and topic.startswith("shelly"):
        return Overheard(topic.removesuffix("/online"))
    if topic.endswith("/events/rpc"):
        params = read_object(payload).get("params")
        return Overheard(topic.removesuffix("/events/rpc"), _facts(params if isinstance(params, dict) else {}))
    prefix, status, component = topic.partition("/status/")
    if not status or component.partition(":")[0] not in COMPONENTS:
        return None
    return Overheard(prefix, _facts({component: read_object(payload)}))


def _facts(params: dict[str, object]) -> tuple[str, ...]:
    facts: dict[str, None] = {}
    for key, part in params.items():
        if isinstance(part, dict) and (key in _DEFAULT or key in _ALWAYS):
            names = COMPONENTS[key.partition(":")[0]]
            facts |= dict.fromkeys(name.fact for name in names if name.key in part)
    return tuple(facts)
