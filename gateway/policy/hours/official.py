"""What kind of day the state says it is: the Chinese calendar with its holidays and make-up workdays (调休).

The data are the yearly notices of the State Council, as PyPI `chinesecalendar` carries them. A notice comes in the
autumn before its year and may reach back into the last days of December (2018-12-29 was worked for 2019-01-01), so
these stay open until the next one is out.
"""

from datetime import date
from typing import Literal, NamedTuple

from chinese_calendar import constants

Weekend = Literal["calendar", "rest_day"]
Holidays = Literal["CN", "none"]

FR, SA, SU, MO = 4, 5, 6, 0

_HOLIDAYS: frozenset[date] = frozenset(constants.holidays)
_MAKE_UP: frozenset[date] = frozenset(constants.workdays)
_FIRST = date(min(_HOLIDAYS).year, 1, 1)
_LAST = date(max(_HOLIDAYS).year, 12, 25)


class DayKind(NamedTuple):
    """As what a date counts: `weekday` 0 (Mo) to 6 (Su), and whether it is a public holiday (`PH`)."""

    weekday: int
    holiday: bool


def published(day: date) -> bool:
    """Whether the state has said what kind of day this is."""
    return _FIRST <= day <= _LAST


def day_kinds(day: date, holidays: Holidays, weekend: Weekend) -> tuple[DayKind, ...]:
    """All that the date may count as: one where it is known, else every possibility.

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
    if not published(day):
        return tuple(dict.fromkeys((plain, holiday, worked)))
    return (holiday if day in _HOLIDAYS else worked if day in _MAKE_UP else plain,)
