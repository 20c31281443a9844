"""A booking that nobody came to is cancelled in a real CalDAV server, and another program sees it within a minute."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.schema import Settings
from gateway.base.clock import now_ms
from gateway.calendars.thread import CalendarThread
from gateway.policy.activities import Activity
from tests.patience import until
from tests.readers.radicale import PASSWORD, USER, radicale

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SEEN_WITHIN_S = 60


def hour(days: int = 0) -> datetime:
    """The last full hour, some days from now."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=days)


def event(uid: str, *more: str, days: int = 0) -> bytes:
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//club//DE", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20260101T000000Z", f"DTSTART:{hour(days):%Y%m%dT%H%M%SZ}", "DURATION:PT3H",
        "SUMMARY:合唱团", "SEQUENCE:7", *more, "END:VEVENT",
        "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_vdirsyncer_sees_within_a_minute_what_was_given_up(tmp_path: Path) -> None:
    with radicale(tmp_path) as server:
        server.put("single.ics", event("single"))
        server.put("weekly.ics", event("weekly", "RRULE:FREQ=WEEKLY;COUNT=5", days=-14))
        server.put("other.ics", event("other"))
        before = server.synced()
        assert set(before) == {"single.ics", "weekly.ics", "other.ics"}
        (tmp_path / "password").write_text(PASSWORD)
        hall = {"url": server.url, "username": USER, "password_file": tmp_path / "password", "give_up": "cancel"}
        stations = [{"id": "yanshan", "areas": [{"id": "hall", "calendar": [hall]}]}]
        settings = Settings.model_validate({"stations": stations, "store": {"path": tmp_path / "store"}})
        given_up = set[Activity]()
        thread = CalendarThread(settings, settings.stations, lambda _: None, given_up=lambda _: frozenset(given_up))
        thread.start()
        try:
            now = now_ms()

            def on() -> dict[str, Activity]:
                activities = thread.activities_of("yanshan")["hall"]
                return {activity.uid: activity for activity in activities if activity.start <= now < activity.end}

            until(lambda: on().keys() == {"single", "weekly", "other"}, "the calendar is read")
            given_up |= {on()["single"], on()["weekly"]}
            began = time.monotonic()
            until(lambda: "STATUS:CANCELLED" in server.get("weekly.ics"), "the calendar is told")
            until(lambda: "STATUS:CANCELLED" in server.get("single.ics"), "the calendar is told")
            after = server.synced()
            assert time.monotonic() - began < SEEN_WITHIN_S
        finally:
            thread.end()
            thread.join(60)
        assert after["other.ics"] == before["other.ics"]
        assert "STATUS:CANCELLED" in after["single.ics"]
        assert "SEQUENCE:8" in after["single.ics"]
        assert after["weekly.ics"].count("STATUS:CANCELLED") == 1
        assert f"RECURRENCE-ID:{hour():%Y%m%dT%H%M%SZ}" in after["weekly.ics"]
        again = CalendarThread(settings, settings.stations, lambda _: None, given_up=lambda _: frozenset(given_up))
        again.step(now_ms())
        again.step(now_ms())
        assert server.synced() == after, "never twice, over restarts"
