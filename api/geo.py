"""Where things are: distances, and the shifted coordinates of Chinese phone maps."""

import math
from collections.abc import Callable

EARTH_RADIUS_M = 6_371_008.8
# GCJ-02 as every open implementation has it: the Krasovsky 1940 ellipsoid, and no shift outside this box.
_AXIS_M, _ECCENTRICITY2 = 6_378_245.0, 0.00669342162296594323
_BAIDU_TURN = math.pi * 3000 / 180
_CHINA = (0.8293, 55.8271, 72.004, 137.8347)

LatLon = tuple[float, float]  # latitude, longitude in degrees


def point_of(text: str) -> LatLon | None:
    """`22.765,112.964` → a place on earth; None for anything else."""
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        return None
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def distance_m(a: LatLon, b: LatLon) -> float:
    """Great-circle metres (haversine); within 0.5 % of the ellipsoid."""
    lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b[1] - a[1]) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord)))


def from_gcj02(point: LatLon) -> LatLon:
    """WGS 84 of a GCJ-02 point, to about a decimetre."""
    return _undone(to_gcj02, point)


def to_gcj02(point: LatLon) -> LatLon:
    """GCJ-02 of a WGS 84 point; outside China they are the same."""
    lat, lon = point
    if not _in_china(point):
        return point
    x, y = lon - 105.0, lat - 35.0
    north_m, east_m = _shift_m(x, y)
    phi = math.radians(lat)
    magic = 1 - _ECCENTRICITY2 * math.sin(phi) ** 2
    meridian = _AXIS_M * (1 - _ECCENTRICITY2) / (magic * math.sqrt(magic))
    parallel = _AXIS_M / math.sqrt(magic) * math.cos(phi)
    return lat + math.degrees(north_m / meridian), lon + math.degrees(east_m / parallel)


def to_bd09(point: LatLon) -> LatLon:
    """BD-09 (Baidu's maps) of a WGS 84 point; outside China they are the same."""
    if not _in_china(point):
        return point
    lat, lon = to_gcj02(point)
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BAIDU_TURN)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BAIDU_TURN)
    return radius * math.sin(angle) + 0.006, radius * math.cos(angle) + 0.0065


def from_bd09(point: LatLon) -> LatLon:
    """WGS 84 of a BD-09 point, to about a decimetre."""
    return _undone(to_bd09, point)


def _undone(shifted: Callable[[LatLon], LatLon], point: LatLon) -> LatLon:
    """The point that is shifted to `point`."""
    guess = point
    for _ in range(6):
        there = shifted(guess)
        guess = (guess[0] + point[0] - there[0], guess[1] + point[1] - there[1])
    return guess


def _in_china(point: LatLon) -> bool:
    south, north, west, east = _CHINA
    return south <= point[0] <= north and west <= point[1] <= east


def _shift_m(x: float, y: float) -> tuple[float, float]:
    ripple = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + ripple
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + ripple
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    return north, east
