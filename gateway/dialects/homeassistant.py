"""Home Assistant discovery as input: a device describes itself, then reports on the topics it named.

`topic` is a config topic, of one entity (`homeassistant/binary_sensor/garden/config`) or of a device
(`homeassistant/device/ID/config`); `field` then names the component that matters, `fields` maps signals to other
components or config topics. Nothing is known before the retained config has come. No sequence, no time;
`expire_after` is honoured through `valid_for_ms`. Two entities for one signal: nobody is there only if both say so.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from gateway.dialects.base import (
    NO_HEADER,
    Decoded,
    Overheard,
    Source,
    Unreadable,
    decode_json,
    is_topic,
    read,
    read_text,
)
from gateway.dialects.esphome import number_in
from gateway.dialects.shared import values
from gateway.dialects.shared.facts import Name
from gateway.dialects.shared.ha_config import AvailabilityTopic, Entity, entities
from gateway.dialects.shared.ha_template import Template, spelled
from gateway.dialects.shared.meaning import Meaning, ReadSignals
from gateway.dialects.shared.values import SignalReader
from gateway.model import Millis, Resource, Signal

TOPICS: Final = ("homeassistant/",)
OWN_WILL: Final = True

_TWO_STATE: Final = {
    "occupancy": "presence", "presence": "presence", "motion": "presence", "door": "open", "window": "open",
    "opening": "open", "garage_door": "open", "lock": "locked", "problem": "fault",
    "smoke": "smoke", "gas": "gas", "carbon_monoxide": "co", "moisture": "leak", "heat": "fire",
}  # fmt: skip
_MEASURED: Final = {
    ("power", "W"): ("power_w", values.power_w),
    ("power", "kW"): ("power_w", values.within(-1e6, 1e6, 1000)),
    ("energy", "Wh"): ("energy_wh", values.energy_wh),
    ("energy", "kWh"): ("energy_wh", values.energy_kwh),
    ("battery", "%"): ("battery_pct", values.battery_pct),
    ("temperature", "°C"): ("temperature_c", values.temperature_c),
    ("temperature", "°F"): ("temperature_c", values.temperature_f),
    ("humidity", "%"): ("humidity_pct", values.humidity_pct),
    ("carbon_dioxide", "ppm"): ("co2_ppm", values.co2_ppm),
    ("pm25", "µg/m³"): ("pm25_ugm3", values.pm25_ugm3),
    ("illuminance", "lx"): ("illuminance_lx", values.illuminance_lx),
    ("signal_strength", "dBm"): ("rssi_dbm", values.rssi_dbm),
}


class _Plan(NamedTuple):
    """What one entity feeds: each signal with its reader."""

    entity: Entity
    feeds: tuple[tuple[str, SignalReader], ...]


class HomeAssistantEntity:
    """One resource fed by announced entities."""

    __slots__ = (
        "_asked", "_configs", "_field", "_main", "_meaning", "_mode", "_online", "_plans", "_presences", "_said",
        "_topic", "_written", "filters", "unused", "valid_for_ms",
    )  # fmt: skip

    def __init__(self, source: Source, resource: Resource) -> None:
        plain = replace(source, field=None, fields={})
        self._meaning = Meaning(plain, resource)
        self._main = Meaning(replace(plain, field="="), resource)
        self._topic, self._field = source.topic, source.field or ""
        self._asked = {
            where: Meaning(replace(plain, fields={signal: "="}), resource).picks
            for signal, where in source.fields.items()
        }
        configs = (source.topic, *(where for where in self._asked if where.endswith("/config") and is_topic(where)))
        self._configs: dict[str, list[Entity]] = {topic: [] for topic in configs}
        self._written: dict[str, bytes] = {}
        self.unused: tuple[str, ...] = ()  # lines about what was announced last and can't be used
        self._plan()

    # ---- what was announced ----

    def _plan(self) -> None:
        plans = [
            _Plan(entity, self._feeds(topic, entity))
            for topic, announced in self._configs.items()
            for entity in announced
        ]
        plans = [plan for plan in plans if plan.feeds]
        self._plans: dict[str, list[_Plan]] = {}
        self._presences: dict[str, AvailabilityTopic] = {}
        for plan in plans:
            self._plans.setdefault(plan.entity.state_topic, []).append(plan)
            self._presences |= {presence.topic: presence for presence in plan.entity.presences}
        self._mode = plans[0].entity.mode if plans else "latest"
        self._online: dict[str, bool] = {}
        self._said: dict[str, dict[Entity, bool | None]] = {}
        for plan in plans:
            for signal, _ in plan.feeds:
                self._said.setdefault(signal, {})[plan.entity] = None
        self._meaning.awaits_relay = "relay" in self._said
        expiries = [plan.entity.expire_after_ms for plan in plans if plan.entity.expire_after_ms]
        self.valid_for_ms: Millis | None = min(expiries, default=None)
        self.filters = tuple(dict.fromkeys((*self._configs, *self._plans, *self._presences)))

    def _feeds(self, topic: str, entity: Entity) -> tuple[tuple[str, SignalReader], ...]:
        asked = self._asked.get(entity.key or topic)
        if asked:
            return tuple((pick.signal, pick.read) for pick in asked)
        main = topic == self._topic and entity.key == self._field
        name = _name(entity)
        known = (self._meaning if main or not self._is_main_named() else self._main).rules([name] if name else [])
        if name and name.key in known:
            return (known[name.key],)
        return tuple((pick.signal, pick.read) for pick in self._main.picks) if main else ()

    def _is_main_named(self) -> bool:
        return any(entity.key == self._field for entity in self._configs[self._topic])

    # ---- what is said ----

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        plans = self._plans.get(topic)
        if plans is not None:
            return self._report(plans, payload)
        presence = self._presences.get(topic)
        if presence is not None:
            return self._availability(presence, payload)
        if topic in self._configs:
            self._announced(topic, payload)
        return None

    def _announced(self, topic: str, payload: bytes) -> None:
        """Devices repeat their config at every start; only another one changes anything."""
        unused: list[str] = []
        try:
            announced = entities(topic, payload, unused)
        except Unreadable as error:
            raise Unreadable(error.reason, aside=True) from None
        self.unused = tuple(f"{topic}: {line}" for line in unused)
        if announced is not None and payload != self._written.get(topic):
            self._written[topic], self._configs[topic] = payload, announced
            self._plan()

    def _report(self, plans: list[_Plan], payload: bytes) -> Decoded:
        document = read(decode_json, payload) if any(plan.entity.json for plan in plans) else None
        signals = ReadSignals()
        for entity, feeds in plans:
            shown = document if entity.json else read_text(payload)
            for signal, reader in feeds:
                try:
                    value = _stated(entity, _shown(entity.template, shown))
                    read_value = None if value is None else reader(value)
                except Unreadable as error:
                    signals.refuse(signal, error)
                    continue
                self._tell(signals, entity, signal, read_value)
        return self._meaning.decoded(NO_HEADER, signals, 0)

    def _tell(self, signals: ReadSignals, entity: Entity, signal: str, value: Signal | None) -> None:
        """Take over what one entity says. Of several that say one thing, whoever says yes is right."""
        if isinstance(value, bool):
            value = self._agreed(signal, entity, value)
        if value is None or signals.get(signal) is True:
            return
        signals[signal] = value
        if entity.hold_s and signal == "occupied" and value is True:
            signals["hold_s"] = entity.hold_s

    def _agreed(self, signal: str, entity: Entity, value: bool) -> bool | None:
        said = self._said[signal]
        said[entity] = value
        if any(said.values()):
            return True
        return None if None in said.values() else False

    def _availability(self, presence: AvailabilityTopic, payload: bytes) -> Decoded | None:
        document = read(decode_json, payload) if presence.json else read_text(payload)
        word = spelled(_shown(presence.template, document))
        if word not in (presence.online, presence.offline):
            raise Unreadable("unknown_value", aside=True)
        self._online[presence.topic] = word == presence.online
        online = self._is_online(word == presence.online)
        return None if online is None else self._meaning.availability(online, NO_HEADER)

    def _is_online(self, latest: bool) -> bool | None:
        """`all` and `any` speak only once they are sure."""
        told = list(self._online.values())
        complete = len(told) == len(self._presences)
        if self._mode == "latest":
            return latest
        if self._mode == "all":
            return False if not all(told) else True if complete else None
        return True if any(told) else False if complete else None


bind = HomeAssistantEntity


def _shown(template: Template | None, document: object) -> object:
    return document if template is None else template(document)


def _stated(entity: Entity, raw: object) -> object:
    """A two-state entity's words as a boolean, a sensor's text as a number where it is one; None for no value."""
    if raw is None:
        return None
    if entity.component == "sensor":
        return _measured(raw) if entity.unit or entity.device_class in ("power", "energy", "battery") else _plain(raw)
    if not isinstance(raw, bool | str | int | float):
        raise Unreadable("wrong_type")
    word = spelled(raw)
    if word == entity.on:
        return True
    if word == entity.off:
        return False
    if word.lower() in values.NOTHING:
        return None
    if entity.component == "lock" and values.locked(word) is False:
        return False  # jammed, or on its way
    raise Unreadable("unknown_value")


def _measured(raw: object) -> object:
    return number_in(raw) if isinstance(raw, str) else raw


def _plain(raw: object) -> object:
    """A sensor without a unit: a number if it looks like one (people), else a word (a status)."""
    try:
        return _measured(raw)
    except Unreadable:
        return raw


def _unlocked(value: object) -> bool:
    return not values.flag(value)  # a binary sensor of class lock is on while unlocked


def _problem(value: object) -> str:
    return "problem" if values.flag(value) else ""


def _name(entity: Entity) -> Name | None:
    """The fact that an entity of this class tells."""
    if entity.component == "switch":
        return Name(entity.key, "relay", values.flag)
    if entity.component == "lock":
        return Name(entity.key, "locked", values.flag)
    if entity.component == "binary_sensor":
        fact = _TWO_STATE.get(entity.device_class or "")
        special: dict[str, SignalReader] = {"locked": _unlocked, "fault": _problem}
        return Name(entity.key, fact, special.get(fact, values.flag)) if fact else None
    measured = _MEASURED.get((entity.device_class or "", entity.unit or ""))
    return Name(entity.key, *measured) if measured and entity.component == "sensor" else None


def hear(topic: str, payload: bytes) -> Overheard | None:
    """A config message."""
    if not topic.endswith("/config"):
        return None
    announced = entities(topic, payload)
    if not announced:
        return None
    facts = dict.fromkeys(name.fact for name in map(_name, announced) if name)
    return Overheard(topic, tuple(facts), speaks_on=tuple({entity.state_topic for entity in announced}))
