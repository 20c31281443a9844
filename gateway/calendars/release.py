"""An event of a calendar, marked as given up: cut into its text, so that all else stays as it was. Pure.

Of a series only the one occurrence is touched, by an event with its RECURRENCE-ID (RFC 5545, 3.8.4.4).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar

from gateway.calendars import events
from gateway.calendars.lines import CalendarError
from gateway.calendars.wanted import GiveUp
from gateway.model import Millis
from gateway.policy.activities import Activity

MARK: Final = "X-YIZHAN-RELEASED"
WHY: Final = "无人到场，场地已释放。 Nobody came; the place is free again. (yizhan)"
LINE_OCTETS: Final = 75
_OWN: Final = frozenset(
    {
        "RRULE", "RDATE", "EXDATE", "EXRULE", "DTSTART", "DTEND", "RECURRENCE-ID", "STATUS", "SEQUENCE", "DTSTAMP",
        "LAST-MODIFIED", "CREATED", MARK,
    }
)  # fmt: skip
"""Lines of a series that are another in one of its occurrences."""
_NONSENSE = (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class _Written:
    """One VEVENT: its lines, unfolded, from BEGIN to END at [first, last] of the text, and what the library read."""

    lines: Sequence[str]
    first: int
    last: int
    event: Any

    def own(self) -> Iterator[tuple[int, str, str]]:
        """(index, name, line) of its own properties, not those of an alarm in it."""
        depth = 0
        for index, line in enumerate(self.lines):
            name = line.partition(":")[0].partition(";")[0].upper()
            depth += (name == "BEGIN") - (name == "END")
            if depth == 1 and name not in ("BEGIN", "END"):
                yield index, name, line


def released(data: bytes, activity: Activity, zone: ZoneInfo, how: GiveUp, now: Millis) -> bytes | None:
    """The calendar object with the activity given up; None where it says so already, or has no such event any more.

    `zone` is that of times without one. CalendarError for what can't be read.
    """
    ending = b"\r\n" if b"\r\n" in data else b"\n"
    try:
        lines = _unfolded(data)
        calendar: Any = icalendar.Calendar.from_ical(data)
        own_zone = events.zone_of(calendar) or zone
        written = list(_written(lines, calendar, own_zone))
        ours = [part for part in written if str(part.event.get("UID", ""))[:200] == activity.uid]
        cut = _cut(ours, activity, (own_zone, zone), how, now)
    except _NONSENSE as error:
        raise CalendarError(f"holds what can't be read ({type(error).__name__})") from None
    if cut is None:
        return None
    first, last, new = cut
    return ending.join(_folded([*lines[:first], *new, *lines[last + 1 :]])) + ending


_Cut = tuple[int, int, Sequence[str]]
"""The lines from the first to the last give way to these."""


def _cut(
    ours: Sequence[_Written], activity: Activity, zones: tuple[ZoneInfo, ZoneInfo], how: GiveUp, now: Millis
) -> _Cut | None:
    """Where what is written in the text."""
    for part in ours:
        if not _repeats(part.event) and _millis(part.event["DTSTART"].dt, zones) == activity.start:
            if MARK in part.event or str(part.event.get("STATUS", "")).upper() == "CANCELLED":
                return None
            return part.first, part.last, _changed(part, how, now)
    for part in ours:
        if _repeats(part.event) and activity.start not in _left_out(part.event, zones):
            return part.last, part.last, [part.lines[-1], *_occurrence(part, activity, zones, how, now)]
    return None


def _repeats(event: Any) -> bool:
    return "RECURRENCE-ID" not in event and ("RRULE" in event or "RDATE" in event)


def _left_out(event: Any, zones: tuple[ZoneInfo, ZoneInfo]) -> set[Millis]:
    return {_millis(day.dt, zones) for days in events.values_of(event, "EXDATE") for day in getattr(days, "dts", ())}


def _changed(written: _Written, how: GiveUp, now: Millis) -> list[str]:
    """The event itself, with the lines that say so in place of those before."""
    new = dict(_marks(written.event, how, now))
    lines, left = list(written.lines), dict(new)
    for index, name, _ in reversed(list(written.own())):
        if name in new and name != "COMMENT":
            lines[index : index + 1] = [left.pop(name)] if name in left else []
    at = _end_of_own(written, lines)
    return [*lines[:at], *left.values(), *lines[at:]]


def _end_of_own(written: _Written, lines: Sequence[str]) -> int:
    """Before the first thing inside it, or its end."""
    inner = (index for index, line in enumerate(lines) if index and line.upper().startswith(("BEGIN:", "END:")))
    return next(inner, len(written.lines) - 1)


def _occurrence(
    written: _Written, activity: Activity, zones: tuple[ZoneInfo, ZoneInfo], how: GiveUp, now: Millis
) -> list[str]:
    """One of a series, as an event of its own."""
    kept = [line for _, name, line in written.own() if name not in _OWN]
    begins = next(line for _, name, line in written.own() if name == "DTSTART")
    params = begins.partition(":")[0][len("DTSTART") :]
    start = written.event["DTSTART"].dt
    when = _as(start, activity.start, zones)
    times = [f"RECURRENCE-ID{params}:{when}", f"DTSTART{params}:{when}"]
    if "DTEND" in written.event:
        times.append(f"DTEND{params}:{_as(start, activity.end, zones)}")
    return ["BEGIN:VEVENT", *times, *kept, *(line for _, line in _marks(written.event, how, now)), "END:VEVENT"]


def _marks(event: Any, how: GiveUp, now: Millis) -> Iterator[tuple[str, str]]:
    """The lines that say that nobody came."""
    stamp = f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}"
    yield "DTSTAMP", f"DTSTAMP:{stamp}"
    yield "LAST-MODIFIED", f"LAST-MODIFIED:{stamp}"
    yield "SEQUENCE", f"SEQUENCE:{events.sequence(event) + 1}"
    if how == "cancel":
        yield "STATUS", "STATUS:CANCELLED"
    elif "STATUS" in event:
        yield "STATUS", f"STATUS:{event['STATUS']}"
    yield "COMMENT", f"COMMENT:{WHY.replace(';', chr(92) + ';').replace(',', chr(92) + ',')}"
    yield MARK, f"{MARK}:{stamp}"


def _as(like: date | datetime, at: Millis, zones: tuple[ZoneInfo, ZoneInfo]) -> str:
    """A moment in the form that the series has."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    if not isinstance(like, datetime):
        return f"{moment.astimezone(zones[1]):%Y%m%d}"
    if like.tzinfo is None:
        return f"{moment.astimezone(zones[0]):%Y%m%dT%H%M%S}"
    if like.utcoffset() is not None and str(like.tzinfo) in ("UTC", "UTC+00:00"):
        return f"{moment:%Y%m%dT%H%M%SZ}"
    return f"{moment.astimezone(like.tzinfo):%Y%m%dT%H%M%S}"


def _millis(when: date | datetime, zones: tuple[ZoneInfo, ZoneInfo]) -> Millis:
    """`zones`: of times without one, and of whole days."""
    moment = when if isinstance(when, datetime) else datetime.combine(when, time(), zones[1])
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zones[0])).timestamp() * 1000)


def _written(lines: Sequence[str], calendar: Any, zone: ZoneInfo) -> Iterator[_Written]:
    """Each event with its lines. ValueError where the library saw others than stand there."""
    read = calendar.walk("VEVENT")
    spans, first = list[tuple[int, int]](), None
    for index, line in enumerate(lines):
        word = line.strip().upper()
        if word == "BEGIN:VEVENT":
            first = index
        elif word == "END:VEVENT" and first is not None:
            spans.append((first, index))
            first = None
    for event, (begin, end) in zip(read, spans, strict=True):
        if events.unreadable(event) is None:
            events.mend(event, zone)
            yield _Written(lines[begin : end + 1], begin, end, event)


def _unfolded(data: bytes) -> list[str]:
    text = data.decode("utf-8").replace("\r\n", "\n")
    return [line for line in text.replace("\n ", "").replace("\n\t", "").split("\n") if line]


def _folded(lines: Iterable[str]) -> Iterator[bytes]:
    """No line is longer than 75 octets (RFC 5545, 3.1), and none is cut within a character."""
    for line in lines:
        rest = line.encode()
        while len(rest) > LINE_OCTETS:
            at = LINE_OCTETS
            while rest[at] & 0xC0 == 0x80:
                at -= 1
            yield rest[:at]
            rest = b" " + rest[at:]
        yield rest
