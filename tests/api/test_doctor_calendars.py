"""`yizhan doctor` reads calendars as the gateway would and says what is left out of them."""

from pathlib import Path

from api.commands.doctor_calendars import calendars
from config.schema import Settings

GOOD = "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261117T190000\r\nDURATION:PT1H\r\nEND:VEVENT\r\n"
BAD = "BEGIN:VEVENT\r\nUID:b\r\nSUMMARY:no time\r\nEND:VEVENT\r\n"


def test_each_calendar_is_a_line_with_what_is_left_out_of_it(tmp_path: Path) -> None:
    sources = [str(tmp_path / name) for name in ("good.ics", "half.ics", "page.ics")]
    for source, events in zip(sources, (GOOD, GOOD + BAD, None), strict=True):
        text = f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n" if events else "<html>sign in</html>"
        Path(source).write_text(text, encoding="utf-8")
    web = "https://u:geheim@calendar.example.org/private-0a1b/x.ics"
    area = {"id": "hall", "calendar": [*sources, web]}
    settings = Settings.model_validate({"store": {"path": tmp_path}, "stations": [{"id": "yanshan", "areas": [area]}]})
    good, half, page, absent = calendars(settings)
    assert (good.mark, good.text) == ("ok", f"yanshan/hall: {sources[0]}: is read whole")
    assert half.mark == "warn"
    assert half.text.endswith("half.ics: 1 events are left out: 1 × has a time that can't be read")
    assert page.mark == "fail"
    assert "web page" in page.text
    assert (absent.mark, absent.text) == (
        "warn",
        "yanshan/hall: calendar.example.org: no copy yet: the gateway fetches one",
    )
