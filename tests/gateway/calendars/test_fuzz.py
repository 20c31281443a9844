"""Calendars with anything in one of their events: the other event stays, and nothing is raised but the refusal."""

import random
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.calendars.ical import read
from gateway.calendars.lines import CalendarError

ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = (int(datetime(2026, 11, day, tzinfo=ZONE).timestamp() * 1000) for day in (16, 30))
GOOD = "BEGIN:VEVENT\r\nUID:good\r\nDTSTART:20261117T190000\r\nDTEND:20261117T210000\r\nSUMMARY:x\r\nEND:VEVENT\r\n"
NAMES = (
    *("DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID", "SEQUENCE", "STATUS", "TRANSP"),
    *("CLASS", "SUMMARY", "UID", "CATEGORIES", "X-ALT", "PRIORITY", "DTSTAMP", "ATTACH", "GEO", "CREATED"),
)
PARAMETERS = (
    *("", "", "", ";VALUE=DATE", ";VALUE=PERIOD"),
    *(";TZID=PRC", ";TZID=Mars", ";TZID=GMT+0800", ";RANGE=THISANDFUTURE"),
)
VALUES = (
    *("", "20261117", "20261117T190000", "20261117T190000Z", "20261119T240000", "20261118T190000,20261119"),
    *("00000000", "99991231T235959Z", "20261117T190000/PT2H", "PT1H", "-PT1H", "P99999999D"),
    *("FREQ=DAILY;COUNT=5", "FREQ=WEEKLY;BYDAY=TU", "FREQ=DAILY;UNTIL=20261120", "FREQ=DAILY;BYHOUR=9,14"),
    *("FREQ=MINUTELY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=-1", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR"),
    *("-1", "9" * 30, "CANCELLED", "TENTATIVE", "TRANSPARENT", "PRIVATE", "a", "小夜校", "\u202e\x07\\n,;:", "1.5;x"),
)


def event(dice: random.Random) -> str:
    lines = []
    for _ in range(dice.randint(0, 8)):
        value = dice.choice(VALUES)
        if value and dice.random() < 0.3:
            at = dice.randrange(len(value))
            value = value[:at] + dice.choice("0129TZ;=,:/-\u3000x") + value[at + 1 :]
        lines.append(f"{dice.choice(NAMES)}{dice.choice(PARAMETERS)}:{value}\r\n")
    return f"BEGIN:VEVENT\r\n{''.join(lines)}END:VEVENT\r\n"


def fuzz(seeds: range) -> None:
    for seed in seeds:
        dice = random.Random(seed)
        strange = [event(dice) for _ in range(dice.randint(1, 3))]
        data = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{GOOD}{''.join(strange)}END:VCALENDAR\r\n".encode()
        try:
            reading = read(data, ZONE.key, FIRST, LAST)
        except CalendarError:
            pytest.fail(f"seed {seed}: one strange event cost the calendar")
        assert any(activity.uid == "good" for activity in reading.activities), seed
        whole = bytearray(data)
        for _ in range(dice.randint(1, 9)):
            whole[dice.randrange(len(whole))] = dice.randrange(256)
        with suppress(CalendarError):
            read(bytes(whole), ZONE.key, FIRST, LAST)


def test_one_strange_event_costs_only_itself_in_300_calendars() -> None:
    fuzz(range(300))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_one_strange_event_costs_only_itself_in_10_000_calendars() -> None:
    fuzz(range(10_000))
