"""Where a calendar may be fetched, who may see its address, and what becomes of a copy."""

import base64
import logging
import socket
import stat
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from config.schema import Settings
from gateway.base import reach
from gateway.calendars.feeds import MINUTE_MS, CalendarFeed, Calendars
from gateway.calendars.ical import read
from gateway.calendars.thread import CalendarThread
from gateway.calendars.wanted import CalendarAddress
from gateway.calendars.web import WebSource, host_of, is_web

KEEP_MS = 7 * 86_400_000


NOW = 1_795_262_400_000  # 2026-11-21 12:00 UTC
ZONE = "Asia/Shanghai"
SECRET = "/private-0a1b2c/basic.ics"
GOOD = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:t\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
    b"SUMMARY:a\r\nDTSTART:20261121T190000\r\nDTEND:20261121T210000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
PAGE = b"<!doctype html><title>Please sign in</title> token-4711"


@pytest.fixture(autouse=True)
def _read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the process of its own, half a second each; test_ical.py holds the two against each other."""
    monkeypatch.setattr(CalendarFeed.__init__, "__defaults__", (read,))


class Site:
    """Answers by path: (status, headers, body); what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {SECRET: (200, {}, GOOD)}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.port = 0

    def url(self, host: str = "127.0.0.1", login: str = "", path: str = SECRET) -> str:
        return f"http://{login}{host}:{self.port}{path}"


@pytest.fixture
def site() -> Iterator[Site]:
    said = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.asked.append((self.path, dict(self.headers)))
            status, headers, body = said.answers.get(self.path, (404, {}, b""))
            if "ETag" in headers and self.headers["If-None-Match"] == headers["ETag"]:
                status, body = 304, b""
            self.send_response(status, "token-4711")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    said.port = server.server_port
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield said
    server.shutdown()
    server.server_close()


@pytest.fixture
def public_name(monkeypatch: pytest.MonkeyPatch) -> str:
    """A name on the public web, whose site is the one of this test."""
    real_places, real_dial = socket.getaddrinfo, reach.dial

    def places(host: str, port: int, *rest: Any, **more: Any) -> Any:
        if host == "calendar.example.org":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]
        return real_places(host, port, *rest, **more)

    def dial(where: list[tuple[str, int]], timeout_s: float) -> socket.socket:
        return real_dial([("127.0.0.1" if a == "93.184.216.34" else a, port) for a, port in where], timeout_s)

    monkeypatch.setattr(socket, "getaddrinfo", places)
    monkeypatch.setattr(reach, "dial", dial)
    return "calendar.example.org"


def feed(url: str, cache: Path) -> CalendarFeed:
    return CalendarFeed(f"yanshan/hall: {host_of(url)}", WebSource(url, cache), ZONE, read)


@pytest.mark.parametrize("inward", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"])
def test_a_redirect_from_the_public_web_never_leads_inward(
    site: Site, public_name: str, tmp_path: Path, inward: str
) -> None:
    site.answers["/in"] = 200, {}, GOOD
    site.answers[SECRET] = 302, {"Location": site.url(inward, path="/in")}, b""
    asking = feed(site.url(public_name), tmp_path)
    assert not asking.refresh(NOW)
    assert "a redirect leads into a private network" in str(asking.problem)
    assert [path for path, _ in site.asked] == [SECRET]


def test_a_redirect_within_the_public_web_or_from_a_private_address_is_followed(
    site: Site, public_name: str, tmp_path: Path
) -> None:
    site.answers["/there"] = 200, {}, GOOD
    for host in (public_name, "127.0.0.1"):
        site.answers[SECRET] = 302, {"Location": site.url(host, path="/there")}, b""
        assert feed(site.url(host), tmp_path / host).refresh(NOW)


@pytest.mark.parametrize("to", ["ftp://127.0.0.1/x", "file:///etc/hostname", "http://[::1", "gopher://x/"])
def test_a_redirect_to_something_else_is_a_problem_that_quotes_nothing(site: Site, tmp_path: Path, to: str) -> None:
    site.answers[SECRET] = 302, {"Location": to}, b""
    asking = feed(site.url(), tmp_path)
    assert not asking.refresh(NOW)
    assert asking.problem is not None
    assert to not in asking.problem


def test_user_and_password_of_the_address_are_shown_to_its_site_alone(
    site: Site, public_name: str, tmp_path: Path
) -> None:
    login = "lounge:ge%20heim@"
    site.answers["/more"] = 200, {}, GOOD
    site.answers[SECRET] = 302, {"Location": "/more"}, b""
    assert feed(site.url(public_name, login), tmp_path).refresh(NOW)
    expected = "Basic " + base64.b64encode(b"lounge:ge heim").decode()
    assert [asked.get("Authorization") for _, asked in site.asked] == [expected, expected]
    site.asked.clear()
    site.answers[SECRET] = 302, {"Location": site.url("localhost", path="/more")}, b""
    feed(site.url("127.0.0.1", login), tmp_path).refresh(NOW)
    assert [asked.get("Authorization") for _, asked in site.asked] == [expected, None]


@pytest.mark.parametrize(
    "answer", [(503, {}, b"token-4711"), (401, {}, b""), (200, {}, PAGE), (200, {}, b"token-4711"), (302, {}, b"")]
)
def test_neither_the_address_nor_the_answer_stands_in_the_log_or_on_disk(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: tuple[int, dict[str, str], bytes]
) -> None:
    url = site.url(login="lounge:geheim@")
    area = {"id": "hall", "calendar": [url]}
    settings = Settings.model_validate({"store": {"path": tmp_path}, "stations": [{"id": "yanshan", "areas": [area]}]})
    thread = CalendarThread(settings, settings.stations, lambda _: None)
    with caplog.at_level(logging.DEBUG):
        for at, said in enumerate([(200, {}, GOOD), answer]):
            site.answers[SECRET] = said
            thread._calendars.refresh(NOW + at * 15 * MINUTE_MS)
            thread._tell()
    assert "calendar yanshan/hall: 127.0.0.1: " in caplog.text
    (copy,) = (tmp_path / "calendars").iterdir()
    for secret in (b"geheim", b"private-0a1b2c", b"token-4711"):
        assert secret not in caplog.text.encode()
        assert secret not in copy.read_bytes()


def test_copies_are_for_their_owner_alone_also_in_a_folder_that_was_open(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "calendars"
    folder.mkdir(mode=0o755)
    feed(site.url(), folder).refresh(NOW)
    (copy,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize("later", [(200, {"ETag": '"9"'}, PAGE), (200, {}, b""), (200, {}, GOOD[:90]), (503, {}, b"")])
def test_what_is_no_calendar_never_takes_the_place_of_one_over_restarts_too(
    site: Site, tmp_path: Path, later: tuple[int, dict[str, str], bytes]
) -> None:
    site.answers[SECRET] = 200, {"ETag": '"1"'}, GOOD
    first = feed(site.url(), tmp_path)
    first.refresh(NOW)
    site.answers[SECRET] = later
    assert not first.refresh(first.due)
    for _ in range(2):
        again = feed(site.url(), tmp_path)
        assert again.refresh(NOW + 60 * MINUTE_MS)
        assert [activity.title for activity in again.activities] == ["a"]
        assert again.problem is not None
        assert not again.refresh(again.due)
    site.answers[SECRET] = 200, {"ETag": '"1"'}, GOOD
    again.refresh(again.due)
    assert again.problem is None
    assert site.asked[-1][1]["If-None-Match"] == '"1"'
    site.answers[SECRET] = later
    again.refresh(NOW + 2 * KEEP_MS)
    assert again.activities == ()


def test_web_addresses_of_calendars_are_known_in_any_case_and_as_webcal(tmp_path: Path) -> None:
    assert all(map(is_web, ["webcal://h/a.ics", "HTTPS://h/a.ics", "Webcals://h/a.ics", "http://h/a.ics"]))
    assert not any(map(is_web, ["a.ics", "/srv/http/a.ics", "webcal.ics"]))
    assert (
        WebSource("webcal://u:p@h.example:8443/a.ics?x=1#f", tmp_path)._line.url == "https://h.example:8443/a.ics?x=1"
    )
    assert WebSource("HTTPS://h/a.ics", tmp_path)._line.url == "https://h/a.ics"


def test_an_address_that_names_no_calendar_is_refused_without_quoting_it() -> None:
    for address in ("ftp://u:geheim@h/a.ics", "https:///a.ics", "http://h:99999/a.ics"):
        with pytest.raises(ValueError, match="is no address of a calendar; write it like https://") as refused:
            Settings.model_validate({"stations": [{"id": "s", "areas": [{"id": "a", "calendar": address}]}]})
        assert "geheim" not in str(refused.value)


def test_a_calendar_shared_by_areas_is_named_after_the_first(site: Site, tmp_path: Path) -> None:
    site.answers.clear()
    shared = ZONE, (CalendarAddress(site.url()),)
    wanted = {("yanshan", "hall"): shared, ("heshan", "hall"): shared}
    calendars = Calendars(wanted, tmp_path)
    calendars.refresh(NOW)
    assert calendars.problems() == ["yanshan/hall: 127.0.0.1: HTTP 404"]
    assert calendars.left_out_of() == {
        "yanshan/hall calendar: 127.0.0.1: HTTP 404": 1, "heshan/hall calendar: 127.0.0.1: HTTP 404": 1,
    }  # fmt: skip


def test_what_is_left_out_is_told_once_for_each_version_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.ics"
    broken = GOOD.replace(b"END:VCALENDAR", b"BEGIN:VEVENT\r\nUID:2\r\nEND:VEVENT\r\nEND:VCALENDAR")
    path.write_bytes(broken)
    area = {"id": "hall", "calendar": [str(path)]}
    settings = Settings.model_validate({"store": {"path": tmp_path}, "stations": [{"id": "yanshan", "areas": [area]}]})
    thread = CalendarThread(settings, settings.stations, lambda _: None)
    for minute in range(3):
        thread._calendars.refresh(NOW + minute * MINUTE_MS)
        thread._tell()
    assert caplog.text.count("1 events are left out: 1 × has a time that can't be read") == 1
    assert thread.left_out() == 1
    assert thread.left_out_of() == {"yanshan/hall calendar: has a time that can't be read": 1}
    path.write_bytes(GOOD)
    thread._calendars.refresh(NOW + 4 * MINUTE_MS)
    assert thread.left_out() == 0
    assert thread.left_out_of() == {}
