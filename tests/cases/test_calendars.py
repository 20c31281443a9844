"""Calendars as programs write them: small inputs after public bug reports, each with what its writer meant."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.calendars.ical import read
from gateway.calendars.lines import CalendarError

MAX_EVENTS = 2_000
MAX_BYTES = 2 * 1024 * 1024


FOLDER = Path(__file__).parents[1] / "vectors" / "cases" / "service"
CASES = json.loads((FOLDER / "calendars.json").read_text(encoding="utf-8"))
ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = (int(datetime(2026, 11, day, tzinfo=ZONE).timestamp() * 1000) for day in (16, 30))
EVENING = (FOLDER / "23_broken_sequence_and_priority.ics").read_bytes()
EVENING_TIMES = [["2026-11-17T19:00", "2026-11-17T21:00"]]


def times(data: bytes) -> list[list[str]]:
    activities = read(data, ZONE.key, FIRST, LAST).activities
    return [
        [datetime.fromtimestamp(at / 1000, ZONE).strftime("%Y-%m-%dT%H:%M") for at in (activity.start, activity.end)]
        for activity in activities
    ]


def test_every_calendar_of_the_folder_has_its_right_value() -> None:
    assert sorted(CASES) == sorted(path.stem for path in FOLDER.glob("*.ics"))


@pytest.mark.parametrize("name", CASES)
def test_a_calendar_is_read_as_its_writer_meant_it_and_what_is_left_out_is_counted(name: str) -> None:
    data, case = (FOLDER / f"{name}.ics").read_bytes(), CASES[name]
    assert times(data) == case["activities"]
    reading = read(data, ZONE.key, FIRST, LAST)
    assert reading.left_out == case.get("left_out", {})
    assert reading.guessed == case.get("guessed", {})
    assert (reading.remark() is None) == (not reading.left_out and not reading.guessed)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(EVENING),
        b"\xef\xbb\xbf" + EVENING,
        EVENING.decode().encode("utf-16"),
        b"\xfe\xff" + EVENING.decode().encode("utf-16-be"),
        gzip.compress(EVENING.decode().encode("utf-16")),
        EVENING.replace(b"\r\n", b"\r"),
        EVENING.replace(b"\r\n", b"\n"),
    ],
    ids=["gzip", "bom", "utf-16", "utf-16-be", "gzip of utf-16", "cr", "lf"],
)
def test_a_calendar_is_read_in_whatever_it_is_wrapped(data: bytes) -> None:
    assert times(data) == EVENING_TIMES


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(b"\n" * 40 * MAX_BYTES), "larger than"),
        (b"\x1f\x8bnonsense", "gzip that can't be unpacked"),
        (b"\xff\xfe\x00\xd8", "UTF-16 that can't be read"),
    ],
    ids=["bomb", "half gzip", "half utf-16"],
)
def test_a_wrapping_that_hides_something_else_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(CalendarError, match=reason):
        read(data, ZONE.key, FIRST, LAST)


def test_the_past_of_years_costs_nothing() -> None:
    rules = ("RRULE:FREQ=WEEKLY;UNTIL=20260101", "PRIORITY:1", "PRIORITY:2")
    past = [
        f"BEGIN:VEVENT\r\nUID:p{n}\r\nDTSTAMP:20200101T000000Z\r\nDTSTART:{2018 + n % 8}0301T0{n % 10}0000\r\n"
        f"DURATION:PT1H\r\n{rules[n % 3]}\r\nEND:VEVENT\r\n"
        for n in range(2 * MAX_EVENTS)
    ]
    assert times(EVENING.replace(b"BEGIN:VEVENT", "".join(past).encode() + b"BEGIN:VEVENT", 1)) == EVENING_TIMES
