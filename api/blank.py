"""The document of a station that nobody has spoken for yet: every resource is there, and nothing is known."""

import msgspec

from api.times import rfc3339
from config.kinds import UNITS
from config.schema import Resource, Station
from gateway.model import Axes, Document, Millis, axes_of


def blank(station: Station, now: Millis) -> Document:
    """What the configuration alone can say, in the form of the contract's section 4."""
    lines: dict[tuple[str, str | None], int] = {}
    for area in station.areas:
        for one in area.resources:
            if _axes(station, one).lifecycle == "active":
                units = one.capacity or 0 if one.kind in UNITS else 1
                lines[one.kind, one.type] = lines.get((one.kind, one.type), 0) + units
    document = {
        "station": station.id,
        "name": station.name,
        "region": station.region,
        "location": station.location.model_dump(exclude_none=True) if station.location else None,
        "as_of": rfc3339(now),
        "valid_until": None,
        "open": {"now": "unknown", "until": None},
        "summary": [
            {"kind": kind, "type": sort, "total": total, "usable_min": 0, "usable_max": total}
            for (kind, sort), total in lines.items()
        ],
        "areas": [
            {"id": area.id, "name": area.name, "resources": [_resource(station, one) for one in area.resources]}
            for area in station.areas
        ],
    }
    return Document(station.id, msgspec.json.encode(document), now, None)


def _axes(station: Station, resource: Resource) -> Axes:
    lifecycle = station.lifecycle if station.lifecycle != "active" else resource.lifecycle
    return axes_of(lifecycle, "ok", "unknown", "unknown", "never")


def _resource(station: Station, resource: Resource) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": resource.id,
        "kind": resource.kind,
        "type": resource.type,
        **_axes(station, resource).shown(),
        "observed_at": None,
        "valid_until": None,
        "since": None,
    }
    if resource.name:
        shown["name"] = resource.name
    if resource.kind in UNITS:
        shown["free"], shown["total"] = None, resource.capacity
    return shown
