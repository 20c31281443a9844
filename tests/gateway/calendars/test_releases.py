"""A booking that was given up is told to its calendar once: over refusals, lost answers, other writers and restarts."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.schema import Settings
from gateway.calendars.caldav import Caldav, CaldavSource
from gateway.calendars.feeds import DAY_MS, MINUTE_MS, CalendarFeed
from gateway.calendars.ical import read
from gateway.calendars.releases import FILE, KEPT_MS, LATEST_MS, PAUSES_MS, Releases
from gateway.calendars.thread import CalendarThread
from gateway.calendars.wanted import CalendarAddress, wanted_of
from gateway.policy.activities import Activity
from tests.gateway.calendars.caldav_server import CaldavServer, caldav_server
from tests.gateway.calendars.test_release import HOUR, NOW, START, ZONE, activity, calendar, event


@pytest.fixture
def server() -> Iterator[CaldavServer]:
    with caldav_server() as server:
        server.put("one.ics", calendar(event("zone", "20261124", "SEQUENCE:1")))
        server.put("two.ics", calendar(event("zone", "20261124", uid="u2")))
        yield server


def address(server: CaldavServer) -> CalendarAddress:
    return CalendarAddress(server.url, give_up="cancel")


def look(releases: Releases, server: CaldavServer, *given: Activity, now: int = NOW) -> None:
    to = address(server)
    releases.look([(to, ZONE, booking) for booking in given], [(to, ZONE)], now)


def test_it_is_told_once_and_over_restarts(server: CaldavServer, tmp_path: Path) -> None:
    look(Releases(tmp_path), server, activity())
    ((name, etag, data),) = server.puts
    assert (name, etag) == ("one.ics", '"one.ics-1"')
    assert b"STATUS:CANCELLED" in data
    assert server.objects["two.ics"] == calendar(event("zone", "20261124", uid="u2"))
    server.put("one.ics", data.replace(b"STATUS:CANCELLED", b"STATUS:CONFIRMED"))  # they come after all
    for _ in range(3):
        look(Releases(tmp_path), server, activity(), now=NOW + MINUTE_MS)
    assert len(server.puts) == 1
    assert oct((tmp_path / FILE).stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize("status", [403, 500, 503, 0])
def test_a_refusal_is_told_and_tried_again(server: CaldavServer, tmp_path: Path, status: int) -> None:
    server.refuses = [status]
    releases = Releases(tmp_path)
    look(releases, server, activity())
    (problem,) = releases.problems()
    assert "127.0.0.1: a booking that nobody came to can't be told" in problem
    assert ("may this user write there?" in problem) == (status == 403)
    after = Releases(tmp_path)  # a restart; the booking is over by now
    look(after, server, now=NOW + PAUSES_MS[0] - 1)
    assert after.problems() == [problem]
    look(after, server, now=NOW + PAUSES_MS[0])
    assert after.problems() == []
    assert len(server.puts) == 1, "a lost answer is no reason to write again"
    assert b"STATUS:CANCELLED" in server.objects["one.ics"]


def test_what_somebody_else_changes_meanwhile_stays(server: CaldavServer, tmp_path: Path) -> None:
    server.refuses = [412, 412]
    look(Releases(tmp_path), server, activity())
    ((_, etag, data),) = server.puts
    assert etag == '"one.ics-3"'
    assert b"SUMMARY:moved moved" in data


def test_one_that_is_changed_all_the_time_is_tried_again_later(server: CaldavServer, tmp_path: Path) -> None:
    server.refuses, releases = [412] * 3, Releases(tmp_path)
    look(releases, server, activity())
    assert (server.puts, len(releases.problems())) == ([], 1)
    look(releases, server, now=NOW + PAUSES_MS[0])
    assert (len(server.puts), releases.problems()) == (1, [])


def test_a_server_that_does_not_answer_is_asked_ever_less_often_and_given_up(
    server: CaldavServer, tmp_path: Path
) -> None:
    server.reports, releases, now = [500] * 1000, Releases(tmp_path), NOW
    for pause in (*PAUSES_MS, PAUSES_MS[-1]):
        look(releases, server, activity(), now=now)
        asked = len(server.reports)
        look(releases, server, activity(), now=now + pause - 1)
        assert len(server.reports) == asked
        now += pause
    look(releases, server, now=START + 2 * HOUR + LATEST_MS + 1)
    assert releases.problems() == []
    server.reports = []
    look(releases, server, activity(), now=START + 2 * HOUR + LATEST_MS + 2)
    assert server.puts == []


def test_an_event_that_is_gone_is_no_problem(server: CaldavServer, tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    look(releases, server, activity(uid="gone"))
    assert (server.puts, releases.problems()) == ([], [])


def test_what_is_told_is_forgotten_after_two_weeks(server: CaldavServer, tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    look(releases, server, activity())
    assert "u1" in (tmp_path / FILE).read_text()
    look(releases, server, activity(START + KEPT_MS + DAY_MS, "u2"), now=START + KEPT_MS + DAY_MS)
    assert "u1" not in (tmp_path / FILE).read_text()


def test_a_collection_is_read_as_one_calendar(server: CaldavServer, tmp_path: Path) -> None:
    feed = CalendarFeed("yanshan/hall: 127.0.0.1", CaldavSource(address(server), tmp_path), ZONE, read)
    assert feed.refresh(NOW)
    assert [booking.uid for booking in feed.activities] == ["u1", "u2"]
    server.objects.clear()
    server.zips = True
    assert feed.refresh(NOW + 15 * MINUTE_MS)
    assert feed.activities == ()
    server.reports = [403]
    feed.refresh(NOW + 30 * MINUTE_MS)
    assert feed.problem is not None
    assert "403" in feed.problem


@pytest.mark.parametrize(
    "body",
    [
        b"<html>log in</html>",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY a "b">]><d:multistatus xmlns:d="DAV:">&a;</d:multistatus>',
    ],
)
def test_an_answer_that_is_none_is_said_to_be_none(
    server: CaldavServer, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CaldavServer, "multistatus", lambda *_: body)
    with pytest.raises(OSError, match="the answer is no"):
        Caldav(address(server)).of_uid("u1")


def test_nothing_is_written_to_another_site(server: CaldavServer, monkeypatch: pytest.MonkeyPatch) -> None:
    body = server.multistatus(b"").replace(b"<d:href>/cal/", b"<d:href>http://elsewhere.example/cal/")
    monkeypatch.setattr(CaldavServer, "multistatus", lambda *_: body)
    assert Caldav(address(server)).of_uid("u1") == []


def test_the_thread_tells_what_the_live_state_gives_up(server: CaldavServer, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame\n")
    hall = {"url": server.url, "username": "yizhan", "password_file": tmp_path / "password", "give_up": "comment"}
    stations = [{"id": "yanshan", "areas": [{"id": "hall", "calendar": [hall]}, {"id": "yard"}]}]
    settings = Settings.model_validate({"stations": stations, "store": {"path": tmp_path}})
    given_up: set[Activity] = set()
    delivered: list[object] = []
    thread = CalendarThread(
        settings, settings.stations, delivered.append,
        given_up=lambda place: frozenset(given_up if place == ("yanshan", "hall") else ()),
    )  # fmt: skip
    thread._calendars.configure(
        {area: (ZONE, sources) for area, (_, sources) in wanted_of(settings, settings.stations).items()}
    )
    assert thread.step(NOW) <= 5
    assert (len(delivered), server.puts) == (1, [])
    given_up.add(next(booking for booking in thread.activities_of("yanshan")["hall"] if booking.uid == "u1"))
    thread.step(NOW)
    thread.step(NOW + 1)
    ((_, _, data),) = server.puts
    assert b"COMMENT:" in data
    assert b"CANCELLED" not in data
    assert server.logins == {"Basic " + base64.b64encode(b"yizhan:open sesame").decode()}
