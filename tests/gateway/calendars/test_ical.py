"""iCalendar text into activities: good, strange and hostile."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calendars.ical import read
from gateway.calendars.isolated import isolated
from gateway.calendars.lines import CalendarError

MAX_EVENTS = 2_000
MAX_BYTES = 2 * 1024 * 1024


ZONE = "Asia/Shanghai"


def at(text: str, zone: str = ZONE) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


FIRST, LAST = at("2026-11-16"), at("2026-11-30")


def calendar(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def event(when: str, *more: str, uid: str = "a", title: str = "小夜校") -> str:
    return "\n".join([f"UID:{uid}", f"SUMMARY:{title}", "DTSTAMP:20260101T000000Z", when, *more])


EVENING = "DTSTART:20261117T190000\nDTEND:20261117T210000"


def starts(data: bytes, zone: str = ZONE) -> list[str]:
    activities = read(data, zone, FIRST, LAST).activities
    return [datetime.fromtimestamp(a.start / 1000, ZoneInfo(zone)).strftime("%d %H:%M") for a in activities]


def test_a_weekly_class_comes_every_week_but_for_the_day_left_out_and_the_one_moved() -> None:
    rule = "RRULE:FREQ=WEEKLY;BYDAY=TU,TH"
    moved = event("DTSTART:20261124T200000\nDTEND:20261124T220000", "RECURRENCE-ID:20261124T190000")
    assert starts(calendar(event(EVENING, rule, "EXDATE:20261119T190000"), moved)) == [
        "17 19:00",
        "24 20:00",
        "26 19:00",
    ]


def test_times_are_in_their_own_zone_in_utc_or_in_the_stations() -> None:
    data = calendar(
        event("DTSTART;TZID=Europe/Berlin:20261117T120000\nDTEND;TZID=Europe/Berlin:20261117T130000", uid="a"),
        event("DTSTART:20261118T040000Z\nDTEND:20261118T050000Z", uid="b"),
        event("DTSTART:20261119T120000\nDURATION:PT1H", uid="c"),
        event("DTSTART;VALUE=DATE:20261120", uid="d"),
    )
    assert starts(data) == ["17 19:00", "18 12:00", "19 12:00", "20 00:00"]
    assert read(data, ZONE, FIRST, LAST).activities[3].end == at("2026-11-21")


def test_a_class_keeps_its_hour_over_a_change_of_the_clock() -> None:
    weekly = event("DTSTART:20261013T190000\nDTEND:20261013T210000", "RRULE:FREQ=WEEKLY")
    activities = read(calendar(weekly), "Europe/Berlin", at("2026-10-12"), at("2026-11-01")).activities
    assert [a.start for a in activities] == [at(f"2026-10-{day}T19:00", "Europe/Berlin") for day in (13, 20, 27)]


def test_what_is_cancelled_is_out_what_is_tentative_or_transparent_reserves_nothing_and_private_keeps_its_title() -> (
    None
):
    data = calendar(
        event(EVENING, "STATUS:CANCELLED", uid="gone"),
        event(EVENING, "STATUS:TENTATIVE", uid="a"),
        event(EVENING, "TRANSP:TRANSPARENT", uid="b"),
        event(EVENING, "CLASS:PRIVATE", uid="c"),
        event(EVENING, uid="d", title="x\\n\x07y" + "z" * 300),
    )
    activities = read(data, ZONE, FIRST, LAST).activities
    assert [(a.uid, a.reserves) for a in activities] == [("a", False), ("b", False), ("c", True), ("d", True)]
    assert activities[2].title == ""
    assert activities[3].title == "x y" + "z" * 116 + "…"


def test_a_title_is_one_line_without_numbers_of_people() -> None:
    title = "\u202e张三 13812345678 110101199003074477\\n来"
    (activity,) = read(calendar(event(EVENING, title=title)), ZONE, FIRST, LAST).activities
    assert activity.title == "张三 … … 来"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is no iCalendar"),
        (b"<html>not here</html>", "is no iCalendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "is no iCalendar"),
        (b"x" * (MAX_BYTES + 1), "larger"),
        (calendar(*[event(EVENING, uid=str(n)) for n in range(MAX_EVENTS + 1)]), "more than 2000 events"),
        (calendar(*[event(EVENING, "RRULE:FREQ=DAILY", uid=str(n)) for n in range(200)]), "occurrences"),
    ],
    ids=["empty", "html", "half", "large", "events", "occurrences"],
)  # fmt: skip
def test_an_unusable_calendar_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(CalendarError, match=reason):
        read(data, ZONE, FIRST, LAST)


@pytest.mark.parametrize(
    "bad",
    [
        event(EVENING, "RRULE:FREQ=SECONDLY", uid="bad"),
        event(EVENING, "RRULE:FREQ=DAILY;BYMINUTE=0,1,2,3", uid="bad"),
        event(EVENING, "RRULE:FREQ=NEVER", uid="bad"),
        event("DTSTART:20261117T190000\nDTEND:20261117T180000", uid="bad"),
        event("DTSTART:99999999T190000", uid="bad"),
        "UID:bad\nSUMMARY:no time",
    ],
)
def test_an_event_that_makes_no_sense_costs_only_itself(bad: str) -> None:
    assert [
        a.uid for a in read(calendar(bad, event(EVENING, uid="good")), ZONE, FIRST, LAST).activities if a.uid != "bad"
    ] == ["good"]


@given(st.lists(st.sampled_from(calendar(event(EVENING, "RRULE:FREQ=WEEKLY;COUNT=9")).split(b"\r\n")), max_size=14))
def test_any_shuffled_calendar_is_read_or_refused(lines: list[bytes]) -> None:
    try:
        read(b"\r\n".join([b"BEGIN:VCALENDAR", *lines, b"END:VCALENDAR"]), ZONE, FIRST, LAST)
    except CalendarError:
        pass


def test_a_calendar_read_in_a_process_of_its_own_says_the_same() -> None:
    data = calendar(event(EVENING, "RRULE:FREQ=WEEKLY"))
    assert isolated(data, ZONE, FIRST, LAST) == read(data, ZONE, FIRST, LAST)
    with pytest.raises(CalendarError, match="is no iCalendar"):
        isolated(b"<html>", ZONE, FIRST, LAST)


def test_a_calendar_made_to_keep_us_busy_is_given_up() -> None:
    never = [event(EVENING, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", uid=str(n)) for n in range(50)]
    with pytest.raises(CalendarError, match="takes too long"):
        isolated(calendar(*never), ZONE, FIRST, FIRST + timedelta(days=14) // timedelta(milliseconds=1), cpu_s=1)
