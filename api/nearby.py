"""Which places are near a point, without looking at all of them: a grid over the globe. Pure."""

import math
from collections.abc import Iterable, Iterator

from api.geo import LatLon, distance_m

CELL_DEG = 0.02  # 2.2 km from north to south
DEG_M = 111_195.0  # of latitude, on a sphere of the mean radius
Cell = tuple[int, int]


class Grid:
    """Named points. `around` looks at each cell within reach, or at each that holds anything if those are fewer."""

    def __init__(self, places: Iterable[tuple[str, LatLon]]) -> None:
        self._cells: dict[Cell, list[tuple[int, str, LatLon]]] = {}
        for order, (name, point) in enumerate(places):
            self._cells.setdefault(_cell_of(point), []).append((order, name, point))

    def around(self, point: LatLon, radius_m: float) -> list[tuple[float, str]]:
        """(metres, name) of those within the radius, the nearest first, equals in the order in which they came."""
        near = []
        for cell in self._within(point, radius_m):
            for order, name, place in self._cells.get(cell, ()):
                away = distance_m(point, place)
                if away <= radius_m:
                    near.append((away, order, name))
        near.sort()
        return [(away, name) for away, _, name in near]

    def _within(self, point: LatLon, radius_m: float) -> Iterator[Cell] | Iterable[Cell]:
        """At least the cells that hold anything within reach; all of them where the box meets a pole or 180 degrees."""
        lat, lon = point
        up = radius_m / DEG_M * 1.01  # haversine and this measure differ by less
        south, north = lat - up, lat + up
        if south <= -89 or north >= 89:
            return self._cells
        wide = up / math.cos(math.radians(max(abs(south), abs(north))))
        west, east = lon - wide, lon + wide
        if west <= -180 or east >= 180:
            return self._cells
        (first_row, first_column), (last_row, last_column) = _cell_of((south, west)), _cell_of((north, east))
        if (last_row - first_row + 1) * (last_column - first_column + 1) >= len(self._cells):
            return self._cells
        return (
            (row, column) for row in range(first_row, last_row + 1) for column in range(first_column, last_column + 1)
        )


def _cell_of(point: LatLon) -> Cell:
    return math.floor(point[0] / CELL_DEG), math.floor(point[1] / CELL_DEG)
