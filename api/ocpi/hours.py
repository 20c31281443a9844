"""Opening hours as OCPI has them: a usual week, and the days that differ from it. Pure."""

from collections import Counter
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.base.local_time import day_start, local_of, midnight_of
from gateway.base.times import rfc3339
from gateway.model import Millis
from gateway.policy.hours.opening import Opening
from gateway.policy.hours.words import open_spans

WEEKS: Final = 5
KEPT: Final = 4_096
LAST_MINUTE: Final = "23:59"
"""OCPI knows no 24:00."""
Spans = tuple[tuple[str, str], ...]


def opening_times(opening: Opening, now: Millis, zone: ZoneInfo) -> dict[str, Any] | None:
    """The Hours object; None where anything of the coming weeks is unknown.

    What a weekday is like most often in five weeks is usual; holidays and special days among them are exceptional.
    """
    first = local_of(day_start(now, zone), zone).date()
    state, end = opening.at(now), midnight_of(first + timedelta(days=7 * WEEKS), zone)
    if state.access == "open" and (state.until is None or state.until >= end):
        return {"twentyfourseven": True}
    return _weeks(opening, first, zone)


@lru_cache(maxsize=KEPT)
def _weeks(opening: Opening, first: date, zone: ZoneInfo) -> dict[str, Any] | None:
    """The same all day, and for all places with these hours; nobody changes it."""
    days = [first + timedelta(days=number) for number in range(7 * WEEKS)]
    told = {day: _spans(opening, day, zone) for day in days}
    if any(spans is None for spans in told.values()):
        return None
    known = {day: spans for day, spans in told.items() if spans is not None}
    usual = {
        weekday: Counter(spans for day, spans in known.items() if day.weekday() == weekday).most_common(1)[0][0]
        for weekday in range(7)
    }
    odd = {day: spans for day, spans in known.items() if spans != usual[day.weekday()]}
    regular = [
        {"weekday": weekday + 1, "period_begin": begin, "period_end": ends}
        for weekday, spans in usual.items()
        for begin, ends in spans
    ]
    return {
        "twentyfourseven": False,
        "regular_hours": regular,
        "exceptional_closings": [_whole(day, zone) for day in odd],
        "exceptional_openings": [span for day in odd for span in _openings(opening, day, zone)],
    }


def _spans(opening: Opening, day: date, zone: ZoneInfo) -> Spans | None:
    """By the clock on the wall, cut at midnight; None where any of it is unknown."""
    end = midnight_of(day + timedelta(days=1), zone)
    spans = list(open_spans(opening, midnight_of(day, zone), end))
    if not all(span.known for span in spans):
        return None
    return tuple(
        (f"{local_of(span.start, zone):%H:%M}", LAST_MINUTE if span.end == end else f"{local_of(span.end, zone):%H:%M}")
        for span in spans
    )


def _whole(day: date, zone: ZoneInfo) -> dict[str, str]:
    return {
        "period_begin": rfc3339(midnight_of(day, zone)),
        "period_end": rfc3339(midnight_of(day + timedelta(days=1), zone)),
    }


def _openings(opening: Opening, day: date, zone: ZoneInfo) -> list[dict[str, str]]:
    spans = open_spans(opening, midnight_of(day, zone), midnight_of(day + timedelta(days=1), zone))
    return [{"period_begin": rfc3339(span.start), "period_end": rfc3339(span.end)} for span in spans]
