"""iCalendar text (RFC 5545) → activities. Run as a program it does one calendar and dies if that takes too long.

A calendar may come from anybody: `FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30` keeps an expander busy until the year 9999, and
no check of the text finds all its kin. So the gateway reads calendars in a child process with limits (`isolated`).
"""

import re
import resource
import sys
import warnings
from collections import Counter
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import msgspec
import recurring_ical_events

from gateway.calendars import events
from gateway.calendars.isolated import REFUSED, CalendarReading
from gateway.calendars.lines import MAX_BYTES, CalendarError, lines
from gateway.model import Millis
from gateway.policy.activities import Activity
from gateway.policy.text import bounded

MAX_EVENTS = 2_000
MAX_OCCURRENCES = 2_000
MAX_TITLE = 120
MEMORY_BYTES = 768 * 1024 * 1024
_EVENT = re.compile(rb"^BEGIN:VEVENT[ \t]*\r?\n.*?^END:VEVENT[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_NONSENSE = (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError)  # what the libraries raise


def read(data: bytes, zone: str, first: Millis, last: Millis) -> CalendarReading:
    """The activities that touch `first` to `last`; times without a zone are in the calendar's own, else in `zone`.

    A cancelled event is none; a transparent one, or one only tentative, does not reserve; whole days run from midnight
    to midnight. An event that makes no sense is left out and counted. CalendarError if all of it is unusable.
    """
    here, reader = ZoneInfo(zone), _Reader(first, last)
    calendars, unreadable = _parsed(lines(data))
    reader.left_out.update({events.NO_TEXT: unreadable} if unreadable else {})
    for calendar in calendars:
        reader.take(calendar, here)
    return CalendarReading(tuple(sorted(reader.activities)), dict(reader.left_out), dict(reader.guessed))


class _Reader:
    """What is known of calendars read so far."""

    def __init__(self, first: Millis, last: Millis) -> None:
        self._first, self._last = first, last
        self._span = tuple(datetime.fromtimestamp(at / 1000, UTC) for at in (first, last))
        self._events = 0
        self.activities = set[Activity]()
        self.left_out, self.guessed = Counter[str](), Counter[str]()

    def take(self, calendar: Any, station_zone: ZoneInfo) -> None:
        own = events.zone_of(calendar)
        zone = own or station_zone
        wanted = [event for event in calendar.walk("VEVENT") if self._is_wanted(event, zone)]
        if own is not None:
            for event in wanted:
                events.bring_home(event, own)
        self._events += len(wanted)
        if self._events > MAX_EVENTS:
            raise CalendarError(f"has more than {MAX_EVENTS} events that are not over")
        for series in events.series(wanted):
            self._expand(series, zone, station_zone)
        for start, end, reserves in events.busy(calendar):
            self._add(Activity(_millis(start, zone), _millis(end, zone), "", "", reserves))

    def _is_wanted(self, event: Any, zone: ZoneInfo) -> bool:
        try:
            reason = events.unreadable(event)
            if reason is None:
                known = events.mend(event, zone)
                if events.is_elsewhere(event, *self._span):
                    return False
                self.guessed.update([] if known else [events.ZONE_UNKNOWN])
        except _NONSENSE:
            reason = events.NO_TIME
        self.left_out.update([] if reason is None else [reason])
        return reason is None

    def _expand(self, series: Any, zone: ZoneInfo, station_zone: ZoneInfo) -> None:
        first, last = (moment.astimezone(zone) for moment in self._span)
        try:
            for event in recurring_ical_events.of(series).between(first, last):
                activity = _activity(event, zone, station_zone)
                if activity is not None and activity.start >= activity.end:
                    self.left_out[events.NO_LENGTH] += 1
                elif activity is not None:
                    self._add(activity)
        except CalendarError:
            raise
        except _NONSENSE:
            self.left_out[events.NO_RULE] += 1

    def _add(self, activity: Activity) -> None:
        if activity.start < self._last and activity.end > self._first and activity.start < activity.end:
            self.activities.add(activity)
        if len(self.activities) > MAX_OCCURRENCES:
            raise CalendarError(f"has more than {MAX_OCCURRENCES} occurrences in the time asked for")


def _parsed(data: bytes) -> tuple[list[Any], int]:
    """The calendars, and how many of their events can't be parsed. CalendarError when there is no calendar."""
    try:
        return _calendars(data), 0
    except (*_NONSENSE, RecursionError):
        pass
    rest = _EVENT.sub(b"", data)  # one of its events spoils it, so each is tried
    try:
        calendars, unreadable = _calendars(rest), 0
    except (*_NONSENSE, RecursionError):
        raise CalendarError(_no_calendar(data)) from None
    head = rest[: rest.rindex(b"END:VCALENDAR")] if b"END:VCALENDAR" in rest else rest
    for block in _EVENT.findall(data):
        try:
            (calendar,) = _calendars(head + block + b"END:VCALENDAR\n")
        except (*_NONSENSE, RecursionError):
            unreadable += 1
        else:
            calendars[0].subcomponents.extend(calendar.walk("VEVENT"))
    return calendars, unreadable


def _calendars(data: bytes) -> list[Any]:
    """What the library reads. ValueError and its kin where that is no whole calendar."""
    calendars: list[Any] = icalendar.Calendar.from_ical(data, multiple=True)
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise ValueError
    return calendars


def _no_calendar(data: bytes) -> str:
    """Why it is none, without a word of it: it may hold anything."""
    if data.lstrip()[:1] == b"<":
        return "is no iCalendar but a web page, perhaps one to log in; put in the address of the calendar itself"
    return "is no iCalendar: it has no whole VCALENDAR"


def _activity(event: Any, zone: ZoneInfo, station_zone: ZoneInfo) -> Activity | None:
    """None of a cancelled event. Its end may lie before its start."""
    status = str(event.get("STATUS", "")).upper()
    if status == "CANCELLED":
        return None
    start, end = (_millis(at, zone if isinstance(at, datetime) else station_zone) for at in (event.start, event.end))
    public = str(event.get("CLASS", "PUBLIC")).upper() == "PUBLIC"
    reserves = str(event.get("TRANSP", "OPAQUE")).upper() == "OPAQUE" and status != "TENTATIVE"
    title = bounded(str(event.get("SUMMARY", "")), MAX_TITLE) if public else ""
    return Activity(start, end, str(event.get("UID", ""))[:200], title, reserves)


def _millis(when: date | datetime, zone: ZoneInfo) -> Millis:
    moment = when if isinstance(when, datetime) else datetime.combine(when, time())
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def _main(zone: str, first: str, last: str, cpu_s: str) -> int:
    warnings.simplefilter("ignore")  # a library's doubts, which quote what was read
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s)))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        reading = read(sys.stdin.buffer.read(MAX_BYTES + 1), zone, int(first), int(last))
    except CalendarError as error:
        sys.stderr.write(str(error))
        return REFUSED
    sys.stdout.buffer.write(msgspec.json.encode(reading))
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:5]))
