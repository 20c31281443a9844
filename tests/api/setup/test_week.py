"""The coming week in plain words."""

from datetime import date

import pytest

from api.setup.week import BadHoursError, in_words, week_of
from config.schema import Settings, StationSettings

MONDAY = 1_795_392_000_000  # 2026-11-23T08:00 in Shanghai
SETTINGS = Settings()


def words(hours: str, english: bool = False, **station: object) -> tuple[str, ...]:
    given = StationSettings.model_validate({"id": "s", **station})
    return in_words(week_of(hours, given, SETTINGS, MONDAY), english)


@pytest.mark.parametrize(
    ("hours", "chinese", "english"),
    [
        ("24/7", ("每天 24 小时开放",), ("every day open 24 h",)),
        ("08:00-22:00", ("每天 开放 08:00–22:00",), ("every day open 08:00–22:00",)),
        (
            "Mo-Fr 08:00-12:00,14:00-18:00; Sa-Su off",
            ("周一至周五 开放 08:00–12:00、14:00–18:00", "周六、周日 休息"),
            ("Mon to Fri open 08:00–12:00, 14:00–18:00", "Sat, Sun closed"),
        ),
        ("22:00-06:00", ("每天 开放 00:00–06:00、22:00–24:00",), ("every day open 00:00–06:00, 22:00–24:00",)),
        (
            "Th 10:00-11:00",
            ("周一至周三 休息", "周四 开放 10:00–11:00", "周五至周日 休息"),
            ("Mon to Wed closed", "Thu open 10:00–11:00", "Fri to Sun closed"),
        ),
    ],
)
def test_the_week_is_told_in_runs_of_days_that_are_alike(
    hours: str, chinese: tuple[str, ...], english: tuple[str, ...]
) -> None:
    assert words(hours) == chinese
    assert words(hours, english=True) == english


def test_it_begins_today_and_has_seven_days() -> None:
    week = week_of("24/7", None, SETTINGS, MONDAY)
    assert [day.day for day in week] == [date(2026, 11, 23 + n) for n in range(7)]
    assert week[0].spans == ((0, 1440, "open"),)


def test_closures_and_special_days_of_the_station_are_told() -> None:
    closed = words("08:00-22:00", closures=[{"first": "2026-11-25", "last": "2026-11-26"}])
    assert closed == ("周一、周二 开放 08:00–22:00", "周三、周四 休息", "周五至周日 开放 08:00–22:00")


def test_what_is_no_expression_says_how_to_write_it() -> None:
    with pytest.raises(BadHoursError, match="write it like"):
        week_of("from eight to ten", None, SETTINGS, MONDAY)
