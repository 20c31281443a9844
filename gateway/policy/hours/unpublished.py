"""What is known of a year before its notice is out: the days that law names, and which days custom may move.

The law is the regulation on public holidays (全国年节及纪念日放假办法, State Council order 795, in force since 2025). A
notice only moves days of rest to the holiday and has them worked for nearby; the regulation asks for no more than six
days of work in a row around it. So a notice changes days near a holiday and no others: each notice from 2019 to 2026
keeps within the windows below (see the test). Dates of the lunar calendar are those of
GB/T 33661-2017; 清明 is the solar term.
"""

from datetime import date, timedelta
from functools import cache
from typing import Literal, NamedTuple

Movable = Literal["statutory", "uncertain", "plain"]

# By year: first day of spring (春节), 清明, 端午, 中秋.
_BY_MOON_AND_SUN = {
    2019: "02-05 04-05 06-07 09-13",
    2020: "01-25 04-04 06-25 10-01",
    2021: "02-12 04-04 06-14 09-21",
    2022: "02-01 04-05 06-03 09-10",
    2023: "01-22 04-05 06-22 09-29",
    2024: "02-10 04-04 06-10 09-17",
    2025: "01-29 04-04 05-31 10-06",
    2026: "02-17 04-05 06-19 09-25",
    2027: "02-06 04-05 06-09 09-15",
    2028: "01-26 04-04 05-28 10-03",
    2029: "02-13 04-04 06-16 09-22",
    2030: "02-03 04-05 06-05 09-12",
    2031: "01-23 04-05 06-24 10-01",
    2032: "02-11 04-04 06-12 09-19",
    2033: "01-31 04-04 06-01 09-08",
    2034: "02-19 04-05 06-20 09-27",
    2035: "02-08 04-05 06-10 09-16",
    2036: "01-28 04-04 05-30 10-04",
    2037: "02-15 04-04 06-18 09-24",
    2038: "02-04 04-05 06-07 09-13",
    2039: "01-24 04-05 05-27 10-02",
    2040: "02-12 04-04 06-14 09-20",
    2041: "02-01 04-04 06-03 09-10",
    2042: "01-22 04-04 06-22 09-28",
    2043: "02-10 04-05 06-11 09-17",
    2044: "01-30 04-04 05-31 10-05",
    2045: "02-17 04-04 06-19 09-25",
    2046: "02-06 04-04 06-08 09-15",
    2047: "01-26 04-05 05-29 10-04",
    2048: "02-14 04-04 06-15 09-22",
    2049: "02-02 04-04 06-04 09-11",
    2050: "01-23 04-04 06-23 09-30",
}


class Holiday(NamedTuple):
    """`first` to `last` are off by law; a notice may move days from `before` days earlier to `after` days later."""

    first: date
    last: date
    before: int
    after: int


def kind_of(day: date) -> Movable:
    """What can be said of a day whose year has no notice; `uncertain` beyond the years of the table."""
    near = [holiday for year in (day.year, day.year + 1) for holiday in _holidays(year) if _may_move(day, holiday)]
    if any(holiday.first <= day <= holiday.last for holiday in near):
        return "statutory"
    return "uncertain" if near or day.year not in _BY_MOON_AND_SUN else "plain"


def _may_move(day: date, holiday: Holiday) -> bool:
    return -holiday.before <= (day - holiday.first).days and (day - holiday.last).days <= holiday.after


@cache
def _holidays(year: int) -> tuple[Holiday, ...]:
    new_year = Holiday(date(year, 1, 1), date(year, 1, 1), 6, 9)
    if year not in _BY_MOON_AND_SUN:
        return (new_year,)
    spring, clear, boat, autumn = (date.fromisoformat(f"{year}-{day}") for day in _BY_MOON_AND_SUN[year].split())
    return (
        new_year,
        Holiday(spring - timedelta(days=1), spring + timedelta(days=2), 10, 14),
        Holiday(clear, clear, 5, 5),
        Holiday(date(year, 5, 1), date(year, 5, 2), 9, 10),
        Holiday(boat, boat, 5, 5),
        Holiday(autumn, autumn, 7, 7),
        Holiday(date(year, 10, 1), date(year, 10, 3), 7, 11),
    )
