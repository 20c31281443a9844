"""A station as an OCPI 2.2.1 Location: its charging points for cars and e-bikes are the EVSEs. Pure.

A point is AVAILABLE only where its document says `usable: yes`. Closed by hours or by hand is BLOCKED, a barrier in
front of it; OFFLINE has no word in OCPI, so what we do not know is UNKNOWN. What OCPI can't say is in docs/feeds.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import UnsetType

from api.feeds.base import named
from api.ocpi.hours import opening_times
from config.schema import Ocpi, StationSettings
from gateway.base.times import rfc3339
from gateway.live.station_document import ShownResource, StationDocument
from gateway.model import Millis
from gateway.policy.hours.opening import Opening

TYPES: Final = ("ev", "ebike")
CONNECTOR: Final = "1"
_TEXT: Final = 255
_WORDS: Final = {
    "planned": "PLANNED", "removed": "REMOVED", "fault": "OUTOFORDER", "maintenance": "INOPERATIVE",
    "closed": "BLOCKED", "staff_only": "BLOCKED", "occupied": "CHARGING", "away": "CHARGING", "reserved": "RESERVED",
    "blocked": "INOPERATIVE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChargingStation:
    """What a Location is made of. `changed(key, facts)` says since when something is as it is."""

    station: StationSettings
    shown: StationDocument
    zone: str
    opening: Opening | None
    changed: Callable[[str, object], Millis]


def location(of: ChargingStation, ocpi: Ocpi, now: Millis) -> dict[str, Any] | None:
    """The Location object; None for a station without charging points, or without a place: OCPI must know both."""
    station, place = of.station, of.station.location
    points = [shown for shown in of.shown.resources() if shown.kind == "charger" and shown.type in TYPES]
    if not points or place is None:
        return None
    evses = [_evse(point, of, ocpi) for point in points]
    name = named(station.name, "zh", station.id)
    hours = opening_times(of.opening, now, ZoneInfo(of.zone)) if of.opening is not None and station.hours else None
    told: dict[str, Any] = {
        "country_code": ocpi.country_code,
        "party_id": ocpi.party_id,
        "id": station.id,
        "publish": station.lifecycle == "active",
        "name": name[:_TEXT],
        "address": (place.address or name)[:_TEXT],
        "city": (station.region[-1] if station.region else name)[:45],
        "country": ocpi.country,
        "coordinates": {"latitude": f"{place.lat:.6f}", "longitude": f"{place.lon:.6f}"},
        "evses": evses,
        "operator": {"name": ocpi.name},
        "time_zone": of.zone,
        "charging_when_closed": False,
    }
    if station.region:
        told["state"] = station.region[0][:45]
    if hours is not None:
        told["opening_times"] = hours
    changed = of.changed(station.id, repr({key: value for key, value in told.items() if key != "evses"}))
    told["last_updated"] = max([rfc3339_seconds(changed), *(evse["last_updated"] for evse in evses)])
    return told


def status_of(point: ShownResource) -> str:
    """The Status word. `because` is most decisive first, so its first word with a meaning in OCPI tells."""
    if point.usable == "yes":
        return "AVAILABLE"
    if point.usable == "unknown":
        return "UNKNOWN"
    return next((_WORDS[reason] for reason in point.because if reason in _WORDS), "UNKNOWN")


def rfc3339_seconds(at: Millis) -> str:
    """OCPI compares times as texts: all of the same length."""
    return rfc3339(at - at % 1000)


def _evse(point: ShownResource, of: ChargingStation, ocpi: Ocpi) -> dict[str, Any]:
    status = status_of(point)
    changed = rfc3339_seconds(of.changed(f"{of.station.id}/{point.id}", status))
    socket = ocpi.ev if point.type == "ev" else ocpi.ebike
    evse: dict[str, Any] = {
        "uid": point.id,
        "status": status,
        "connectors": [{"id": CONNECTOR, **socket.model_dump(), "last_updated": changed}],
        "last_updated": changed,
    }
    if not isinstance(point.name, UnsetType) and point.name:
        evse["physical_reference"] = named(point.name, "zh", point.id)[:16]
    return evse
