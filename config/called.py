"""What a thing without a name of its own is called: "4 号充电桩", "Charger 4". The pages say the same (js/say.js)."""

import re
from collections.abc import Mapping

from config.kinds import SPECS
from config.schema import StationSettings

_NUMBER = re.compile(r"(\d+)$")


def called(kind: str, sort: str | None, name: str, lang: str) -> str:
    """By its kind, its type and the number at the end of its id; the id itself of a kind that nobody knows."""
    spec = SPECS.get(kind)
    if spec is None:
        return name
    kept = spec.types.get(sort or "")
    words = (kept.thing if kept is not None else None) or spec.says.get("thing") or spec.says.get("one")
    if words is None:
        words = kept.words if kept is not None else spec.words
    word = words[{"zh": 0, "zh-hant": 1}.get(lang, 2)]
    match = _NUMBER.search(name)
    number = match[1].lstrip("0") if match else ""
    if not number or (number == "1" and not spec.groups_on_pages):
        return word  # the first of what is no group is mostly the only one
    return f"{word} {number}" if lang == "en" else f"{number} 号{word}" if lang == "zh" else f"{number} 號{word}"


def of_language(names: Mapping[str, str], lang: str) -> str:
    """In this language, else in Chinese, else in English; empty where it has no name."""
    return names.get(lang) or names.get("zh") or names.get("en") or ""


def located(station: StationSettings, name: str, lang: str) -> str:
    """A thing or its device as people call it, behind its area where that has a name; empty where it is not there.

    A room without a name is called as its area is.
    """
    there = [(area, resource) for area in station.areas for resource in area.resources]
    named = [pair for pair in there if pair[1].id == name] or [pair for pair in there if pair[1].device == name]
    if not named:
        return ""
    area, resource = named[0]
    where, own = of_language(area.name, lang), of_language(resource.name, lang)
    if not own and not (resource.kind == "room" and where):
        own = called(resource.kind, resource.type, resource.id, lang)
    return " ".join(filter(None, (where, own)))
