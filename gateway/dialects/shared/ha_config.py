"""Home Assistant's MQTT discovery messages: one entity, or a device with many, as `Entity` objects.

Source: home-assistant.io, integration mqtt (discovery, availability, binary sensor, sensor, lock, switch) and the
abbreviations of home-assistant/core, components/mqtt. Unknown keys are ignored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.base.bounds import HOLD_S
from gateway.dialects.base import MAX_LIST_BYTES, Unreadable, is_topic, read_object
from gateway.dialects.shared.ha_template import Template, compile_template, spelled
from gateway.model import Millis

_SHORT: Final = {
    "avty": "availability", "avty_mode": "availability_mode", "avty_t": "availability_topic",
    "avty_tpl": "availability_template", "cmps": "components", "dev": "device", "dev_cla": "device_class",
    "exp_aft": "expire_after", "off_dly": "off_delay", "p": "platform", "pl_avail": "payload_available", "pl_not_avail":
    "payload_not_available", "pl_off": "payload_off", "pl_on": "payload_on", "stat_locked": "state_locked", "stat_off":
    "state_off", "stat_on": "state_on", "stat_t": "state_topic", "stat_unlocked": "state_unlocked", "t": "topic",
    "uniq_id": "unique_id", "unit_of_meas": "unit_of_measurement", "val_tpl": "value_template",
}  # fmt: skip
_COMPONENTS: Final = ("binary_sensor", "sensor", "switch", "lock")
_MODES: Final = ("all", "any", "latest")
_MAX_COMPONENTS: Final = 64
_MAX_EXPIRY_S: Final = 366 * 86_400

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AvailabilityTopic:
    """One availability topic. `template` is None for the plain payload."""

    topic: str
    online: str
    offline: str
    json: bool
    template: Template | None


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: where its state comes and how it is read. `on` and `off` are the two words of a two-state one."""

    key: str
    component: str
    device_class: str | None
    unit: str | None
    state_topic: str
    json: bool
    template: Template | None
    on: str
    off: str
    presences: tuple[AvailabilityTopic, ...]
    mode: str
    expire_after_ms: Millis | None
    hold_s: float | None = None


def entities(topic: str, payload: bytes, unused: list[str] | None = None) -> list[Entity] | None:
    """What a config message announces; empty for a removal, None for a hand-over marker. Raises Unreadable.

    `unused` gets a line for each entity that can't be used.
    """
    lines = unused if unused is not None else []
    if not payload:
        return []
    body = _expanded(read_object(payload, MAX_LIST_BYTES))
    if body.get("migrate_discovery") is True:
        return None
    components = body.get("components")
    if components is None:
        return [entity for entity in (_entity("", _component_of(topic), body, lines),) if entity]
    if not isinstance(components, dict) or len(components) > _MAX_COMPONENTS:
        raise Unreadable("wrong_type")
    parts = (_part(str(key), part, body, lines) for key, part in components.items())
    return [part for part in parts if part]


def _part(key: str, part: object, body: Body, unused: list[str]) -> Entity | None:
    if not isinstance(part, dict):
        raise Unreadable("wrong_type")
    own = _expanded(part, body.get("~"))
    platform = own.get("platform")
    # What stands beside the components holds for all of them; a part with its platform alone is being removed.
    return _entity(key, platform, {**body, **own}, unused) if isinstance(platform, str) and len(own) > 1 else None


def _entity(key: str, component: str, body: Body, unused: list[str]) -> Entity | None:
    topic = body.get("state_topic")
    if not is_topic(topic):
        return None
    template = _template(body.get("value_template"))
    if template is None:
        written = str(body.get("value_template"))[:120]
        unused.append(f"{key or component} is left alone: its template {written!r} is outside what we read")
        return None  # better no value than a wrong one
    words = ("state_locked", "state_unlocked") if component == "lock" else ("payload_on", "payload_off")
    usual = ("LOCKED", "UNLOCKED") if component == "lock" else ("ON", "OFF")
    on, off = (_word(body, word, default) for word, default in zip(words, usual, strict=True))
    if component == "switch":
        on, off = _word(body, "state_on", on), _word(body, "state_off", off)
    mode = body.get("availability_mode")
    return Entity(
        key=key,
        component=component,
        device_class=_maybe(body, "device_class"),
        unit=_maybe(body, "unit_of_measurement"),
        state_topic=str(topic),
        json=template[0],
        template=template[1],
        on=on,
        off=off,
        presences=tuple(_presences(body)),
        mode=mode if isinstance(mode, str) and mode in _MODES else "latest",
        expire_after_ms=_expiry(body.get("expire_after")),
        hold_s=_hold(body.get("off_delay")),
    )


def _presences(body: Body) -> Iterator[AvailabilityTopic]:
    listed = body.get("availability")
    if listed is None:
        topic, template = body.get("availability_topic"), body.get("availability_template")
        listed = [{**body, "topic": topic, "value_template": template}] if topic else []
    elif isinstance(listed, dict):
        listed = [listed]
    for presence in listed if isinstance(listed, list) else []:
        if not isinstance(presence, dict):
            raise Unreadable("wrong_type")
        entry = _expanded(presence, body.get("~"))
        topic, template = entry.get("topic"), _template(entry.get("value_template"))
        if is_topic(topic) and template is not None:
            words = _word(entry, "payload_available", "online"), _word(entry, "payload_not_available", "offline")
            yield AvailabilityTopic(str(topic), *words, *template)


def _expanded(body: Body, base: object = None) -> dict[str, object]:
    """Full names for short ones, and the base topic for `~` at either end of a topic."""
    full = {_SHORT.get(key, key): value for key, value in body.items()}
    base = full.get("~", base)
    if isinstance(base, str):
        for key, value in full.items():
            if key.endswith("topic") and isinstance(value, str) and "~" in (value[:1], value[-1:]):
                value = base + value[1:] if value[0] == "~" else value
                full[key] = value[:-1] + base if value.endswith("~") else value
    return full


def _template(written: object) -> tuple[bool, Template | None] | None:
    """(reads JSON, template); (False, None) for none written; None for one outside the subset."""
    if written is None or written == "":
        return False, None
    return compile_template(written) if isinstance(written, str) else None


def _component_of(topic: str) -> str:
    """`PREFIX/COMPONENT/[NODE/]OBJECT/config` → COMPONENT."""
    steps = topic.split("/")
    return next((step for step in steps[-4:-2] if step in _COMPONENTS), "")


def _maybe(body: Body, key: str) -> str | None:
    value = body.get(key)
    return value if isinstance(value, str) else None


def _word(body: Body, key: str, default: str) -> str:
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, bool | str | int | float):
        raise Unreadable("wrong_type")
    return spelled(value)


def _hold(value: object) -> float | None:
    low, high = HOLD_S
    return value if isinstance(value, int | float) and value is not True and low < value <= high else None


def _expiry(value: object) -> Millis | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_EXPIRY_S:
        return None
    return value * 1000
