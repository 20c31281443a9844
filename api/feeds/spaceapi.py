"""SpaceAPI 15 (spaceapi.io): one station in the words of community spaces.

`state.open` is left out where nobody knows: the standard's own way to say so. Live gauges of the air are `sensors`;
how many people are there is not told (privacy).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from api.feeds.base import Feed, FeedRequest, FeedStation, named
from gateway.live.station_document import ShownArea

VERSIONS = ["14", "15"]
GAUGES = (
    ("temperature_c", "temperature", "°C"),
    ("humidity_pct", "humidity", "%"),
    ("co2_ppm", "carbondioxide", "ppm"),
)


def render(stations: Sequence[FeedStation], asked: FeedRequest) -> bytes:
    (station,) = stations
    configured, shown = station.station, station.shown
    page = f"{asked.root}/stations/{configured.id}"
    space: dict[str, Any] = {
        "api_compatibility": VERSIONS,
        "space": named(configured.name, "zh", configured.id),
        "logo": f"{asked.root}/static/feeds/icon.svg",
        "url": page,
        "contact": {},
        "state": _state(station),
        "feeds": {"calendar": {"type": "ical", "url": f"{asked.root}/feeds/{configured.id}.ics"}},
        "links": [{"name": "yizhan", "url": f"{asked.root}/m/{configured.id}"}],
    }
    if configured.location is not None:
        location: dict[str, Any] = {"lat": configured.location.lat, "lon": configured.location.lon}
        if configured.location.address:
            location["address"] = configured.location.address
        space["location"] = location | {"timezone": station.zone}
    sensors = _sensors(shown.areas)
    return msgspec.json.encode(space | ({"sensors": sensors} if sensors else {}))


def _state(station: FeedStation) -> dict[str, Any]:
    """Open is a promise of its hours; a station that shows itself shut is not said to be open."""
    now = station.shown.open
    if now.now == "unknown" or now.proof == "contradicted" or station.station.lifecycle != "active":
        return {"message": "unknown"}
    return {"open": now.now == "yes", "message": f"{'open' if now.now == 'yes' else 'closed'} ({now.proof})"}


def _sensors(areas: Sequence[ShownArea]) -> dict[str, list[dict[str, Any]]]:
    """The gauges' live values; a stale one has no `values`."""
    sensors: dict[str, list[dict[str, Any]]] = {}
    gauges = [(area, gauge) for area in areas for gauge in area.instruments if gauge.kind == "climate"]
    for area, gauge in gauges:
        place = named(area.name, "zh", area.id)
        for signal, name, unit in GAUGES:
            if signal in gauge.values:
                told = {"value": gauge.values[signal], "unit": unit, "location": place}
                sensors.setdefault(name, []).append(told)
    return sensors


FEED = Feed("spaceapi/{station}.json", "application/json", "One station after SpaceAPI 15", render)
