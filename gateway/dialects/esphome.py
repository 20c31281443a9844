"""ESPHome over MQTT: one topic for each component, plain words and numbers, `status` as birth and last will.

Source: esphome.io, MQTT client component; esphome/esphome, components/mqtt. `topic` is `NODE/binary_sensor/OBJECT`
(with or without `/state`), or `NODE` with `field: binary_sensor/OBJECT`; `fields` adds others of the same node, as in
`{battery_pct: sensor/battery}`. No sequence, no time; states are retained, so what comes after a reconnect is old.
"""

from dataclasses import replace
from math import isfinite
from typing import Final

from gateway.dialects.base import NO_HEADER, BadSource, Decoded, Overheard, Source, Unreadable, read_text
from gateway.dialects.shared import values
from gateway.dialects.shared.availability import is_online
from gateway.dialects.shared.meaning import Meaning, ReadSignals
from gateway.model import Millis, Resource

OWN_WILL: Final = True

COMPONENTS: Final = ("binary_sensor", "sensor", "switch", "lock", "text_sensor", "number", "select")
_NUMERIC: Final = ("sensor", "number")
_HINTS: Final = {
    "door": "open", "window": "open", "contact": "open", "people": "people", "count": "people", "power": "power_w",
    "energy": "energy_wh", "battery": "battery_pct", "occup": "presence", "presence": "presence", "motion": "presence",
    "seat": "presence", "lock": "locked", "signal": "rssi_dbm",
    "smoke": "smoke", "gas": "gas", "carbon_monoxide": "co", "leak": "leak", "flood": "leak",
    "temperature": "temperature_c", "humidity": "humidity_pct", "co2": "co2_ppm", "pm_2_5": "pm25_ugm3",
    "illuminance": "illuminance_lx",
}  # fmt: skip


class EspHome:
    """One component of one node, and what `fields` adds."""

    __slots__ = ("_components", "_meaning", "_status", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        node, main = _split(source.topic)
        main = source.field or main
        fields = dict(source.fields)
        if main and main.startswith("lock/"):
            fields["locked"], main = main, None
        if not main and not fields:
            raise BadSource("field: name the component, as in binary_sensor/seat_1")
        self._meaning = Meaning(replace(source, field=main, fields=fields), resource)
        self._meaning.awaits_relay = any(pick.signal == "relay" for pick in self._meaning.picks)
        named = (pick.path[0] for pick in self._meaning.picks if pick.path)
        self._components = {f"{node}/{component}/state": component for component in named}
        self._status = f"{node}/status"
        self.filters = (self._status, *self._components)

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        component = self._components.get(topic)
        if component is not None:
            signals = ReadSignals()
            word = read_text(payload)
            try:
                value = _value(component, word)
            except Unreadable:
                value = word  # its reader says what is wrong with it
            self._meaning.take({component: value}, signals)
            return self._meaning.decoded(NO_HEADER, signals, 0)
        return self._meaning.availability(is_online(payload), NO_HEADER) if topic == self._status else None


bind = EspHome


def _split(topic: str) -> tuple[str, str | None]:
    """`NODE/COMPONENT/OBJECT[/state]` → (NODE, "COMPONENT/OBJECT"); a bare NODE → (NODE, None)."""
    steps = topic.removesuffix("/state").split("/")
    if len(steps) > 2 and steps[-2] in COMPONENTS:
        return "/".join(steps[:-2]), "/".join(steps[-2:])
    return topic, None


def _value(component: str, word: str) -> object:
    """ESPHome writes `nan` for a sensor that has nothing to say."""
    if component.partition("/")[0] not in _NUMERIC:
        return word
    return number_in(word)


def number_in(word: str) -> float | None:
    """A number written as text; None for nan, nothing and `unknown`. Raises Unreadable."""
    try:
        value = float(word)
    except ValueError:
        if word.lower() in values.NOTHING:
            return None
        raise Unreadable("wrong_type") from None
    return value if isfinite(value) and "_" not in word else None


def hear(topic: str, _payload: bytes) -> Overheard | None:
    """A component's state topic; what it tells is guessed from its name."""
    base, _, last = topic.rpartition("/")
    node, component = _split(base)
    if last != "state" or component is None or node.startswith("homeassistant"):
        return None
    facts = (fact for hint, fact in _HINTS.items() if hint in component)
    return Overheard(base, tuple(dict.fromkeys(facts)))
