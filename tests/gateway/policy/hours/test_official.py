"""What kind of day it is: by the notice, by the configuration, and before anybody has published anything."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from chinese_calendar import constants
from pydantic import ValidationError

from config.schema import Settings
from gateway.policy.hours import depends_on_notices, notices_of, published, unpublished_year
from gateway.policy.hours.official import DayKind, day_kinds
from gateway.policy.hours.unpublished import kind_of

NOTICE_2027: dict[str, Any] = {
    "year": 2027,
    "days_off": ["2026-12-31/2027-01-02", "2027-02-05"],
    "workdays": ["2026-12-27", "2027-02-20"],
}


def settings(*notices: dict[str, Any], **station: Any) -> Settings:
    return Settings.model_validate(
        {"calendar": {"notices": notices}, "stations": [{"id": "yanshan", **station}] if station else []}
    )


def test_no_notice_from_2019_on_moved_a_day_outside_the_windows() -> None:
    moved = [day for day in (*constants.holidays, *constants.workdays) if day.year >= 2019]
    assert len(moved) > 250
    assert [day for day in moved if kind_of(day) == "plain"] == []


def test_what_law_names_was_off_in_every_year_under_the_present_regulation() -> None:
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(730)]
    by_law = [day for day in days if kind_of(day) == "statutory"]
    assert len(by_law) == 26  # 13 days a year
    assert [day for day in by_law if day not in constants.holidays] == []


def test_most_days_of_a_year_without_a_notice_are_known() -> None:
    days = [date(2027, 1, 1) + timedelta(days=n) for n in range(365)]
    uncertain = [day for day in days if len(day_kinds(day, "CN", "rest_day")) > 1]
    assert len(uncertain) < 115
    assert day_kinds(date(2027, 1, 12), "CN", "rest_day") == (DayKind(1, False),)
    assert day_kinds(date(2027, 3, 6), "CN", "rest_day") == (DayKind(5, False),)
    assert day_kinds(date(2027, 2, 6), "CN", "rest_day") == (DayKind(5, True),)
    assert len(day_kinds(date(2026, 12, 28), "CN", "rest_day")) == 2
    assert len(day_kinds(date(2027, 2, 20), "CN", "rest_day")) == 3
    assert len(day_kinds(date(2061, 7, 1), "CN", "rest_day")) == 2  # beyond the table nobody computed anything


def test_a_notice_in_the_configuration_makes_its_year_known() -> None:
    notices = notices_of(settings(NOTICE_2027))
    kinds = {day: day_kinds(date.fromisoformat(day), "CN", "rest_day", notices) for day in (
        "2026-12-25", "2026-12-27", "2026-12-31", "2027-01-02", "2027-01-04", "2027-02-05", "2027-02-20", "2027-12-26",
    )}  # fmt: skip
    assert kinds == {
        "2026-12-25": (DayKind(4, False),), "2026-12-27": (DayKind(0, False),), "2026-12-31": (DayKind(6, True),),
        "2027-01-02": (DayKind(5, True),), "2027-01-04": (DayKind(0, False),), "2027-02-05": (DayKind(6, True),),
        "2027-02-20": (DayKind(4, False),), "2027-12-26": kinds["2027-12-26"],
    }  # fmt: skip
    assert len(kinds["2027-12-26"]) == 3
    assert published(date(2027, 6, 1), notices)
    assert not published(date(2027, 6, 1))


def test_a_missing_notice_is_told_six_weeks_before_its_year_begins() -> None:
    notices = notices_of(settings(NOTICE_2027))
    assert unpublished_year(date(2026, 11, 19)) is None
    assert unpublished_year(date(2026, 11, 20)) == 2027
    assert unpublished_year(date(2027, 7, 1)) == 2027
    assert unpublished_year(date(2026, 12, 31), notices) is None
    assert unpublished_year(date(2027, 11, 20), notices) == 2028


@pytest.mark.parametrize(
    ("hours", "more", "expected"),
    [
        ("24/7", {}, False),
        ("08:00-20:00", {}, False),
        ("Mo-Fr 08:00-20:00", {}, True),
        ("Mo-Fr 08:00-20:00", {"weekend": "calendar"}, False),
        ("08:00-20:00; PH off", {"weekend": "calendar"}, True),
    ],
)
def test_only_hours_that_ask_for_the_kind_of_day_depend_on_notices(
    hours: str, more: dict[str, str], expected: bool
) -> None:
    assert depends_on_notices(settings(hours=hours, **more)) is expected


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"days_off": ["2027-02-05/2027-01-01"]}, "first day, then the last"),
        ({"days_off": ["2027-02"]}, "2027-01-01/2027-01-03"),
        ({"days_off": ["2025-02-05"]}, "correct the day or the year"),
        ({"workdays": ["2027-02-19"]}, "weekend days"),
        ({"workdays": ["2027-01-02"]}, "keep one"),
    ],
)
def test_a_notice_that_cannot_be_is_a_mistake_with_its_mend(change: dict[str, Any], mend: str) -> None:
    with pytest.raises(ValidationError, match=mend):
        settings({**NOTICE_2027, **change})


def test_an_ordinary_monday_of_a_year_nobody_published_is_open() -> None:
    from datetime import datetime

    from gateway.policy.hours import Openings

    built = settings(hours="Mo-Fr 08:00-20:00; PH off")
    hours = Openings(built)(built.stations[0], None)
    assert hours is not None

    def now(year: int, month: int, day: int, hour: int) -> str:
        when = datetime(year, month, day, hour, tzinfo=ZoneInfo("Asia/Shanghai"))
        return hours.at(int(when.timestamp() * 1000)).now

    assert [now(2027, 1, 12, 10), now(2027, 3, 8, 10), now(2027, 10, 1, 10), now(2027, 10, 8, 10)] == [
        "yes", "yes", "no", "unknown",
    ]  # fmt: skip
