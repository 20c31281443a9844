"""What kind of day the state says it is: the Chinese calendar with its holidays and make-up workdays (调休).

The data are the yearly notices of the State Council, as PyPI `chinesecalendar` carries them. A notice comes in the
autumn before its year and may reach back into the last days of December (2018-12-29 was worked for 2019-01-01), so
these stay open until the next one is out. A notice that the library doesn't know yet may stand in the configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple

from chinese_calendar import constants

from gateway.policy.hours.unpublished import kind_of

Weekend = Literal["calendar", "rest_day"]
Holidays = Literal["CN", "none"]

FR, SA, SU, MO = 4, 5, 6, 0

_HOLIDAYS: frozenset[date] = frozenset(constants.holidays)
_MAKE_UP: frozenset[date] = frozenset(constants.workdays)
_FIRST = date(min(_HOLIDAYS).year, 1, 1)
_LAST_YEAR = max(_HOLIDAYS).year
_LAST_DAYS_FROM = 26
"""Day of December from which the notice of the next year decides."""
NOTICE_BEFORE = timedelta(weeks=6)
"""So long before a year begins its notice should be known; it comes early in November."""


class DayKind(NamedTuple):
    """As what a date counts: `weekday` 0 (Mo) to 6 (Su), and whether it is a public holiday (`PH`)."""

    weekday: int
    holiday: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """What the State Council says of one year: days off, weekends among them included, and weekend days worked."""

    days_off: frozenset[date]
    workdays: frozenset[date]


Notices = Mapping[int, Notice]
"""By the year they are for; they outrank the library."""
NO_NOTICES: Notices = MappingProxyType({})


def published(day: date, notices: Notices = NO_NOTICES) -> bool:
    """Whether the state has said what kind of day this is."""
    return _known(_year_of(day), notices)


def unpublished_year(day: date, notices: Notices = NO_NOTICES) -> int | None:
    """The year whose notice should be known on this day and isn't; None where all is well."""
    due = (day + NOTICE_BEFORE).year
    return next((year for year in (day.year, due) if not _known(year, notices)), None)


def _known(year: int, notices: Notices) -> bool:
    return year in notices or _FIRST.year <= year <= _LAST_YEAR


def _year_of(day: date) -> int:
    """The year whose notice has the last word on the day."""
    return day.year + (day.month == 12 and day.day >= _LAST_DAYS_FROM)


def _said(day: date, notices: Notices) -> tuple[bool, bool]:
    """(a holiday, worked though a weekend) by the notices of its own year and of the one it is near to."""
    holiday = worked = False
    for year in dict.fromkeys((day.year, _year_of(day))):
        notice = notices.get(year)
        holiday |= day in (notice.days_off if notice else _HOLIDAYS)
        worked |= day in (notice.workdays if notice else _MAKE_UP)
    return holiday, worked and not holiday


def day_kinds(day: date, holidays: Holidays, weekend: Weekend, notices: Notices = NO_NOTICES) -> tuple[DayKind, ...]:
    """All that the date may count as: one where it is known, else every possibility.

    In a year without a notice only days near a holiday are uncertain: see `unpublished`.

    By `rest_day` a holiday counts as Sunday (a Saturday stays one), a worked Saturday as Friday, a worked Sunday as
    Monday. By `calendar` the name of the day stands, whoever works on it.
    """
    name = day.weekday()
    if holidays == "none":
        return (DayKind(name, False),)
    plain, holiday, worked = DayKind(name, False), DayKind(name, True), DayKind(name, False)
    if weekend == "rest_day":
        holiday = DayKind(name if name >= SA else SU, True)
        worked = DayKind({SA: FR, SU: MO}.get(name, name), False)
    if published(day, notices):
        rests, works = _said(day, notices)
        return (holiday if rests else worked if works else plain,)
    movable = kind_of(day)
    if movable == "uncertain":
        return tuple(dict.fromkeys((plain, holiday, worked)))
    return (holiday if movable == "statutory" else plain,)
