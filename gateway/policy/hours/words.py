"""The opening hours of a coming week, as a person would say them. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.base.local_time import DAY_MS, day_start, local_of, midnight_of
from gateway.model import Millis
from gateway.policy.hours.opening import Opening

DAYS: Final = 7
WEEKS_KEPT: Final = 4_096


class HoursWords(NamedTuple):
    """What one language needs."""

    weekdays: tuple[str, ...]
    every_day: str
    all_day: str
    closed: str
    unknown: str
    next_day: str
    to: str
    between: str
    after: str


WORDS: Final = {
    "zh": HoursWords(
        ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
        "每天", "全天开放", "休息", "不详", "次日", "至", "、", ";",
    ),
    "en": HoursWords(
        ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "daily", "round the clock", "closed", "unknown", "next day ",
        "–", ", ", "; ",
    ),
}  # fmt: skip


class OpenSpan(NamedTuple):
    """[start, end) in which a place is open, or in which nobody knows whether it is."""

    start: Millis
    end: Millis
    known: bool


def open_spans(opening: Opening, start: Millis, end: Millis) -> Iterator[OpenSpan]:
    """When it is open for the public, or unknown, within [start, end), in order."""
    at = start
    while at < end:
        state = opening.at(at)
        until = end if state.until is None else min(state.until, end)
        if state.now != "no":
            yield OpenSpan(at, until, state.now == "yes")
        at = until


def coming_week(opening: Opening, now: Millis, zone: ZoneInfo, language: str = "zh") -> str:
    """From today on, seven days: `周一至周五 09:00–17:00;周六 10:00–12:00;周日 休息`. Hours belong to the day on which
    they begin. Holidays and special days within the week are in it."""
    return _week(opening, local_of(day_start(now, zone), zone).date(), zone, language)


@lru_cache(maxsize=WEEKS_KEPT)
def _week(opening: Opening, first: date, zone: ZoneInfo, language: str) -> str:
    """The same all day, and for all places with these hours."""
    words = WORDS[language]
    days = [first + timedelta(days=number) for number in range(DAYS)]
    midnights = [midnight_of(day, zone) for day in (*days, days[-1] + timedelta(days=1))]
    state = opening.at(midnights[0])
    if state.until is None or state.until >= midnights[-1]:
        return words.all_day if state.access == "open" else words.closed if state.now == "no" else words.unknown
    # A night that began yesterday is yesterday's; one that ends after the week is still whole.
    spans = list(open_spans(opening, midnights[0] - DAY_MS, midnights[-1] + DAY_MS))
    told = {
        day.weekday(): _day(spans, start, end, zone, words)
        for day, start, end in zip(days, midnights, midnights[1:], strict=False)
    }
    if len(set(told.values())) == 1:
        return f"{words.every_day} {told[0]}"
    groups = (list(group) for _, group in groupby(range(DAYS), lambda weekday: told[weekday]))
    return words.after.join(f"{_named(group, words)} {told[group[0]]}" for group in groups)


def _named(group: list[int], words: HoursWords) -> str:
    first, last = words.weekdays[group[0]], words.weekdays[group[-1]]
    if len(group) == 1:
        return first
    return f"{first}{words.to if len(group) > 2 else words.between}{last}"


def _day(spans: Iterable[OpenSpan], start: Millis, end: Millis, zone: ZoneInfo, words: HoursWords) -> str:
    parts = []
    for span in spans:
        night = span.end - span.start < DAY_MS
        if start <= span.start < end if night else span.start < end and span.end > start:
            begins = "00:00" if span.start <= start else f"{local_of(span.start, zone):%H:%M}"
            ends = _end(span.end, end, zone, words.next_day if night else None)
            parts.append(f"{begins}–{ends}" + ("" if span.known else f" {words.unknown}"))
    return words.between.join(parts) or words.closed


def _end(at: Millis, midnight: Millis, zone: ZoneInfo, next_day: str | None) -> str:
    if at == midnight or (at > midnight and next_day is None):
        return "24:00"
    return f"{next_day if at > midnight else ''}{local_of(at, zone):%H:%M}"
