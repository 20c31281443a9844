"""Outward: each station as a Home Assistant device, each resource as an entity that is on while usable.

Device discovery of home-assistant.io, integration mqtt. An entity is `unknown` where we can't say (never heard,
suspect) and `unavailable` where its sensor fell silent and nothing else decides; it expires if we stop speaking.
"""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, Final

import msgspec

from config.kinds import SPECS
from gateway.model import Resource

_SHOWN: Final = (
    "use",
    "because",
    "evidence",
    "health",
    "access",
    "observed_at",
    "valid_until",
    "since",
    "free",
    "total",
)
_encode = msgspec.json.Encoder().encode


def announce(
    station: str, name: Mapping[str, str], resources: Iterable[Resource], *, gateway: str, prefix: str = "homeassistant"
) -> tuple[str, bytes]:
    """The retained config message of one station. Publish it at start and whenever `PREFIX/status` says `online`."""
    body = {
        "device": {"identifiers": [f"yizhan_{station}"], "name": _text(name) or station, "manufacturer": "yizhan"},
        "origin": {"name": "yizhan"},
        "components": {one.id: _entity(one, gateway) for one in resources if one.lifecycle == "active"},
        "state_topic": _topic(station),
        "qos": 1,
    }
    return _config_topic(station, prefix), _encode(body)


def withdraw(station: str, *, prefix: str = "homeassistant") -> tuple[str, bytes]:
    """The message that removes the device again."""
    return _config_topic(station, prefix), b""


def states(document: Mapping[str, Any]) -> tuple[str, bytes]:
    """The retained state message that goes with an availability document (contract section 4)."""
    body = {one["id"]: _state(one) for area in document["areas"] for one in area["resources"]}
    return _topic(document["station"]), _encode(body)


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


def _state(resource: Mapping[str, Any]) -> dict[str, Any]:
    """`usable` is yes, no, or None, which Home Assistant shows as unknown."""
    unknown = resource["usable"] == "unknown"
    silent = unknown and resource["evidence"] in ("stale", "offline")
    state = {
        "usable": "None" if unknown else resource["usable"],
        "availability": "offline" if silent else "online",
    }
    return state | {key: resource[key] for key in _SHOWN if key in resource}


def _topic(station: str) -> str:
    return f"yz-ha/{station}"


def _config_topic(station: str, prefix: str) -> str:
    return f"{prefix}/device/yizhan-{station}/config"


def _text(name: Mapping[str, str]) -> str | None:
    return name.get("zh") or next(iter(name.values()), None)
