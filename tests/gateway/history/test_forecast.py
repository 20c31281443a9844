"""When it will be free: calibrated on sessions held back, and silent where the past says too little."""

import random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.history.forecast import Forecast, UseSpan
from tests.benchmarks.forecast import backtest, held_back_third, sessions

ENOUGH = 100


UTC = ZoneInfo("UTC")
NOON = 1_780_056_000_000
HOUR, MINUTE = 3_600_000, 60_000


def steady(count, seed=1):
    """Sessions of about an hour, one a day."""
    rng = random.Random(seed)
    return [UseSpan(at := NOON + n * 24 * HOUR, at + round(rng.gauss(60, 15) * MINUTE)) for n in range(count)]


def test_real_sessions_held_back_are_covered_as_promised_and_better_told_than_naively():
    told = held_back_third(sessions())
    assert 0.75 <= told["covered"] <= 0.85
    assert told["error_min_forecast"] < min(told["error_min_naive_mean"], told["error_min_naive_median"])
    assert told["answered"] > 0.98 * told["asked"]


def test_any_cut_in_time_gives_the_promised_coverage():
    every = sessions()
    for share in (0.5, 0.6, 0.75):
        cut = int(len(every) * share)
        assert 0.72 <= backtest(every[:cut], every[cut:])["covered"] <= 0.88


def test_little_history_says_nothing():
    assert Forecast(steady(ENOUGH - 1), UTC).remaining(NOON, NOON) is None
    assert Forecast([], UTC).remaining(NOON, NOON) is None
    assert Forecast(steady(ENOUGH), UTC).remaining(NOON, NOON) is not None


@pytest.mark.parametrize(("long_ones", "told"), [(19, False), (20, True)])
def test_a_forecast_stands_on_twenty_sessions_that_lasted_as_long(long_ones: int, told: bool) -> None:
    past = [*steady(200), *(UseSpan(NOON - n * 24 * HOUR, NOON - n * 24 * HOUR + 5 * HOUR) for n in range(long_ones))]
    assert (Forecast(past, UTC).remaining(NOON, NOON + 3 * HOUR) is not None) is told


def test_a_session_longer_than_nearly_all_of_the_past_is_not_forecast():
    assert Forecast(steady(300), UTC).remaining(NOON, NOON + 3 * HOUR) is None


def test_what_has_lasted_is_taken_into_account():
    forecast = Forecast(steady(500), UTC)
    begun, halfway = forecast.remaining(NOON, NOON), forecast.remaining(NOON, NOON + 30 * MINUTE)
    assert begun is not None
    assert halfway is not None
    assert abs(begun.median - 60 * MINUTE) < 5 * MINUTE
    assert abs(halfway.median - 30 * MINUTE) < 5 * MINUTE


def test_parts_of_the_day_are_told_apart_in_local_time():
    shanghai = ZoneInfo("Asia/Shanghai")
    day = 24 * HOUR
    morning = [UseSpan(at := NOON - 11 * HOUR + n * day, at + (30 + n % 9) * MINUTE) for n in range(200)]
    evening = [UseSpan(at := NOON - HOUR + n * day, at + (120 + n % 9) * MINUTE) for n in range(200)]
    forecast = Forecast([*morning, *evening], shanghai)
    at = NOON + 300 * day
    early, late = forecast.remaining(at - 11 * HOUR, at - 11 * HOUR), forecast.remaining(at - HOUR, at - HOUR)
    assert early is not None
    assert late is not None
    assert abs(early.median - 34 * MINUTE) < 3 * MINUTE
    assert abs(late.median - 124 * MINUTE) < 3 * MINUTE


@given(st.lists(st.integers(1, 600), min_size=ENOUGH, max_size=150), st.integers(-10, 700))
def test_the_interval_is_in_order_and_never_before_now(minutes, elapsed):
    past = [UseSpan(NOON + n * HOUR, NOON + n * HOUR + lasted * MINUTE) for n, lasted in enumerate(minutes)]
    told = Forecast(past, UTC).remaining(NOON, NOON + elapsed * MINUTE)
    assert told is None or 0 <= told.low <= told.median <= told.high
