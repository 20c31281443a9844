"""A station in the words of schema.org, for search engines: what does not change from minute to minute. Pure.

It stands in /m/{station} and /stations/{station} as JSON-LD. What is free now is not in it: a search engine shows for
days what it read once.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from api.feeds.base import named
from config.kinds import INSTRUMENTS, SPECS
from config.schema import StationSettings
from gateway.policy.hours.configured import composed

_DAY: Final = "(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_SIMPLE: Final = re.compile(rf"(?:({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) )?(\d\d:\d\d-\d\d:\d\d)")


def station_ld(station: StationSettings) -> dict[str, Any]:
    """The object, to which a page adds its own address (`at`)."""
    name = named(station.name, "zh", station.id)
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "CivicStructure",
        "name": name,
        "identifier": station.id,
    }
    others = [text for text in station.name.values() if text != name]
    if others:
        told["alternateName"] = others
    place = station.location
    address = {"streetAddress": place.address if place else None, "addressLocality": "".join(station.region) or None}
    if any(address.values()):
        told["address"] = {"@type": "PostalAddress", **{key: text for key, text in address.items() if text}}
    if place is not None:
        told["geo"] = {"@type": "GeoCoordinates", "latitude": place.lat, "longitude": place.lon}
    hours = _hours(composed(station)) if station.hours else []
    if hours:
        told["openingHours"] = hours
    offered = {(resource.kind, resource.type) for area in station.areas for resource in area.resources}
    amenities = sorted(_named(kind, sort) for kind, sort in offered if kind not in INSTRUMENTS)
    if amenities:
        feature = {"@type": "LocationFeatureSpecification", "value": True}
        told["amenityFeature"] = [feature | {"name": amenity} for amenity in amenities]
    return told


def at(told: Mapping[str, Any], url: str) -> dict[str, Any]:
    """The object with the address of its page."""
    return {**told, "@id": url, "url": url}


def _hours(text: str) -> list[str]:
    """In the form that schema.org knows: days and one span of time each; nothing where any rule is more than that."""
    if text == "24/7":
        return ["Mo-Su 00:00-23:59"]
    told = []
    for rule in text.split(";"):
        for part in _spans(rule.strip()):
            match = _SIMPLE.fullmatch(part)
            if match is None:
                return []
            told.append(f"{match[1] or 'Mo-Su'} {match[2]}")
    return told


def _spans(rule: str) -> list[str]:
    """`Mo-Fr 09:00-12:00,14:00-18:00` is two."""
    days, _, times = rule.rpartition(" ")
    return [f"{days} {time}".strip() for time in times.split(",")]


def _named(kind: str, sort: str | None) -> str:
    spec = SPECS[kind]
    return (spec.words if sort is None or sort not in spec.types else spec.types[sort].words)[0]
