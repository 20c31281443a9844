"""The thread that fetches calendars hands over what it read."""

from queue import SimpleQueue

from config.schema import Settings
from gateway.base.clock import now_ms
from gateway.calendars.thread import CalendarThread

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//yizhan//test//EN
BEGIN:VEVENT
UID:chess
DTSTART:20200101T000000Z
DTEND:20200102T000000Z
RRULE:FREQ=DAILY
SUMMARY:象棋
END:VEVENT
END:VCALENDAR
"""


def test_a_calendar_file_reaches_the_area_that_names_it(tmp_path):
    (tmp_path / "chess.ics").write_text(EVENT.replace("\n", "\r\n"), encoding="utf-8")
    area = {"id": "lounge", "calendar": [str(tmp_path / "chess.ics")]}
    settings = Settings.model_validate(
        {"store": {"path": tmp_path}, "stations": [{"id": "yanshan", "areas": [area, {"id": "hall"}]}]}
    )
    told = SimpleQueue()
    thread = CalendarThread(settings, settings.stations, told.put)
    thread.start()
    try:
        changed = told.get(timeout=180)
    finally:
        thread.end()
    thread.join(60)
    assert not thread.is_alive()
    assert list(changed) == [("yanshan", "lounge")]
    assert [activity.title for activity in changed["yanshan", "lounge"].at(now_ms()).on] == ["象棋"]
