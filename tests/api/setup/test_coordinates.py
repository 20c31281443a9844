"""What people paste as a place, in the three systems of Chinese maps."""

import pytest

from api.geo import distance_m, to_bd09, to_gcj02
from api.setup.coordinates import NoPlaceError, pasted

# The worked example of wandergis/coordtransform (README): one pair of numbers, read as each system.
GIVEN = "39.915, 116.404"
WGS84_OF_GCJ02 = (39.91359571849836, 116.39775550083061)


def test_a_place_of_each_system_becomes_wgs_84() -> None:
    gcj = pasted(GIVEN, "gcj02")
    assert distance_m((gcj.lat, gcj.lon), WGS84_OF_GCJ02) < 1
    assert pasted(GIVEN, "wgs84") == type(gcj)(39.915, 116.404)


@pytest.mark.parametrize("place", [(22.765, 112.964), (43.8, 87.6), (31.2, 121.5), (18.3, 109.5)])
def test_what_a_map_shows_becomes_the_place_again(place: tuple[float, float]) -> None:
    for system, shown in (("gcj02", to_gcj02(place)), ("bd09", to_bd09(place))):
        read = pasted(f"{shown[1]:.6f},{shown[0]:.6f}", system)  # type: ignore[arg-type]
        assert distance_m((read.lat, read.lon), place) < 0.3


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("22.765, 112.964", False),
        ("22.765 112.964", False),
        ("２２．７６５，１１２．９６４", False),
        ("22.765、112.964", False),
        ("112.964,22.765", True),
        ("112.964；22.765", True),
        ("geo:22.765,112.964?z=16", False),
        ("https://uri.amap.com/marker?position=112.964,22.765&name=x", True),
        ("https://ditu.amap.com/regeo?lng=1&p=B0FF,22.765,112.964,某地", False),
        ("https://map.example/@22.765,112.964,17z", False),
        ("https://map.example/?ll=22.765%2C112.964", False),
        ("北纬22.765 东经112.964", False),
        ("东经112.964°，北纬22.765°", False),
        ("22.765N 112.964E", False),
        ("E 112.964 N 22.765", False),
        ("22°45'54\"N 112°57'50.4\"E", False),
        ("N22°45′54″ E112°57′50.4″", False),
    ],
)
def test_any_way_of_writing_a_place_is_read(text: str, swapped: bool) -> None:
    place = pasted(text, "wgs84")
    assert (place.lat, place.lon) == pytest.approx((22.765, 112.964), abs=1e-6)
    assert place.swapped == swapped


def test_the_south_and_the_west_are_negative() -> None:
    assert pasted("-33.86, 151.2", "wgs84").lat == -33.86
    place = pasted("33.86S 58.4W", "wgs84")
    assert (place.lat, place.lon) == (-33.86, -58.4)


@pytest.mark.parametrize("text", ["", "雁山社区", "22.765", "200, 300", "13800138000", "2026-11-29 12:00"])
def test_what_is_no_place_says_what_to_paste(text: str) -> None:
    with pytest.raises(NoPlaceError, match="paste two numbers"):
        pasted(text, "gcj02")
