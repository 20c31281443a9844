"""Days, hours and months are local ones, across every change of the clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.base.local_time import (
    HOUR_MS,
    day_of,
    day_start,
    hour_of_week,
    local_of,
    month_of,
    next_day,
    pieces,
    stretches,
)

DAY = 24 * HOUR_MS
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


@given(
    st.sampled_from(ZONES),
    st.integers(1_700_000_000_000, 1_800_000_000_000),
    st.integers(1, 10 * DAY),
    st.sampled_from(["hour", "day"]),
)
@settings(max_examples=150, deadline=None)
def test_pieces_cover_a_window_and_are_cut_at_local_boundaries(zone: str, start: int, length: int, by: str) -> None:
    place = ZoneInfo(zone)
    cuts = list(pieces(start, start + length, place, by))  # type: ignore[arg-type]
    assert [cuts[0][0], cuts[-1][1]] == [start, start + length]
    assert all(left[1] == right[0] for left, right in pairwise(cuts))
    if by == "day":
        assert all(day_start(begin, place) == begin for begin, _ in cuts[1:])
        assert all(until - begin <= 25 * HOUR_MS for begin, until in cuts)


def test_a_day_of_a_changed_clock_has_23_or_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring, autumn = 1_774_738_800_000, 1_792_879_200_000  # midnights before 29 March and 25 October 2026
    assert next_day(spring, berlin) - spring == 23 * HOUR_MS
    assert next_day(autumn, berlin) - autumn == 25 * HOUR_MS


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("year", "month"), [(2026, 3), (2026, 10), (2026, 12), (2028, 2)])
def test_a_month_goes_from_local_midnight_to_local_midnight(zone: str, year: int, month: int) -> None:
    place = ZoneInfo(zone)
    start, end = month_of(year, month, place)
    local = [datetime.fromtimestamp(at / 1000, UTC).astimezone(place) for at in (start, end)]
    assert [(midnight.day, midnight.hour, midnight.minute) for midnight in local] == [(1, 0, 0), (1, 0, 0)]
    assert [local[0].month, local[1].month] == [month, month % 12 + 1]


def test_the_week_begins_on_monday_at_midnight() -> None:
    monday = 1_795_363_200_000  # 2026-11-23T00:00+08:00
    shanghai = ZoneInfo("Asia/Shanghai")
    assert hour_of_week(monday, shanghai) == 0
    assert hour_of_week(monday - 1, shanghai) == 167


@given(st.sampled_from(ZONES), st.integers(1_700_000_000_000, 1_800_000_000_000), st.integers(1, 400 * DAY))
@settings(max_examples=60, deadline=None)
def test_stretches_cover_a_window_and_the_clock_stands_still_in_each(zone: str, start: int, length: int) -> None:
    place, end = ZoneInfo(zone), start + length
    cuts = list(stretches(start, end, place))
    assert [cuts[0][0], cuts[-1][1]] == [start, end]
    assert all(left[1] == right[0] and left[2] != right[2] for left, right in pairwise(cuts))
    for begin, until, ahead in cuts:
        for at in (begin, (begin + until) // 2, until - 1):
            assert local_of(at, place).utcoffset() == timedelta(milliseconds=ahead)


@given(st.sampled_from(ZONES), st.integers(10_000, 25_000))
@settings(max_examples=60, deadline=None)
def test_days_are_numbered_from_1970(zone: str, number: int) -> None:
    local = local_of(day_of(number, ZoneInfo(zone)), ZoneInfo(zone))
    assert (local.date() - date(1970, 1, 1)).days == number
    assert (local.hour, local.minute) == (0, 0)
