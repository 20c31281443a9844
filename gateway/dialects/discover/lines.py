"""The resources that a device could feed, as a configuration writes them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from config.kinds import SPECS
from gateway.dialects.discover.overheard import OverheardDevice
from gateway.dialects.shared.facts import FACTS
from gateway.model import KindName

# Which kinds a fact can feed, the likeliest first.
_KINDS: Final = {
    fact: tuple(name for name, spec in SPECS.items() if fact in spec.found_by)
    for fact in {fact for spec in SPECS.values() for fact in spec.found_by}
}
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@-]*")
_WORDS_OF_YAML: Final = frozenset({"on", "off", "yes", "no", "y", "n", "true", "false", "null"})
_ID_CHARACTERS: Final = 40
_NOT_NAMES: Final = ("config", "state", "up", "event", "tele")

ResourceLine = dict[str, Any]
"""A resource of the configuration as plain values."""


def kinds_of(facts: tuple[str, ...]) -> tuple[KindName, ...]:
    """The kinds that these facts could feed, the likeliest first."""
    return tuple(dict.fromkeys(kind for fact in facts for kind in _KINDS.get(fact, ())))


def resources_of(device: OverheardDevice) -> Iterator[ResourceLine]:
    """A resource for each kind that the device could feed; the ids of all begin with its name and differ."""
    name, source = name_of(device), _source(device)
    for position, kind in enumerate(kinds_of(device.heard.facts)):
        item: ResourceLine = {"id": name if position == 0 else f"{name}-{kind}", "kind": kind}
        usual = _type_of(kind, device.heard.facts)
        if usual is not None:
            item["type"] = usual
        if "battery_pct" in device.heard.facts:
            item["power"] = "battery"
        own = _last_step(device.heard.topic.rpartition("/")[0])
        if device.dialect != "native":
            item["source"] = source | _fields(device, kind)
        elif item["id"] != own:
            item["device"] = own
        yield item


def name_of(device: OverheardDevice) -> str:
    """The name with which the ids of its resources begin."""
    steps = (device.heard.name or "", _last_step(device.heard.topic))
    return next((slug for slug in map(_slug, steps) if slug), "device")


def without_collisions(items: list[ResourceLine], taken: set[str]) -> list[ResourceLine]:
    """The same resources, those whose id is taken under the next free one (`seat-2`). What is given becomes taken."""
    told = []
    for item in items:
        name, number = item["id"], 2
        while name in taken:
            name, number = f"{item['id']}-{number}", number + 1
        taken.add(name)
        native = {} if "source" in item or name == item["id"] else {"device": item.get("device", item["id"])}
        told.append(item | {"id": name} | native)
    return told


def written(item: Mapping[str, Any]) -> str:
    """The resource as one line under `resources:`, which YAML reads as what it is."""
    return f"- {_flow(item)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(str(key))}: {_flow(inner)}" for key, inner in value.items()) + "}"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    """Plain where YAML reads it as this text, and not as a number, a day, or on and off."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return '"' + "".join(map(_character, text)) + '"'


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _source(device: OverheardDevice) -> dict[str, Any]:
    return {"dialect": device.dialect, "topic": device.heard.topic}


def _fields(device: OverheardDevice, kind: KindName) -> dict[str, Any]:
    if device.dialect != "json":
        return {}
    return {"fields": {FACTS[kind][fact]: path for fact, path in device.paths.items() if fact in FACTS[kind]}}


def _type_of(kind: KindName, facts: tuple[str, ...]) -> str | None:
    """The one that these facts are about, else the usual one."""
    spec = SPECS[kind]
    told = (name for name, sort in spec.types.items() if sort.told_by and sort.told_by[0] in facts)
    return next(told, spec.usual_type)


def _last_step(topic: str) -> str:
    steps = [step for step in topic.split("/") if step not in _NOT_NAMES]
    return steps[-1] if steps else topic


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_ID_CHARACTERS].strip("-")
