"""GeoJSON (RFC 7946): every station as a point, for map makers and apps.

RFC 7946 knows WGS 84 alone; Chinese maps are shifted, so `crs=gcj02` and `crs=bd09` put their coordinates in, and the
answer names the system in `crs_name` (a foreign member). A station without a place has a null geometry.
"""

from collections.abc import Sequence

import msgspec

from api.feeds.base import Feed, FeedRequest, FeedStation
from api.feeds.shared.map_row import SYSTEMS, point_of, rows_of
from gateway.base.times import rfc3339


def render(stations: Sequence[FeedStation], asked: FeedRequest) -> bytes:
    features = []
    for station, row in rows_of(stations, asked):
        point = point_of(station, asked)
        features.append(
            {
                "type": "Feature",
                "id": station.station.id,
                "geometry": None if point is None else {"type": "Point", "coordinates": [point[1], point[0]]},
                "properties": row,
            }
        )
    return msgspec.json.encode(
        {
            "type": "FeatureCollection",
            "crs_name": asked.word("crs", SYSTEMS),
            "as_of": rfc3339(asked.now),
            "features": features,
        }
    )


FEED = Feed("stations.geojson", "application/geo+json", "Every station on a map, as GeoJSON", render)
