"""iCalendar text (RFC 5545) → activities. Run as a program it does one calendar and dies if that takes too long.

A calendar may come from anybody: `FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30` keeps an expander busy until the year 9999, and
no check of the text finds all its kin. So the gateway reads calendars in a child process with limits (`isolated`).
"""

import os
import resource
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import msgspec
import recurring_ical_events

from gateway.model import Millis
from gateway.policy.activities import Activity
from gateway.policy.text import bounded

MAX_BYTES = 2 * 1024 * 1024
MAX_EVENTS = 2_000
MAX_OCCURRENCES = 2_000
MAX_TITLE = 120
CPU_S = 5
MEMORY_BYTES = 768 * 1024 * 1024
REFUSED = 3  # exit status
_TOO_LARGE = f"is larger than {MAX_BYTES} bytes"
_TOO_OFTEN = {"SECONDLY", "MINUTELY", "HOURLY"}
_NONSENSE = (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError)  # what the libraries raise
_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")


class CalendarError(ValueError):
    """A calendar that can't be used. The message says why."""


def isolated(data: bytes, zone: str, first: Millis, last: Millis, cpu_s: int = CPU_S) -> tuple[Activity, ...]:
    """`read` in a process of its own, which ends after `cpu_s` seconds of work. CalendarError as there."""
    if len(data) > MAX_BYTES:
        raise CalendarError(_TOO_LARGE)
    command = [sys.executable, "-m", "gateway.calendars.ical", zone, str(first), str(last), str(cpu_s)]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=3 * cpu_s, check=False, env=here)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise CalendarError("takes too long to read") from None
    if done.returncode == REFUSED:
        raise CalendarError(done.stderr.decode(errors="replace").strip())
    if done.returncode != 0:
        raise CalendarError("takes too long or too much memory to read")
    return msgspec.json.decode(done.stdout, type=tuple[Activity, ...])


def read(data: bytes, zone: str, first: Millis, last: Millis) -> tuple[Activity, ...]:
    """The activities that touch `first` to `last`; times without a zone are in `zone`. CalendarError if unusable.

    A cancelled event is none; a transparent one, or one only tentative, does not reserve; whole days run from midnight
    to midnight. A single event that makes no sense is left out.
    """
    if len(data) > MAX_BYTES:
        raise CalendarError(_TOO_LARGE)
    here, found = ZoneInfo(zone), set[Activity]()
    for series in _series(data):
        found.update(_occurrences(series, here, first, last))
        if len(found) > MAX_OCCURRENCES:
            raise CalendarError(f"has more than {MAX_OCCURRENCES} occurrences in the time asked for")
    return tuple(sorted(found))


def _series(data: bytes) -> list[Any]:
    """A calendar for each event with its changed occurrences: what can't be expanded then costs only itself."""
    try:
        calendars: list[Any] = icalendar.Calendar.from_ical(data, multiple=True)
    except (*_NONSENSE, RecursionError):
        raise CalendarError(_no_calendar(data)) from None
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise CalendarError(_no_calendar(data))
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if len(events) > MAX_EVENTS:
        raise CalendarError(f"has more than {MAX_EVENTS} events")
    series: dict[str, Any] = defaultdict(icalendar.Calendar)
    for event in events:
        if not _too_often(event):
            series[str(event.get("UID", id(event)))].add_component(event)
    return list(series.values())


def _no_calendar(data: bytes) -> str:
    """Why it is none, without a word of it: it may hold anything."""
    if data.lstrip()[:1] == b"<":
        return "is no iCalendar but a web page, perhaps one to log in; put in the address of the calendar itself"
    return "is no iCalendar: it has no whole VCALENDAR"


def _occurrences(series: Any, zone: ZoneInfo, first: Millis, last: Millis) -> list[Activity]:
    span = (datetime.fromtimestamp(at / 1000, UTC).astimezone(zone) for at in (first, last))
    try:
        events = recurring_ical_events.of(series).between(*span)
        found = [activity for event in events if (activity := _activity(event, zone)) is not None]
    except _NONSENSE:
        return []
    return [activity for activity in found if activity.start < last and activity.end > first]


def _too_often(event: Any) -> bool:
    rules = event.get("RRULE", [])
    known = [rule for rule in (rules if isinstance(rules, list) else [rules]) if isinstance(rule, icalendar.vRecur)]
    return any(_TOO_OFTEN & set(rule.get("FREQ", ())) or any(part in rule for part in _PARTS) for rule in known)


def _activity(event: Any, zone: ZoneInfo) -> Activity | None:
    status = str(event.get("STATUS", "")).upper()
    if status == "CANCELLED":
        return None
    start, end = _millis(event.start, zone), _millis(event.end, zone)
    if start >= end:
        return None
    public = str(event.get("CLASS", "PUBLIC")).upper() == "PUBLIC"
    reserves = str(event.get("TRANSP", "OPAQUE")).upper() == "OPAQUE" and status != "TENTATIVE"
    title = bounded(str(event.get("SUMMARY", "")), MAX_TITLE) if public else ""
    return Activity(start, end, str(event.get("UID", ""))[:200], title, reserves)


def _millis(when: date | datetime, zone: ZoneInfo) -> Millis:
    moment = when if isinstance(when, datetime) else datetime.combine(when, time())
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def _main(zone: str, first: str, last: str, cpu_s: str) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s)))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        activities = read(sys.stdin.buffer.read(MAX_BYTES + 1), zone, int(first), int(last))
    except CalendarError as error:
        sys.stderr.write(str(error))
        return REFUSED
    sys.stdout.buffer.write(msgspec.json.encode(activities))
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:5]))
