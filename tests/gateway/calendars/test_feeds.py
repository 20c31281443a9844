"""Calendars from disk and from a real web server on loopback."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gateway.calendars import web as web_in
from gateway.calendars.feeds import DAY_MS, MINUTE_MS, CalendarFeed, Calendars, FileSource
from gateway.calendars.ical import read
from gateway.calendars.wanted import CalendarAddress
from gateway.calendars.web import WebSource

KEEP_MS = 7 * 86_400_000
MAX_BYTES = 2 * 1024 * 1024


NOW = 1_795_262_400_000  # 2026-11-21 12:00 UTC
ZONE = "Asia/Shanghai"


def ics(title: str) -> bytes:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:t\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        f"SUMMARY:{title}\r\nDTSTART:20261121T190000\r\nDTEND:20261121T210000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


class Site:
    """What the server says next, and what it was asked."""

    def __init__(self) -> None:
        self.body, self.status, self.headers = ics("a"), 200, {"ETag": '"1"'}
        self.asked: list[dict[str, str]] = []
        self.url = ""


@pytest.fixture
def site() -> Iterator[Site]:
    said = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.asked.append(dict(self.headers))
            same = said.status == 200 and self.headers["If-None-Match"] == said.headers.get("ETag") is not None
            self.send_response(304 if same else said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if not same:
                self.wfile.write(said.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    said.url = f"http://127.0.0.1:{server.server_port}/a.ics"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield said
    server.shutdown()
    server.server_close()


def web(site: Site, cache: Path) -> CalendarFeed:
    return CalendarFeed("yanshan/hall: 127.0.0.1", WebSource(site.url, cache), ZONE, read)


def titles(feed: CalendarFeed) -> list[str]:
    return [activity.title for activity in feed.activities]


def test_it_asks_politely_and_for_changes_only(site: Site, tmp_path: Path) -> None:
    feed = web(site, tmp_path)
    assert feed.refresh(NOW)
    assert not feed.refresh(NOW + 15 * MINUTE_MS - 1)
    assert not feed.refresh(NOW + 15 * MINUTE_MS)
    assert [asked.get("If-None-Match") for asked in site.asked] == [None, '"1"']
    assert "yizhan" in site.asked[0]["User-Agent"]
    site.body, site.headers = ics("b"), {"ETag": '"2"'}
    assert feed.refresh(NOW + 30 * MINUTE_MS)
    assert titles(feed) == ["b"]


def test_a_restart_during_an_outage_knows_the_calendar_and_asks_for_changes_after_it(
    site: Site, tmp_path: Path
) -> None:
    web(site, tmp_path).refresh(NOW)
    site.status = 503
    feed = web(site, tmp_path)
    assert feed.refresh(NOW + MINUTE_MS)
    assert titles(feed) == ["a"]
    assert "503" in str(feed.problem)
    site.status = 200
    feed.refresh(feed.due)
    assert feed.problem is None
    assert site.asked[-1]["If-None-Match"] == '"1"'


def test_a_source_that_fails_is_asked_ever_less_often_and_forgotten_after_a_week(site: Site, tmp_path: Path) -> None:
    feed = web(site, tmp_path)
    feed.refresh(NOW)
    site.status, waits, now = 500, [], NOW
    for _ in range(6):
        now = feed.due
        feed.refresh(now)
        waits.append((feed.due - now) // MINUTE_MS)
    assert waits == [30, 60, 120, 240, 240, 240]
    assert titles(feed) == ["a"]
    assert feed.refresh(NOW + KEEP_MS + 1)
    assert feed.activities == ()


@pytest.mark.parametrize(
    ("status", "headers", "body", "problem"),
    [
        (200, {}, b"x" * (MAX_BYTES + 10), "larger"),
        (200, {}, b"<html>log in</html>", "no iCalendar"),
        (404, {}, b"", "404"),
        (302, {"Location": "file:///etc/hostname"}, b"", "302"),
        (200, {"Content-Length": "99999"}, b"BEGIN:VCAL", "iCalendar|answer"),
    ],
)
def test_an_answer_that_is_no_calendar_is_a_problem_and_never_an_error(
    site: Site, tmp_path: Path, status: int, headers: dict[str, str], body: bytes, problem: str
) -> None:
    feed = web(site, tmp_path)
    feed.refresh(NOW)
    site.status, site.headers, site.body = status, headers, body
    assert not feed.refresh(feed.due)
    assert str(feed.problem).startswith("yanshan/hall: 127.0.0.1: ")
    assert site.url not in str(feed.problem)
    assert any(word in str(feed.problem) for word in problem.split("|"))
    assert titles(feed) == ["a"]


def test_an_answer_that_trickles_is_given_up(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_in, "DOWNLOAD_S", -1.0)
    feed = web(site, tmp_path)
    feed.refresh(NOW)
    assert "takes longer" in str(feed.problem)


def test_a_full_or_forbidden_cache_costs_only_the_copy(site: Site, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    feed = web(site, in_the_way)
    assert feed.refresh(NOW)
    assert feed.problem is None


def test_a_torn_copy_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    web(site, tmp_path).refresh(NOW)
    for copy in tmp_path.iterdir():
        copy.write_bytes(copy.read_bytes()[:20])
    feed = web(site, tmp_path)
    assert feed.refresh(NOW)
    assert titles(feed) == ["a"]


def test_a_file_is_read_again_each_minute_and_the_window_moves_on_without_a_change(tmp_path: Path) -> None:
    path = tmp_path / "a.ics"
    feed = CalendarFeed(str(path), FileSource(str(path)), ZONE, read)
    assert not feed.refresh(NOW)
    assert "No such file" in str(feed.problem)
    path.write_bytes(ics("a"))
    assert feed.refresh(feed.due)
    path.write_bytes(ics("b"))
    assert feed.refresh(feed.due)
    assert titles(feed) == ["b"]
    assert feed.refresh(NOW + 3 * DAY_MS)
    assert feed.activities == ()


def test_areas_with_the_same_source_share_it_and_each_gets_its_agenda(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "b.ics"
    path.write_bytes(ics("b").replace(b"UID:1", b"UID:2"))
    calendars = Calendars(
        {
            ("yanshan", "hall"): (ZONE, (CalendarAddress(site.url), CalendarAddress(str(path)))),
            ("heshan", "hall"): (ZONE, (CalendarAddress(site.url),)),
        },
        tmp_path,
    )
    agendas = calendars.refresh(NOW)
    assert len(site.asked) == 1
    assert {area: [a.title for a in agenda.activities] for area, agenda in agendas.items()} == {
        ("yanshan", "hall"): ["a", "b"],
        ("heshan", "hall"): ["a"],
    }
    assert set(calendars.refresh(NOW + 1)) == set(agendas)  # until whoever asked has them
    calendars.delivered(agendas)
    assert calendars.refresh(NOW + 2) == {}
    assert calendars.due() == NOW + MINUTE_MS
    assert calendars.problems() == []
