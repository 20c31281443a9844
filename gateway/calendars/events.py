"""One event as its writer meant it: mended where that is clear, else left out with a reason that people can read."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar
from icalendar.prop import vBroken, vDDDLists, vDDDTypes

TOO_OFTEN: Final = "repeats more often than daily with 24 times a day"
NO_TIME: Final = "has a time that can't be read"
NO_LENGTH: Final = "ends when it begins or before"
NO_TEXT: Final = "holds a line that can't be read"
NO_RULE: Final = "repeats in a way that can't be read"
ZONE_UNKNOWN: Final = "is in a time zone that is not known, taken as the station's"
_TIMES_A_DAY = 24
_SERIES_SLACK = timedelta(days=60)  # how long one occurrence may last
_SLACK = timedelta(days=2)  # zones, floating times
_OFFSET = re.compile(r"(?:\(?(?:GMT|UTC))?([+-])(\d\d?):?(\d\d)?\)?.*", re.IGNORECASE)
_DATE = re.compile(r"\d{8}(?:T\d{6}Z?)?")
_TIMES: Final = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID")
_PARTS: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")


def values_of(event: Any, name: str) -> list[Any]:
    """All values of a property, none or many."""
    value = event.get(name, [])
    return value if isinstance(value, list) else [value]


def unreadable(event: Any) -> str | None:
    """Why this event can't be one; None where it can. What does not decide over its time is dropped when broken."""
    for name in list(event):
        good = [value for value in values_of(event, name) if not isinstance(value, vBroken)]
        if len(good) == len(values_of(event, name)):
            continue
        if name in _TIMES:
            return NO_TIME
        if name == "RRULE":
            return NO_RULE
        good += _days_left(event, name)
        del event[name]
        if good:
            event[name] = good
    if "DTSTART" not in event or not isinstance(event["DTSTART"].dt, date):
        return NO_TIME
    rules = values_of(event, "RRULE")
    if any(rule.get("INTERVAL", [1])[0] < 1 for rule in rules):  # an expander would never end
        return NO_RULE
    return TOO_OFTEN if any(map(_too_often, rules)) else None


def _days_left(event: Any, name: str) -> list[Any]:
    """The days that can be read of lists of which one can't: left-out days must stay left out."""
    if name not in ("EXDATE", "RDATE"):
        return []
    broken = [value for value in values_of(event, name) if isinstance(value, vBroken)]
    texts = [(",".join(_DATE.findall(str(value))), value.params.get("TZID")) for value in broken]
    return [vDDDLists([_day(day, zone) for day in text.split(",")]) for text, zone in texts if text]


def _day(text: str, zone: str | None) -> Any:
    return vDDDTypes.from_ical(text, timezone=zone)  # type: ignore[no-untyped-call]


def _too_often(rule: Any) -> bool:
    times = 1
    for part in _PARTS:
        times *= max(1, len(rule.get(part, ())))
    return bool({"SECONDLY", "MINUTELY", "HOURLY"} & set(rule.get("FREQ", ()))) or times > _TIMES_A_DAY


def mend(event: Any, zone: tzinfo) -> bool:
    """Put right what is clear; `zone` is that of times without one. False where a named zone is not known."""
    known = True
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        known = _place(event, name) and known
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else None
    if not isinstance(start, datetime) and end is not None and not isinstance(end, datetime) and end <= start:
        del event["DTEND"]  # so that it lasts its day
    for rule in values_of(event, "RRULE"):
        if rule.get("UNTIL"):
            rule["UNTIL"] = [_until(rule["UNTIL"][0], start, zone)]
    return known


def bring_home(event: Any, zone: tzinfo) -> None:
    """A series in UTC of a calendar that names its `zone` repeats on the days of that zone: `BYDAY=TU` at 23:00Z is no
    Wednesday in Shanghai."""
    start = event["DTSTART"]
    if "RRULE" in event and isinstance(start.dt, datetime) and start.dt.tzinfo is not None and not start.dt.utcoffset():
        start.dt = start.dt.astimezone(zone)


def _place(event: Any, name: str) -> bool:
    """A day is a day, whatever zone is written beside it; a named offset is a zone. False for an unknown zone."""
    for value in values_of(event, name):
        zone = value.params.get("TZID")
        if not (isinstance(value, vDDDTypes) and isinstance(value.dt, datetime)):
            continue
        if value.params.get("VALUE") == "DATE":
            value.dt = value.dt.date()
        elif zone and value.dt.tzinfo is None:
            offset = _offset(zone)
            value.dt = value.dt.replace(tzinfo=offset)
            if offset is None:
                return False
    return True


def _offset(name: str) -> timezone | None:
    """`GMT+0800`, `UTC+08:00`, `(GMT+08:00) Beijing`."""
    match = _OFFSET.fullmatch(name)
    if match is None:
        return None
    away = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(-away if match[1] == "-" else away) if away < timedelta(days=1) else None


def _until(until: Any, start: Any, zone: tzinfo) -> Any:
    """The last moment in the form that the beginning has: a day means its end."""
    if not isinstance(start, datetime):
        return until.date() if isinstance(until, datetime) else until
    if not isinstance(until, datetime):
        until = datetime.combine(until, time(23, 59, 59))
    if start.tzinfo is None:
        return until.astimezone(zone).replace(tzinfo=None) if until.tzinfo else until
    return (until if until.tzinfo else until.replace(tzinfo=start.tzinfo)).astimezone(UTC)


def is_elsewhere(event: Any, first: datetime, last: datetime) -> bool:
    """Whether it certainly has no part in the time asked for: the past of years costs nothing."""
    begins = _moment(event["DTSTART"].dt)
    if "RECURRENCE-ID" in event:
        moved_from = _moment(event["RECURRENCE-ID"].dt)
        return max(begins, moved_from) < first - _SERIES_SLACK
    if begins > last + _SLACK:
        return "RDATE" not in event
    if "RRULE" in event or "RDATE" in event:
        untils = [_moment(rule["UNTIL"][0]) if rule.get("UNTIL") else None for rule in values_of(event, "RRULE")]
        return "RDATE" not in event and all(until is not None and until < first - _SERIES_SLACK for until in untils)
    return _end(event, begins) < first - _SLACK


def _end(event: Any, begins: datetime) -> datetime:
    if "DTEND" in event:
        return max(begins, _moment(event["DTEND"].dt))
    length = event["DURATION"].dt if "DURATION" in event else timedelta(days=1)
    return begins + length if isinstance(length, timedelta) else begins


def _moment(when: date | datetime) -> datetime:
    moment = when if isinstance(when, datetime) else datetime.combine(when, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def series(events: list[Any]) -> list[Any]:
    """A calendar for each event with its changed occurrences: what can't be expanded then costs only itself.

    Events of one UID without a RECURRENCE-ID are bookings of their own, but for older versions of one.
    """
    calendars: dict[tuple[str, int], Any] = {}
    by_uid: dict[str, list[Any]] = {}
    for event in events:
        by_uid.setdefault(str(event.get("UID", id(event))), []).append(event)
    for uid, versions in by_uid.items():
        own = {str(values_of(event, "DTSTART")[0].to_ical()): event for event in _newest(versions)}
        changed = [event for event in versions if "RECURRENCE-ID" in event]
        repeating_first = sorted(own.values(), key=lambda event: "RRULE" not in event)
        groups = [[event] for event in repeating_first] or [[]]
        groups[0].extend(changed)
        for number, group in enumerate(groups):
            calendar = calendars[uid, number] = icalendar.Calendar()
            for event in group:
                calendar.add_component(event)
    return list(calendars.values())


def _newest(versions: list[Any]) -> list[Any]:
    own = [event for event in versions if "RECURRENCE-ID" not in event]
    newest = max((sequence(event) for event in own), default=0)
    return [event for event in own if sequence(event) == newest]


def sequence(event: Any) -> int:
    """The event's SEQUENCE: the version with the highest one is the newest."""
    value = event.get("SEQUENCE", 0)
    return int(value) if isinstance(value, int) else 0


def zone_of(calendar: Any) -> ZoneInfo | None:
    """In which zone its times without one are: X-WR-TIMEZONE, which many exporters write. None where it names none."""
    try:
        return ZoneInfo(str(calendar["X-WR-TIMEZONE"]).strip()) if "X-WR-TIMEZONE" in calendar else None
    except (ValueError, OSError):
        return None


def busy(calendar: Any) -> list[tuple[Any, Any, bool]]:
    """(start, end, reserves) of what free/busy calendars call taken."""
    taken = []
    periods = chain.from_iterable(values_of(part, "FREEBUSY") for part in calendar.walk("VFREEBUSY"))
    for period in periods:
        kind = "" if isinstance(period, vBroken) else str(period.params.get("FBTYPE", "BUSY")).upper()
        if kind.startswith("BUSY"):
            taken.append((period.start, period.end, kind != "BUSY-TENTATIVE"))
    return taken
