"""The hours of stations and areas as the configuration gives them."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from config.schema import AreaSettings, Closure, DaySpan, Settings, StationSettings
from gateway.policy.hours.expression import Expression, on_dates, problem
from gateway.policy.hours.official import Notice, Notices, Weekend
from gateway.policy.hours.opening import Opening

UNKNOWN = "24/7 unknown"
_HOLIDAY = re.compile(r"\bPH\b", re.IGNORECASE)
_DAYS_OFF = re.compile(r"\b(?:PH|Mo|Tu|We|Th|Fr|Sa|Su)\b", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Openings:
    """Makes each `Opening` once: stations with the same words share one.

    Hours that can't be answered for (see `problem`) make a place `unknown` and stand in `problems`, by key path.
    """

    def __init__(self, settings: Settings) -> None:
        self.problems: dict[str, str] = {}
        self._settings = settings
        self._notices = notices_of(settings)
        self._made: dict[tuple[str, str, Weekend], Opening] = {}

    def __call__(self, station: StationSettings, area: AreaSettings | None) -> Opening | None:
        """The hours of the station, or of one area; None for an area that keeps the station's."""
        if area is None:
            return self._make(station, f"stations.{station.id}", composed(station))
        if area.hours is None and not area.special_days:
            return None
        return self._make(station, f"stations.{station.id}.areas.{area.id}", composed(station, area))

    def _make(self, station: StationSettings, path: str, text: str) -> Opening:
        wrong = problem(text)
        if wrong is not None:
            self.problems[path] = wrong
            text = UNKNOWN
        zone = station.timezone or self._settings.timezone
        calendar = self._settings.calendar
        key = text, zone, station.weekend or calendar.weekend
        if key not in self._made:
            self._made[key] = Opening(_expression(text), ZoneInfo(zone), calendar.holidays, key[2], self._notices)
        return self._made[key]


def notices_of(settings: Settings) -> Notices:
    """The notices that stand in the configuration."""
    return {
        notice.year: Notice(frozenset(_days(notice.days_off)), frozenset(notice.workdays))
        for notice in settings.calendar.notices
    }


def _days(spans: tuple[DaySpan, ...]) -> Iterator[date]:
    for span in spans:
        yield from (span.first + timedelta(days=n) for n in range((span.last - span.first).days + 1))


def depends_on_notices(settings: Settings) -> bool:
    """Whether any hours ask what kind of day it is: by `PH`, or by weekdays that mean the days people are off."""
    calendar = settings.calendar
    if calendar.holidays == "none":
        return False
    for station in settings.stations:
        asks = _DAYS_OFF if (station.weekend or calendar.weekend) == "rest_day" else _HOLIDAY
        texts = (station.hours, *(area.hours for area in station.areas))
        if any(text is not None and asks.search(text) for text in texts):
            return True
    return False


def composed(station: StationSettings, area: AreaSettings | None = None) -> str:
    """One expression: the usual hours, then closures and special days as later rules, which replace a whole day.

    An area with hours of its own takes the station's closures but not its special days.
    """
    own = area.hours if area is not None else None
    rules = [own or station.hours or UNKNOWN]
    rules += [on_dates(_span(closure), "off") for closure in station.closures]
    special = dict(station.special_days) if own is None else {}
    special |= area.special_days if area is not None else {}
    rules += [on_dates(_day(day), hours) for day, hours in special.items()]
    return "; ".join(rules)


def _span(closure: Closure) -> str:
    return f"{_day(closure.first)}-{_day(closure.last)}"


def _day(day: date) -> str:
    return f"{day.year} {_MONTHS[day.month - 1]} {day.day:02}"


@cache
def _expression(text: str) -> Expression:
    return Expression(text)
