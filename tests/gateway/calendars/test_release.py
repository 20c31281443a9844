"""An event is given up in its calendar's text: only it, only once, and as other programs read it."""

from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from gateway.base.times import from_rfc3339, rfc3339
from gateway.calendars.ical import read
from gateway.calendars.lines import CalendarError
from gateway.calendars.release import LINE_OCTETS, MARK, released
from gateway.calendars.wanted import GiveUp
from gateway.policy.activities import Activity

ZONE = "Asia/Shanghai"
HOUR, DAY = 3_600_000, 86_400_000
NOW = from_rfc3339("2026-11-24T19:15:00+08:00")
START = from_rfc3339("2026-11-24T19:00:00+08:00")
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//club//DE\r\nX-KEEP:as it is\r\n"
TIMEZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Asia/Shanghai\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0800\r\n"
    "TZOFFSETTO:+0800\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
ALARM = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:soon\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"
TIMES = {
    "zone": ("DTSTART;TZID=Asia/Shanghai:{day}T190000", "DTEND;TZID=Asia/Shanghai:{day}T210000"),
    "utc": ("DTSTART:{day}T110000Z", "DURATION:PT2H"),
    "floating": ("DTSTART:{day}T190000", "DTEND:{day}T210000"),
}
LEFT_OUT = {
    "zone": "EXDATE;TZID=Asia/Shanghai:20261201T190000",
    "utc": "EXDATE:20261201T110000Z",
    "floating": "EXDATE:20261201T190000",
}
HOWS: tuple[GiveUp, ...] = ("cancel", "comment")


def event(times: str, day: str, *more: str, uid: str = "u1") -> str:
    lines = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", "SUMMARY:合唱团; Choir"]
    lines += [line.format(day=day) for line in TIMES[times]]
    return "".join(f"{line}\r\n" for line in (*lines, *more)) + ALARM + "END:VEVENT\r\n"


def calendar(*events: str) -> bytes:
    return (HEAD + TIMEZONE + "".join(events) + "END:VCALENDAR\r\n").encode()


def activity(start: int = START, uid: str = "u1") -> Activity:
    return Activity(start, start + 2 * HOUR, uid, "合唱团; Choir", reserves=True)


def given_up(data: bytes, how: GiveUp = "cancel", of: Activity | None = None) -> bytes | None:
    return released(data, of or activity(), ZoneInfo(ZONE), how, NOW)


def _events(data: bytes) -> list[Any]:
    return icalendar.Calendar.from_ical(data).walk("VEVENT")


def starts(data: bytes) -> list[str]:
    activities = read(data, ZONE, START - 20 * DAY, START + 20 * DAY).activities
    return [rfc3339(stored.start)[5:16] for stored in activities if stored.uid == "u1"]


@pytest.mark.parametrize("times", TIMES)
def test_a_single_event_is_cancelled_and_all_else_stays_to_the_byte(times: str) -> None:
    before = calendar(event("utc", "20261124", uid="other"), event(times, "20261124", "SEQUENCE:4", "STATUS:CONFIRMED"))
    after = given_up(before)
    assert after is not None
    assert starts(after) == []
    gone = set(before.split(b"\r\n")) - set(after.split(b"\r\n"))
    assert gone == {b"SEQUENCE:4", b"STATUS:CONFIRMED"}
    other = event("utc", "20261124", uid="other").encode()
    assert other in after
    (cancelled,) = [stored for stored in _events(after) if stored["UID"] == "u1"]
    assert (cancelled["SEQUENCE"], cancelled["STATUS"], str(cancelled["SUMMARY"])) == (5, "CANCELLED", "合唱团; Choir")
    assert "无人到场" in str(cancelled["COMMENT"])
    assert max(map(len, after.split(b"\r\n"))) <= LINE_OCTETS


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("how", HOWS)
def test_of_a_series_only_the_one_occurrence_is_touched(times: str, how: GiveUp) -> None:
    whole = event(times, "20261117", "RRULE:FREQ=WEEKLY;COUNT=4", LEFT_OUT[times], "SEQUENCE:2")
    before = calendar(whole)
    after = given_up(before, how)
    assert after is not None
    assert starts(before) == ["11-17T11:00", "11-24T11:00", "12-08T11:00"]
    assert starts(after) == (["11-17T11:00", "12-08T11:00"] if how == "cancel" else starts(before))
    series, occurrence = _events(after)
    assert whole.encode() in after
    assert "RRULE" in series
    assert occurrence["RECURRENCE-ID"].dt == occurrence["DTSTART"].dt
    assert occurrence["RECURRENCE-ID"].params == series["DTSTART"].params
    assert (occurrence["SEQUENCE"], "RRULE" in occurrence, "EXDATE" in occurrence) == (3, False, False)
    assert occurrence.get("STATUS") == ("CANCELLED" if how == "cancel" else None)


def test_an_occurrence_that_was_moved_is_the_event_that_stands_for_it() -> None:
    moved = event("utc", "20261124", "RECURRENCE-ID:20261123T110000Z", "SEQUENCE:3", "STATUS:CONFIRMED")
    before = calendar(event("utc", "20261116", "RRULE:FREQ=WEEKLY;COUNT=3"), moved)
    after = given_up(before)
    assert after is not None
    assert starts(before) == ["11-16T11:00", "11-24T11:00", "11-30T11:00"]
    assert starts(after) == ["11-16T11:00", "11-30T11:00"]
    assert after.count(b"RECURRENCE-ID") == 1


def test_a_whole_day_of_a_series_is_a_day() -> None:
    begins = from_rfc3339("2026-11-24T00:00:00+08:00")
    lines = ["BEGIN:VEVENT", "UID:u1", "DTSTART;VALUE=DATE:20261117", "RRULE:FREQ=WEEKLY", "END:VEVENT", ""]
    after = given_up(calendar("\r\n".join(lines)), of=activity(begins))
    assert after is not None
    assert b"RECURRENCE-ID;VALUE=DATE:20261124\r\n" in after


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("more", [(), ("RRULE:FREQ=DAILY;COUNT=3",)])
def test_what_was_told_is_not_told_again(how: GiveUp, more: tuple[str, ...]) -> None:
    after = given_up(calendar(event("zone", "20261124", *more)), how)
    assert after is not None
    assert MARK.encode() in after
    assert given_up(after, how) is None
    taken_back = after.replace(b"STATUS:CANCELLED", b"STATUS:CONFIRMED")
    assert given_up(taken_back, how) is None, "whoever takes it back has the last word"


@pytest.mark.parametrize(
    "other",
    [
        event("zone", "20261124", uid="u2"),
        event("zone", "20261125"),
        event("zone", "20261124", "STATUS:CANCELLED"),
        event("utc", "20261117", "RRULE:FREQ=WEEKLY", "EXDATE:20261124T110000Z"),
    ],
)
def test_what_is_not_there_any_more_is_left_alone(other: str) -> None:
    assert given_up(calendar(other)) is None


@pytest.mark.parametrize("data", [b"<html>", b"", b"BEGIN:VCALENDAR\r\n", b"\xff\xfe\x00"])
def test_what_is_no_calendar_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(CalendarError):
        given_up(data)


def test_lines_that_end_otherwise_stay_so() -> None:
    after = given_up(calendar(event("zone", "20261124")).replace(b"\r\n", b"\n"))
    assert after is not None
    assert b"\r" not in after
