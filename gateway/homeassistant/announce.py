"""Outward: each station as a Home Assistant device, each resource as an entity that is on while usable; detectors and
the air of rooms by their own classes.

Device discovery of home-assistant.io, integration mqtt. An entity is `unknown` where we can't say (never heard,
suspect) and `unavailable` where its sensor fell silent and nothing else decides; it expires if we stop speaking.
"""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, Literal

import msgspec
from msgspec import Struct, UnsetType

from config.kinds import SPECS
from gateway.live.station_document import ShownInstrument, ShownResource, StationDocument
from gateway.model import Access, Evidence, Health, Resource, Use

_encode = msgspec.json.Encoder().encode


class EntityState(Struct, frozen=True, gc=False):
    """What Home Assistant is told of one resource; what follows `availability` become attributes."""

    usable: Literal["yes", "no", "None"]
    availability: Literal["online", "offline"]
    use: Use
    because: tuple[str, ...]
    evidence: Evidence
    health: Health
    access: Access
    observed_at: str | None
    valid_until: str | None
    since: str | None
    free: int | UnsetType | None
    total: int | UnsetType | None


class InstrumentState(Struct, frozen=True, gc=False):
    """What Home Assistant is told of one instrument."""

    alarm: Literal["yes", "no", "None"]
    availability: Literal["online", "offline"]
    evidence: Evidence
    health: Health
    observed_at: str | None
    valid_until: str | None
    values: dict[str, float | bool]


def announce(
    station: str, name: Mapping[str, str], resources: Iterable[Resource], *, gateway: str, prefix: str = "homeassistant"
) -> tuple[str, bytes]:
    """The retained config message of one station. Publish it at start and whenever `PREFIX/status` says `online`."""
    body = {
        "device": {"identifiers": [f"yizhan_{station}"], "name": _text(name) or station, "manufacturer": "yizhan"},
        "origin": {"name": "yizhan"},
        "components": {
            name: entity
            for resource in resources
            if resource.lifecycle == "active"
            for name, entity in _entities(resource, gateway).items()
        },
        "state_topic": state_topic(station),
        "qos": 1,
    }
    return _config_topic(station, prefix), _encode(body)


def withdraw(station: str, *, prefix: str = "homeassistant") -> tuple[str, bytes]:
    """The message that removes the device again."""
    return _config_topic(station, prefix), b""


def states(document: StationDocument) -> tuple[str, bytes]:
    """The retained state message that goes with an availability document (contract section 4)."""
    body: dict[str, EntityState | InstrumentState] = {
        resource.id: _state(resource) for resource in document.resources()
    }
    body |= {gauge.id: _instrument_state(gauge) for gauge in document.instruments() if gauge.kind != "counter"}
    return state_topic(document.station), _encode(body)


def _entities(resource: Resource, gateway: str) -> dict[str, dict[str, Any]]:
    """By the name of the component: one for each resource and detector, one for each value of the air, none of a
    counter, whose steps are told to nobody."""
    match resource.kind:
        case "counter":
            return {}
        case "hazard":
            entity = _entity(resource, gateway, "alarm") | {"device_class": _HAZARDS.get(resource.type or "", "safety")}
            del entity["icon"]  # that of its class tells more
            return {resource.id: entity}
        case "climate":
            return {f"{resource.id}-{name}": _gauge(resource, gateway, name) for name in _GAUGES}
    return {resource.id: _entity(resource, gateway, "usable")}


_HAZARDS = {"smoke": "smoke", "gas": "gas", "co": "carbon_monoxide", "leak": "moisture", "fire": "heat"}
_GAUGES = {
    "temperature_c": ("temperature", "°C"),
    "humidity_pct": ("humidity", "%"),
    "co2_ppm": ("carbon_dioxide", "ppm"),
    "pm25_ugm3": ("pm25", "µg/m³"),
    "illuminance_lx": ("illuminance", "lx"),
}


def _gauge(resource: Resource, gateway: str, value: str) -> dict[str, Any]:
    """One value of the air; `None`, which Home Assistant shows as unknown, while it is not told."""
    sort, unit = _GAUGES[value]
    entity = _entity(resource, gateway, value)
    for name in ("payload_on", "payload_off", "icon", "json_attributes_topic", "json_attributes_template"):
        del entity[name]
    return entity | {
        "platform": "sensor",
        "unique_id": f"{entity['unique_id']}_{value}",
        "name": f"{entity['name']} {sort}",
        "device_class": sort,
        "unit_of_measurement": unit,
        "value_template": f"{{{{ value_json['{resource.id}']['values'].get('{value}') }}}}",
    }


def _entity(resource: Resource, gateway: str, shown: str) -> dict[str, Any]:
    here = f"value_json['{resource.id}']"
    topic = state_topic(resource.station)
    return {
        "platform": "binary_sensor",
        "unique_id": f"yizhan_{resource.station}_{resource.id}",
        "name": _text(resource.name) or resource.id,
        "icon": SPECS[resource.kind].home_assistant_icon,
        "value_template": f"{{{{ {here}.{shown} }}}}",
        "payload_on": "yes",
        "payload_off": "no",
        "expire_after": max(1, ceil(resource.ttl_ms / 1000)),
        "json_attributes_topic": topic,
        "json_attributes_template": f"{{{{ {here} | tojson }}}}",
        "availability": [
            {"topic": f"yz-sys/{gateway}", "value_template": "{{ value_json.state }}"},
            {"topic": topic, "value_template": f"{{{{ {here}.availability }}}}"},
        ],
        "availability_mode": "all",
    }


def _state(resource: ShownResource) -> EntityState:
    """`usable` is yes, no, or None, which Home Assistant shows as unknown."""
    unknown = resource.usable == "unknown"
    silent = unknown and resource.evidence in ("stale", "offline")
    return EntityState(
        "None" if resource.usable == "unknown" else resource.usable,
        "offline" if silent else "online",
        resource.use,
        resource.because,
        resource.evidence,
        resource.health,
        resource.access,
        resource.observed_at,
        resource.valid_until,
        resource.since,
        resource.free,
        resource.total,
    )


def _instrument_state(gauge: ShownInstrument) -> InstrumentState:
    return InstrumentState(
        "None" if gauge.alarm is None else "yes" if gauge.alarm else "no",
        "offline" if gauge.evidence in ("stale", "offline") else "online",
        gauge.evidence,
        gauge.health,
        gauge.observed_at,
        gauge.valid_until,
        gauge.values,
    )


def state_topic(station: str) -> str:
    """The topic with the states of a station."""
    return f"yz-ha/{station}"


def _config_topic(station: str, prefix: str) -> str:
    return f"{prefix}/device/yizhan-{station}/config"


def _text(name: Mapping[str, str]) -> str | None:
    return name.get("zh") or next(iter(name.values()), None)
