"""Outward: each station as a Home Assistant device, each resource as an entity that is on while usable.

Device discovery of home-assistant.io, integration mqtt. An entity is `unknown` where we can't say (never heard,
suspect) and `unavailable` where its sensor fell silent and nothing else decides; it expires if we stop speaking.
"""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, Literal

import msgspec
from msgspec import Struct, UnsetType

from config.kinds import SPECS
from gateway.live.station_document import ShownResource, StationDocument
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


def announce(
    station: str, name: Mapping[str, str], resources: Iterable[Resource], *, gateway: str, prefix: str = "homeassistant"
) -> tuple[str, bytes]:
    """The retained config message of one station. Publish it at start and whenever `PREFIX/status` says `online`."""
    body = {
        "device": {"identifiers": [f"yizhan_{station}"], "name": _text(name) or station, "manufacturer": "yizhan"},
        "origin": {"name": "yizhan"},
        "components": {
            resource.id: _entity(resource, gateway) for resource in resources if resource.lifecycle == "active"
        },
        "state_topic": _topic(station),
        "qos": 1,
    }
    return _config_topic(station, prefix), _encode(body)


def withdraw(station: str, *, prefix: str = "homeassistant") -> tuple[str, bytes]:
    """The message that removes the device again."""
    return _config_topic(station, prefix), b""


def states(document: StationDocument) -> tuple[str, bytes]:
    """The retained state message that goes with an availability document (contract section 4)."""
    body = {resource.id: _state(resource) for resource in document.resources()}
    return _topic(document.station), _encode(body)


def _entity(resource: Resource, gateway: str) -> dict[str, Any]:
    here = f"value_json['{resource.id}']"
    topic = _topic(resource.station)
    return {
        "platform": "binary_sensor",
        "unique_id": f"yizhan_{resource.station}_{resource.id}",
        "name": _text(resource.name) or resource.id,
        "icon": SPECS[resource.kind].home_assistant_icon,
        "value_template": f"{{{{ {here}.usable }}}}",
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


def _topic(station: str) -> str:
    return f"yz-ha/{station}"


def _config_topic(station: str, prefix: str) -> str:
    return f"{prefix}/device/yizhan-{station}/config"


def _text(name: Mapping[str, str]) -> str | None:
    return name.get("zh") or next(iter(name.values()), None)
