"""One station as a row of a map: flat, and the same in GeoJSON and CSV."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from api.feeds.base import FeedRequest, FeedStation, named
from api.geo import LatLon, to_bd09, to_gcj02
from gateway.base.times import from_rfc3339, rfc3339
from gateway.live.station_document import ShownResource, StationDocument
from gateway.model import Millis
from gateway.policy.hours.configured import composed
from gateway.policy.hours.words import coming_week

SYSTEMS = ("wgs84", "gcj02", "bd09")
LOOKS_BACK_MS = 60_000
"""So much earlier than `since` may a change be told again: two servers do not notice it in the same instant."""
Row = dict[str, object]


def rows_of(stations: Sequence[FeedStation], asked: FeedRequest) -> list[tuple[FeedStation, Row]]:
    """A row for each station that changed `since`. ValueError for a bad query."""
    asked.word("crs", SYSTEMS)
    since = _since(asked)
    return [
        (station, row(station, asked))
        for station in stations
        if since is None or station.changed_at >= since - LOOKS_BACK_MS
    ]


def row(station: FeedStation, asked: FeedRequest) -> Row:
    configured, shown = station.station, station.shown
    location, opening = configured.location, asked.hours(configured, None)
    zone = ZoneInfo(station.zone)
    return {
        "code": configured.id,
        "name_zh": named(configured.name, "zh", configured.id),
        "name_en": named(configured.name, "en", configured.id),
        "region": "/".join(configured.region),
        "address": (location.address if location is not None else None) or "",
        "lifecycle": configured.lifecycle,
        "hours": composed(configured) if configured.hours else "",
        "hours_zh": coming_week(opening, asked.now, zone, "zh") if opening and configured.hours else "不详",
        "hours_en": coming_week(opening, asked.now, zone, "en") if opening and configured.hours else "unknown",
        "timezone": station.zone,
        "open": shown.open.now,
        "open_until": shown.open.until,
        "open_proof": shown.open.proof,
        "facilities": ";".join(_group(line.kind, line.type) for line in shown.summary),
        "counts": [
            {
                "facility": _group(line.kind, line.type),
                "total": line.total,
                "usable_min": line.usable_min,
                "usable_max": line.usable_max,
            }
            for line in shown.summary
        ],
        "aed": aed(shown),
        "as_of": shown.as_of,
        "valid_until": shown.valid_until,
        "changed_at": rfc3339(station.changed_at),
        "url": f"{asked.root}/m/{configured.id}",
    }


def aed(shown: StationDocument) -> str:
    """The best that is said of one: `ready`, `unknown`, `closed` (behind a closed door), `not_ready`, else `none`."""
    answers = {_readiness(shown) for shown in shown.resources() if shown.type == "aed" and shown.lifecycle == "active"}
    return next((word for word in ("ready", "unknown", "closed", "not_ready") if word in answers), "none")


def _readiness(shown: ShownResource) -> str:
    if shown.usable != "no":
        return "ready" if shown.usable == "yes" else "unknown"
    return "closed" if shown.because[0] in ("closed", "staff_only") else "not_ready"


def point_of(station: FeedStation, asked: FeedRequest) -> LatLon | None:
    """Latitude and longitude in the system that is asked for, in degrees; None where nobody said where it is."""
    location = station.station.location
    if location is None:
        return None
    point = location.lat, location.lon
    system = asked.word("crs", SYSTEMS)
    if system == "gcj02":
        point = to_gcj02(point)
    elif system == "bd09":
        point = to_bd09(point)
    return round(point[0], 7), round(point[1], 7)


def _group(kind: str, sort: str | None) -> str:
    return kind if sort is None else f"{kind}:{sort}"


def _since(asked: FeedRequest) -> Millis | None:
    text = asked.query.get("since")
    if text is None:
        return None
    try:
        return from_rfc3339(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise ValueError("since: is no time; write it as 2026-11-29T08:00:00+08:00") from None
