"""Stations that a centre shows without configuring them: as their boxes tell of them on `yz-site/{station}`.

A site is the station's own lines with what they inherit, without secrets, sources and calendars: nothing in it leads
to a file or an address. What the centre configures itself stands above it.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from config.files import LIST_BYTES, UnusableFileError, read_bytes
from config.resources import values_of
from config.schema import Settings, StationSettings

log = logging.getLogger(__name__)

FOLDER: Final = "sites"
LEFT_OUT: Final = {
    "stations": ("partner", "checks_token_file", "floor_plan", "display"),
    "areas": ("calendar",),
    "resources": ("source",),
}
"""What stays at the box: secrets, and what leads to its files, devices and addresses."""


class Site(NamedTuple):
    """A station as `box` tells of it."""

    box: str
    version: int | None
    station: StationSettings


def site_of(settings: Settings, station: StationSettings, box: str, version: int | None) -> bytes:
    """What a box retains of one of its stations."""
    told = station.model_dump(mode="json", exclude_defaults=True)
    told["timezone"] = station.timezone or settings.timezone
    told["weekend"] = station.weekend or settings.calendar.weekend
    for area, written in zip(station.areas, told.get("areas", ()), strict=True):
        for item, row in zip(area.resources, written.get("resources", ()), strict=True):
            values = values_of(settings, station, area, item)
            row |= {"device": values["device"], "ttl": values["ttl_ms"] / 1000, "reporting": values["reporting"]}
    body = {"box": box, "version": version, "station": _bare(told)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_site(payload: bytes) -> Site:
    """ValueError says what is wrong with it."""
    try:
        told = json.loads(payload)
        box, version, station = told["box"], told.get("version"), told["station"]
        if not isinstance(box, str) or not isinstance(station, dict) or not isinstance(version, int | None):
            raise ValueError("is no site")  # noqa: TRY004  it is what a box wrote
        return Site(box, version, StationSettings.model_validate(_bare(station)))
    except (KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        raise ValueError(f"is no site: {type(error).__name__}") from None


def _bare(station: dict[str, Any]) -> dict[str, Any]:
    """Without what stays at the box, whoever wrote it."""
    bare = {name: value for name, value in station.items() if name not in LEFT_OUT["stations"]}
    areas = [dict(area) for area in bare.get("areas", ())]
    for area in areas:
        for name in LEFT_OUT["areas"]:
            area.pop(name, None)
        items = [dict(item) for item in area.get("resources", ())]
        for item in items:
            for name in LEFT_OUT["resources"]:
                item.pop(name, None)
        area["resources"] = items
    return bare | {"areas": areas}


def path_of(folder: Path, station: str) -> Path:
    """Where a centre keeps the site of a station; `folder` is that of its store."""
    return folder / FOLDER / f"{station}.json"


def with_sites(settings: Settings) -> Settings:
    """The same with the stations of boxes that `uplinks.accept` names. One that can't be read is told and left out."""
    if not settings.uplinks.accept:
        return settings
    own = {station.id for station in settings.stations}
    sites = {site.station.id: site for site in _kept(settings) if site.station.id not in own}
    if not sites:
        return settings
    return settings.with_more(
        [site.station for site in sites.values()], {name: site.box for name, site in sites.items()}
    )


def _kept(settings: Settings) -> Iterator[Site]:
    for path in sorted((settings.store.path / FOLDER).glob("*.json")):
        try:
            site = read_site(read_bytes(path, "site", LIST_BYTES))
        except (UnusableFileError, ValueError) as error:
            log.error("%s: %s; its box tells it again when its line is new", path, error)
            continue
        if site.box in settings.uplinks.accept and site.station.id == path.stem:
            yield site
