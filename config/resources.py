"""What the configuration says of a resource, with what it inherits filled in. Whoever needs a resource starts here."""

from typing import Final, TypedDict

from config.kinds import SPECS
from config.schema.base import Kind, Lifecycle, Reporting
from config.schema.settings import Settings
from config.schema.station import AreaSettings, ResourceSettings, StationSettings

BATTERY_TTL_S: Final = 90_000
"""A device on a battery speaks when something changes, and once a day to say that it is there. An hour for the one that
gets lost: the 25 hours that Zigbee2MQTT gives such devices."""
ON_BATTERIES: Final = ("chirpstack", "ttn")
_NO_NAME: Final[dict[str, str]] = {}  # one for all that have none: most resources


class ResourceValues(TypedDict):
    """The arguments of `gateway.model.Resource`, all of them; times in ms."""

    station: str
    area: str
    id: str
    kind: Kind
    device: str
    type: str | None
    name: dict[str, str]
    ttl_ms: int
    reporting: Reporting
    capacity: int | None
    away_ms: int
    privacy: str | None
    lifecycle: Lifecycle
    features: tuple[str, ...]
    entrance: str | None
    error_pct: tuple[float, float] | None


def values_of(
    settings: Settings, station: StationSettings, area: AreaSettings, item: ResourceSettings
) -> ResourceValues:
    """The resource's own word first, then its area's or station's where they speak for it, then its kind's default."""
    default = settings.defaults_for(item.kind)
    inherited = area.capacity if SPECS[item.kind].holds_people else None
    return ResourceValues(
        station=station.id,
        area=area.id,
        id=item.id,
        kind=item.kind,
        device=item.device_id,
        type=item.type,
        name=dict(item.name) if item.name else _NO_NAME,
        ttl_ms=round((item.ttl if item.ttl is not None else _promised_s(item, default.ttl_s)) * 1000),
        reporting=item.reporting or ("on_change" if item.power == "battery" else default.reporting),
        capacity=item.capacity if item.capacity is not None else inherited,
        away_ms=round(default.away_s * 1000),
        privacy=item.privacy or area.privacy,
        lifecycle=station.lifecycle if station.lifecycle != "active" else item.lifecycle,
        features=tuple(item.features),
        entrance=item.entrance,
        error_pct=None if item.error_pct is None else (item.error_pct.missed, item.error_pct.double),
    )


def _promised_s(item: ResourceSettings, usual_s: int) -> int:
    """For how long a value can be good by what its device lives on."""
    return max(usual_s, BATTERY_TTL_S) if item.power == "battery" else usual_s


def unpromised(settings: Settings) -> list[str]:
    """Resources fed by radio sensors on batteries whose `ttl` is that of their kind, which no such sensor keeps."""
    return [
        f"{station.id}/{item.id}"
        for station, _, item in settings.resources()
        if item.source is not None
        and item.source.dialect in ON_BATTERIES
        and item.power == "mains"
        and item.ttl is None
        and settings.defaults_for(item.kind).ttl_s < BATTERY_TTL_S
    ]
