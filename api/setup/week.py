"""The coming week of opening hours in plain words, before anything is saved: `周一至周五 开放 08:00–22:00`. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from config.schema import Settings, StationSettings
from gateway.base.local_time import local_of, midnight_of
from gateway.model import Access, Millis
from gateway.policy.hours import Opening, Openings, problem
from gateway.policy.hours.words import DAYS, WORDS

_MINUTE_MS: Final = 60_000
_WORDS: Final[dict[Access, tuple[str, str]]] = {
    "open": ("开放", "open"), "closed": ("休息", "closed"), "staff_only": ("仅工作人员", "staff only"),
    "unknown": ("时间不定", "not known"),
}  # fmt: skip


class BadHoursError(ValueError):
    """The expression can't be answered for; the text says how to mend it."""


@dataclass(frozen=True, slots=True)
class PlainDay:
    """One local day: what it is at which minutes of the day, `(from, to, access)` without gaps from 0 to 1440."""

    day: date
    spans: tuple[tuple[int, int, Access], ...]


def week_of(hours: str, station: StationSettings | None, settings: Settings, now: Millis) -> tuple[PlainDay, ...]:
    """The seven days from today on, of a station that would have these hours. BadHoursError."""
    wrong = problem(hours)
    if wrong is not None:
        raise BadHoursError(wrong)
    station = (station or StationSettings(id="new")).model_copy(update={"hours": hours})
    opening = Openings(settings)(station, None)
    assert opening is not None  # a station always has one
    zone = settings.zone_of(station)
    today = local_of(now, zone).date()
    return tuple(_day(opening, today + timedelta(days=number), zone) for number in range(DAYS))


def in_words(week: tuple[PlainDay, ...], english: bool = False) -> tuple[str, ...]:
    """One line for each run of days that are alike: `周一至周五 开放 08:00–22:00`."""
    if all(day.spans == week[0].spans for day in week):
        return (("every day " if english else "每天 ") + _told(week[0].spans, english),)
    return tuple(f"{_days_told(run, english)} {_told(run[0].spans, english)}" for run in _runs(week))


def _day(opening: Opening, day: date, zone: ZoneInfo) -> PlainDay:
    start, end = (midnight_of(date_of, zone) for date_of in (day, day + timedelta(days=1)))
    spans: list[tuple[int, int, Access]] = []
    at = start
    while at < end:
        state = opening.at(at)
        until = end if state.until is None else min(state.until, end)
        spans.append((_minute(at, start, end), _minute(until, start, end), state.access))
        at = until
    return PlainDay(day, tuple(_joined(spans)))


def _minute(at: Millis, start: Millis, end: Millis) -> int:
    """As the clock on the wall shows it on a day of 24 hours; on others, the minute since midnight."""
    return 1440 if at == end else (at - start) // _MINUTE_MS


def _joined(spans: list[tuple[int, int, Access]]) -> Iterator[tuple[int, int, Access]]:
    """Neighbours that are the same become one."""
    begin = spans[0][0]
    for number, (_, until, access) in enumerate(spans):
        if number + 1 == len(spans) or spans[number + 1][2] != access:
            yield begin, until, access
            begin = until


def _runs(week: tuple[PlainDay, ...]) -> list[list[PlainDay]]:
    """Days in a row that are alike, in the order of the week that comes."""
    runs: list[list[PlainDay]] = []
    for day in week:
        if runs and runs[-1][0].spans == day.spans:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _days_told(run: list[PlainDay], english: bool) -> str:
    names = WORDS["en" if english else "zh"].weekdays
    first, last = (names[day.day.weekday()] for day in (run[0], run[-1]))
    if len(run) == 1:
        return first
    if len(run) == 2:
        return f"{first}, {last}" if english else f"{first}、{last}"
    return f"{first} to {last}" if english else f"{first}至{last}"


def _told(spans: tuple[tuple[int, int, Access], ...], english: bool) -> str:
    language = 1 if english else 0
    if len(spans) == 1:
        access = spans[0][2]
        word = _WORDS[access][language]
        return f"{word} 24 h" if english and access == "open" else f"24 小时{word}" if access == "open" else word
    by_word: dict[Access, list[str]] = {}
    for begin, until, access in spans:
        if access != "closed":
            by_word.setdefault(access, []).append(f"{_clock(begin)}–{_clock(until)}")
    mark = ", " if english else "、"
    return mark.join(f"{_WORDS[access][language]} {mark.join(times)}" for access, times in by_word.items())


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
