"""The grid finds exactly those that a look at all of them finds."""

from hypothesis import given
from hypothesis import strategies as st

from api.geo import distance_m
from api.nearby import Grid

POINTS = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
CLOSE = st.tuples(st.floats(22.5, 23.0), st.floats(112.5, 113.5))


@given(st.lists(st.one_of(CLOSE, POINTS), max_size=40), st.one_of(CLOSE, POINTS), st.floats(1, 20_100_000))
def test_the_grid_finds_what_a_look_at_all_finds(points: list[tuple[float, float]], here: tuple[float, float],
                                                 radius_m: float) -> None:  # fmt: skip
    near = Grid((str(n), point) for n, point in enumerate(points)).around(here, radius_m)
    every = sorted((distance_m(here, point), n) for n, point in enumerate(points))
    assert near == [(away, str(n)) for away, n in every if away <= radius_m]


@given(st.lists(CLOSE, max_size=40), CLOSE, st.floats(1, 20_000))
def test_the_grid_finds_neighbours(points: list[tuple[float, float]], here: tuple[float, float],
                                   radius_m: float) -> None:  # fmt: skip
    near = Grid((str(n), point) for n, point in enumerate(points)).around(here, radius_m)
    assert {name for _, name in near} == {
        str(n) for n, point in enumerate(points) if distance_m(here, point) <= radius_m
    }
