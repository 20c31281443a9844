"""What a page must know of a station before its first document: what the configuration says of it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.pages.json_ld import station_ld
from config.files import LIST_BYTES, read_text
from config.schema import AreaSettings, ResourceSettings, Settings, StationSettings

CALLED_TOILET = re.compile(r"厕|廁|卫生间|衛生間|洗手间|洗手間|盥洗|toilet|restroom|\bwc\b", re.IGNORECASE)
_NIGHT = re.compile(r"\d\d:\d\d-\d\d:\d\d")
NIGHT_DEFAULT = "21:00-06:30"
CHECK_IN_S = 60.0


@dataclass(frozen=True, slots=True)
class PagePlace:
    """One station as its pages show it. `names` holds the configured name of each resource that has one.

    `distance_m` and `screen_inches` set the size of the letters on the wall. `theme` is auto, day or night; auto is
    night within `night`, "HH:MM-HH:MM" in the station's zone. `second` is the smaller language, or None.
    A wall checks in each `check_in_s`, three times before it would be missed.
    `plan` is an SVG whose elements carry `data-resource`. `words`: by what it is found, in lower case; `toilets`: the
    resources that are called so. `json_ld`: it for search engines, without its address. `gathers`: it has a room, so
    an activity can take place there.
    """

    id: str
    name: Mapping[str, str]
    timezone: str = "Asia/Shanghai"
    region: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    address: str = ""
    hours: str = ""
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    language: str | None = None
    second: str | None = "en"
    distance_m: float = 5.0
    screen_inches: float = 43.0
    theme: str = "auto"
    night: str = NIGHT_DEFAULT
    check_in_s: float = CHECK_IN_S
    plan: str | None = None
    words: str = ""
    toilets: frozenset[str] = frozenset()
    json_ld: Mapping[str, Any] = field(default_factory=dict)
    gathers: bool = False


class PlacesShown(Mapping[str, PagePlace]):
    """Those of the configuration that runs."""

    def __init__(self, places: Mapping[str, PagePlace]) -> None:
        self._places = places

    def configure(self, places: Mapping[str, PagePlace]) -> None:
        """Serve these places from now on. Any thread."""
        self._places = places

    def __getitem__(self, station: str) -> PagePlace:
        return self._places[station]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def places_of(settings: Settings) -> dict[str, PagePlace]:
    """Every configured station, ready for its pages. OSError when a floor plan can't be read."""
    return {station.id: _place(settings, station) for station in settings.stations}


def _place(settings: Settings, station: StationSettings) -> PagePlace:
    display, spot = settings.display_of(station), station.location
    return PagePlace(
        id=station.id,
        name=dict(station.name) or {"zh": station.id},
        timezone=settings.zone_of(station).key,
        region=tuple(station.region),
        lat=spot.lat if spot else None,
        lon=spot.lon if spot else None,
        address=spot.address or "" if spot else "",
        hours=station.hours or "",
        names={
            resource.id: dict(resource.name) for area in station.areas for resource in area.resources if resource.name
        },
        language=None if display.lang == "auto" else display.lang,
        second=display.second_lang,
        distance_m=display.distance_m,
        screen_inches=display.screen_inches,
        theme=display.theme,
        # the page turns by the clock alone; a rule with weekdays falls back to the usual night
        night=display.night_hours if _NIGHT.fullmatch(display.night_hours) else NIGHT_DEFAULT,
        check_in_s=min(CHECK_IN_S, settings.api.screen_silent_s / 3),
        plan=_plan(station),
        words=_words(station),
        json_ld=station_ld(station),
        gathers=any(resource.kind == "room" for area in station.areas for resource in area.resources),
        toilets=frozenset(
            resource.id for area in station.areas for resource in area.resources if _called_toilet(area, resource)
        ),
    )


def _words(station: StationSettings) -> str:
    """All by which somebody may look for it, in lower case."""
    spot = station.location.address if station.location else None
    named = [station.name, *(area.name for area in station.areas)]
    named += [resource.name for area in station.areas for resource in area.resources if resource.name]
    told = [station.id, *station.region, spot or "", *(text for names in named for text in names.values())]
    return "\n".join(told).lower()


def _called_toilet(area: AreaSettings, resource: ResourceSettings) -> bool:
    """Whether this is a toilet by its own name, by its features, or as the room of an area that is called so."""
    own = [*resource.name.values(), *resource.features]
    if resource.kind == "room" and not resource.name:
        own += area.name.values()
    return any(CALLED_TOILET.search(text) for text in own)


def _plan(station: StationSettings) -> str | None:
    path = station.floor_plan
    return None if path is None else read_text(path, f"stations.{station.id}.floor_plan", LIST_BYTES)


def data_block(facts: Mapping[str, Any]) -> str:
    """JSON that is safe between <script type="application/json"> and </script>: no `<` survives."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def facts_of(place: PagePlace) -> dict[str, Any]:
    """The place for its own page's script."""
    return {
        "id": place.id, "name": dict(place.name), "timezone": place.timezone, "region": place.region,
        "lat": place.lat, "lon": place.lon, "address": place.address, "hours": place.hours,
        "names": {key: dict(name) for key, name in place.names.items()}, "second": place.second,
        "distance_m": place.distance_m, "screen_inches": place.screen_inches, "theme": place.theme,
        "night": place.night, "check_in_s": place.check_in_s, "plan": place.plan is not None,
    }  # fmt: skip
