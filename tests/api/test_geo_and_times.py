"""Coordinates and times, against figures published elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.geo import distance_m, from_bd09, from_gcj02, to_bd09, to_gcj02
from api.times import from_query, from_rfc3339, rfc3339

LATEST = 253_402_300_799_999


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        # the test points of github.com/wandergis/coordtransform and googollee/eviltransform
        ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
        ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
        ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
    ],
)
def test_gcj02_is_the_published_shift(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert to_gcj02(wgs84) == pytest.approx(gcj02, abs=1e-6)
    assert distance_m(from_gcj02(gcj02), wgs84) < 0.5


@pytest.mark.parametrize(
    ("gcj02", "bd09"),
    [
        # github.com/wandergis/coordtransform, README
        ((39.915, 116.404), (39.92133699351021, 116.41036949371029)),
        ((39.90865673957631, 116.39762729119315), (39.915, 116.404)),
    ],
)
def test_bd09_is_the_published_shift(gcj02: tuple[float, float], bd09: tuple[float, float]) -> None:
    wgs84 = from_gcj02(gcj02)
    assert distance_m(to_bd09(wgs84), bd09) < 1
    assert distance_m(from_bd09(bd09), wgs84) < 1


def test_outside_china_nothing_is_shifted() -> None:
    assert to_bd09((37.7749, -122.4194)) == (37.7749, -122.4194)
    assert from_bd09((37.7749, -122.4194)) == (37.7749, -122.4194)
    assert to_gcj02((37.7749, -122.4194)) == (37.7749, -122.4194)


@given(st.floats(18.5, 53), st.floats(74, 134))
def test_there_and_back_is_within_a_decimetre(lat: float, lon: float) -> None:
    assert distance_m(from_gcj02(to_gcj02((lat, lon))), (lat, lon)) < 0.1
    assert distance_m(from_bd09(to_bd09((lat, lon))), (lat, lon)) < 0.1


def test_beijing_to_shanghai_is_1067_km() -> None:
    assert distance_m((39.9042, 116.4074), (31.2304, 121.4737)) == pytest.approx(1_067_300, rel=0.005)


@given(st.integers(0, LATEST))
def test_a_time_written_is_the_time_read(at: int) -> None:
    assert from_rfc3339(rfc3339(at)) == at
    assert from_query(rfc3339(at)) == at
    assert from_query(rfc3339(at).lower()) == at, "RFC 3339, 5.6: t and z may be small"


@given(st.one_of(st.integers(100_000_000_000, LATEST), st.integers(0, 99_999_999)))
def test_a_time_may_be_written_in_milliseconds(at: int) -> None:
    assert from_query(str(at)) == at


@pytest.mark.parametrize("text", ["1795800000", "100000000", "99999999999"])
def test_seconds_since_1970_are_called_that(text: str) -> None:
    with pytest.raises(ValueError, match=rf"is a time in seconds; write milliseconds since 1970 \({text}000\)"):
        from_query(text)


@pytest.mark.parametrize("text", ["", "now", "2026-11-21", "2026-11-21T12:00", "-5", "9" * 40, "1e9", "²", "20261121Z"])
def test_what_is_no_moment_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ValueError, match="write RFC 3339"):
        from_query(text)


def test_microseconds_and_offsets_are_understood() -> None:
    assert from_rfc3339("2026-11-21T20:00:00.123456+08:00") == 1_795_262_400_123
