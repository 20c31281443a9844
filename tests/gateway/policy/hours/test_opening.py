"""`open` against a calculation written here, minute by minute, for months with holidays and clock changes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.hours import Expression, Opening
from gateway.policy.hours.official import Holidays, Weekend

MINUTE = 60_000
Spans = list[tuple[int, int]]

# Notice of the State Council for 2026 (国办发明电〔2025〕7号), by hand.
REST_2026 = [("2026-02-15", "2026-02-23"), ("2026-10-01", "2026-10-07"), ("2026-09-25", "2026-09-27")]
WORKED_2026 = {date(2026, 2, 14): 4, date(2026, 2, 28): 4, date(2026, 9, 20): 0, date(2026, 10, 10): 4}
HOLIDAYS_2026 = {
    date.fromisoformat(first) + timedelta(days=n)
    for first, last in REST_2026
    for n in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
}


def ms(zone: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp() * 1000)  # type: ignore[misc,arg-type]


def opening(text: str, zone: str, weekend: Weekend = "rest_day", holidays: Holidays = "CN") -> Opening:
    return Opening(Expression(text), ZoneInfo(zone), holidays, weekend)


def rest_day(day: date) -> tuple[int, bool]:
    """(weekday it counts as, holiday)"""
    if day in HOLIDAYS_2026:
        return max(day.weekday(), 5) if day.weekday() > 4 else 6, True
    return WORKED_2026.get(day, day.weekday()), False


def calendar(day: date) -> tuple[int, bool]:
    return day.weekday(), day in HOLIDAYS_2026


def no_holidays(day: date) -> tuple[int, bool]:
    return day.weekday(), False


def office(weekday: int, holiday: bool) -> Spans:
    return [] if holiday or weekday > 4 else [(480, 720), (840, 1080)]


def weekends(weekday: int, holiday: bool) -> Spans:
    return [] if holiday or weekday < 5 else [(540, 1020)]


def nights(weekday: int, _holiday: bool) -> Spans:
    return [(1320, 1560)] if weekday < 5 else [(600, 720)] if weekday == 5 else []


def busy_holidays(weekday: int, holiday: bool) -> Spans:
    return [(600, 1440)] if holiday or weekday in (5, 6, 0) else [(0, 30)]


OFFICE = "Mo-Fr 08:00-12:00,14:00-18:00; PH off"
CASES = [
    (OFFICE, office),
    ("Sa-Su 09:00-17:00; PH off", weekends),
    ("Mo-Fr 22:00-02:00; Sa 10:00-12:00", nights),
    ("00:00-00:30; Sa-Mo,PH 10:00-24:00", busy_holidays),
]
MONTHS = [
    ("Asia/Shanghai", (2026, 2), rest_day, "rest_day", "CN"),
    ("Asia/Shanghai", (2026, 10), rest_day, "rest_day", "CN"),
    ("Asia/Shanghai", (2026, 2), calendar, "calendar", "CN"),
    ("Europe/Berlin", (2026, 3), no_holidays, "calendar", "none"),
    ("Europe/Berlin", (2026, 10), no_holidays, "rest_day", "none"),
    ("Australia/Lord_Howe", (2026, 4), no_holidays, "calendar", "none"),
]


@pytest.mark.parametrize(("text", "rule"), CASES, ids=[text for text, _ in CASES])
@pytest.mark.parametrize(("zone", "month", "kind", "weekend", "holidays"), MONTHS, ids=lambda value: str(value)[:14])
def test_open_equals_an_independent_calculation_in_every_minute_of_a_month(
    text: str,
    rule: Callable[[int, bool], Spans],
    zone: str,
    month: tuple[int, int],
    kind: Callable[[date], tuple[int, bool]],
    weekend: Weekend,
    holidays: Holidays,
) -> None:
    place = opening(text, zone, weekend, holidays)
    here, wrong = ZoneInfo(zone), []
    instant = datetime(*month, 1, tzinfo=UTC) - timedelta(days=1)
    plans: dict[date, set[int]] = {}
    for _ in range(33 * 24):
        local = instant.astimezone(here)
        now = int(instant.timestamp()) * 1000
        clock = local
        for minute in range(60):
            clock = (instant + timedelta(minutes=minute)).astimezone(here) if minute % 30 == 0 else clock
            at = clock.hour * 60 + clock.minute + minute % 30
            plan = plans.get(clock.date()) or plans.setdefault(clock.date(), planned(clock.date(), rule, kind))
            expected = "open" if at in plan else "closed"
            if place.at(now + minute * MINUTE).access != expected:
                wrong.append((local.isoformat(), minute, expected))
        instant += timedelta(hours=1)
    assert wrong == []


def planned(day: date, rule: Callable[[int, bool], Spans], kind: Callable[[date], tuple[int, bool]]) -> set[int]:
    """Minutes of the wall clock at which the day is open: its own, and the night of the day before."""
    own = {minute for start, end in rule(*kind(day)) for minute in range(start, min(end, 1440))}
    before = rule(*kind(day - timedelta(days=1)))
    return own | {minute - 1440 for start, end in before for minute in range(max(start, 1440), end)} | {-1}


def test_a_worked_saturday_is_no_weekend_unless_the_calendar_weekend_is_chosen() -> None:
    noon = ms("Asia/Shanghai", 2026, 2, 14, 12)
    assert opening("Sa-Su 09:00-17:00; PH off", "Asia/Shanghai").at(noon).now == "no"
    assert opening("Sa-Su 09:00-17:00; PH off", "Asia/Shanghai", "calendar").at(noon).now == "yes"


def test_a_year_that_nobody_has_published_is_unknown_where_it_matters() -> None:
    monday_10, monday_22 = ms("Asia/Shanghai", 2031, 5, 5, 10), ms("Asia/Shanghai", 2031, 5, 5, 22)
    assert opening(OFFICE, "Asia/Shanghai").at(monday_10).now == "unknown"
    assert opening(OFFICE, "Asia/Shanghai").at(monday_22).now == "no"
    assert opening("24/7", "Asia/Shanghai").at(monday_10) == ("open", None)
    assert opening("08:00-20:00", "Asia/Shanghai").at(monday_10).now == "yes"
    assert opening("Mo-Fr 08:00-18:00", "Asia/Shanghai", "calendar").at(monday_10).now == "yes"
    assert opening("Mo-Fr 08:00-18:00", "Asia/Shanghai", "rest_day").at(monday_10).now == "unknown"
    assert opening(OFFICE, "Asia/Shanghai", "calendar").at(monday_10).now == "unknown"


@pytest.mark.parametrize("text", ["24/7", "Mo-Su", "off", "2019 Jan 01-2019 Dec 31 10:00-12:00"])
def test_what_never_changes_again_holds_for_ever(text: str) -> None:
    assert opening(text, "Asia/Shanghai").at(ms("Asia/Shanghai", 2026, 11, 21)).until is None


@settings(max_examples=60, deadline=None)
@given(
    text=st.sampled_from(
        [*(text for text, _ in CASES), "Su 20:00-32:00", "Mo-Fr 09:00-18:00 unknown; Sa[1] 10:00-12:00"]
    ),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]),
    minutes=st.integers(0, 8 * 366 * 1440),
    weekend=st.sampled_from(["calendar", "rest_day"]),
)
def test_until_is_the_next_minute_with_another_answer_and_order_does_not_matter(
    text: str, zone: str, minutes: int, weekend: Weekend
) -> None:
    shared, now = opening(text, zone, weekend), ms("UTC", 2021, 1, 1) + minutes * MINUTE
    shared.at(now + 400 * 86_400_000)
    access, until = shared.at(now)
    assert until is not None
    assert until > now
    for instant in (now, until - MINUTE, until - 1, (now + until) // 2):
        assert opening(text, zone, weekend).at(instant) == (access, until)
        assert shared.at(instant) == (access, until)
    assert shared.at(until).access != access
