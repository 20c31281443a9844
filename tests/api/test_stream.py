"""The event stream: what comes first, what comes again, and who is let in."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api import push
from api.push import Hub, StreamLimits, TooManyStreamsError
from tests.api.conftest import MINUTE, NOON, House, serving
from tests.api.documents import document, line, resource
from tests.patience import promptly, until


@dataclass
class Event:
    id: str | None
    event: str
    data: str


class Reader:
    """One stream, read event by event. Heartbeats come as time passes, so only who asks for them gets them."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()
        self.retry: int | None = None

    def next(self, *, beats: bool = False) -> Event:
        while (event := self._read()).event == "heartbeat" and not beats:
            pass
        return event

    def _read(self) -> Event:
        fields: dict[str, str] = {}
        for text in self._lines:
            if text:
                name, _, value = text.partition(": ")
                fields[name] = value
                if name == "retry":
                    self.retry = int(value)
            elif "event" in fields:
                return Event(fields.get("id"), fields["event"], fields["data"])
        raise EOFError


@contextmanager
def stream(house: House, query: str = "", **headers: str) -> Iterator[Reader]:
    with house.client.stream("GET", f"/api/v1/stream{query}", headers=headers) as answer:
        yield Reader(answer)


def wall(house: House, name: str) -> str:
    """The query of a screen that shows yanshan's page."""
    token = re.search(r'data-wall="([^"]+)"', house.get("/screen/yanshan").text)
    assert token
    return f"?station=yanshan&screen={name}&wall={token[1]}"


def change(house: House, use: str, station: str = "yanshan") -> None:
    body = document(
        station, [resource("seat-01", use=use, until=NOON + MINUTE)], [line("seat", 1, 0, 1)], NOON, n=time.time()
    )
    house.view.feed_threadsafe([body])


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    yield from serving(tmp_path, stream={"clients_total": 3, "reserved_for_screens": 1, "send_timeout_s": 1})


def test_a_station_comes_as_snapshot_and_then_at_each_change(house: House) -> None:
    with stream(house, "?station=yanshan") as reader:
        assert reader.answer.headers["content-type"].startswith("text/event-stream")
        assert reader.answer.headers["x-accel-buffering"] == "no"
        assert reader.answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in reader.answer.headers
        first = reader.next()
        assert (first.event, json.loads(first.data)["station"]) == ("snapshot", "yanshan")
        assert 1000 <= (reader.retry or 0) <= 4000
        change(house, "occupied")
        second = reader.next()
        assert (second.event, json.loads(second.data)["areas"][0]["resources"][0]["usable"]) == ("availability", "no")
        assert first.id != second.id


def test_other_stations_do_not_disturb(house: House) -> None:
    with stream(house, "?station=shaping") as reader:
        reader.next()
        change(house, "free")
        change(house, "free", "shaping")
        assert json.loads(reader.next().data)["station"] == "shaping"


def test_all_stations_come_when_none_is_named(house: House) -> None:
    with stream(house) as reader:
        events = [reader.next() for _ in range(3)]
    assert {event.event for event in events} == {"snapshot"}
    assert {json.loads(event.data)["station"] for event in events} == {"yanshan", "shaping", "nowhere"}


def test_after_a_break_only_what_changed_comes_again(house: House) -> None:
    with stream(house) as reader:
        last = [reader.next() for _ in range(3)][-1]
    change(house, "occupied")
    until(lambda: house.get("/metrics").text.find("clients 0.0") > 0)
    with stream(house, **{"last-event-id": last.id or ""}) as reader:
        missed = reader.next()
        assert (missed.event, json.loads(missed.data)["station"]) == ("snapshot", "yanshan")
    with stream(house, **{"last-event-id": missed.id or ""}) as reader:
        assert reader.next(beats=True).event == "heartbeat"


@pytest.mark.parametrize("foreign", ["", "7", "-1", "abc-99999", "x" * 200, "00000000-9"])
def test_a_foreign_last_event_id_gets_everything(house: House, foreign: str) -> None:
    with stream(house, **{"last-event-id": foreign}) as reader:
        assert [reader.next().event for _ in range(3)] == ["snapshot"] * 3


def test_a_heartbeat_carries_the_servers_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "HEARTBEAT_S", 0.2)
    for_next_house = serving(house.app.context.settings.store.path)
    quick = next(for_next_house)
    with closing(for_next_house), stream(quick, "?station=yanshan&screen=wall-1") as reader:
        reader.next()
        beat = reader.next(beats=True)
        assert beat.event == "heartbeat"
        assert json.loads(beat.data) == {"time": "2026-11-21T12:00:00Z"}
        assert beat.id is None
        assert reader.next(beats=True).event == "heartbeat"


def test_heartbeats_go_on_when_one_reader_can_not_be_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(push, "HEARTBEAT_S", 0.1)
    running = serving(tmp_path)
    house = next(running)
    with closing(running), stream(house, "?station=yanshan") as reader:
        reader.next()
        stuck = push.Client("yanshan", None, None, 0)
        stuck.sending_since = 0
        monkeypatch.setattr(stuck, "abort", lambda: 1 / 0)
        house.app.context.hub._clients.add(stuck)
        house.app.context.hub._by_station["yanshan"].add(stuck)
        until(lambda: "a turn of the streams' heartbeat: a fault of this program" in caplog.text)
        assert [reader.next(beats=True).event for _ in range(2)] == ["heartbeat", "heartbeat"]


def test_an_open_stream_is_no_check_in(house: House) -> None:
    with stream(house, "?station=yanshan&screen=wall-1") as reader:
        reader.next()
        assert house.screens == []
        house.get("/build?station=yanshan&screen=wall-1")
        assert house.screens == []
        house.get(f"/build{wall(house, 'wall-1')}")
        assert house.screens == [("wall-1", "yanshan")]


def test_a_value_ends_on_the_stream_too_when_the_feeder_is_dead(house: House) -> None:
    change(house, "free")
    with stream(house, "?station=yanshan") as reader:
        reader.next()
        seat = [resource("seat-01", until=NOON + 50)]
        house.view.feed_threadsafe([document("yanshan", seat, [line("seat", 1, 1, 1)], NOON)])
        assert json.loads(reader.next().data)["summary"][0]["usable_min"] == 1
        house.clock.now += 50
        assert json.loads(reader.next().data)["summary"][0]["usable_min"] == 0
    house.clock.now = NOON


def test_alerts_come_to_the_staff_whom_they_concern_and_to_nobody_else(house: House) -> None:
    keyring, loop = house.app.context.keyring, house.view._loop
    assert loop is not None
    everywhere, elsewhere = (
        {"authorization": f"Bearer {keyring.create('n', 'viewer', NOON, stations=scope)}"}
        for scope in ((), ("shaping",))
    )
    query = "?station=yanshan"
    with (
        stream(house, query) as public,
        stream(house, query, **everywhere) as staff,
        stream(house, query, **elsewhere) as others,
    ):
        for reader in (public, staff, others):
            reader.next()
        loop.call_soon_threadsafe(house.app.context.hub.alert, "yanshan", "a-1", b'{"id":"a-1"}')
        alert = staff.next()
        assert (alert.event, alert.data, alert.id) == ("alert", '{"id":"a-1"}', None)
        change(house, "occupied")
        assert {reader.next().event for reader in (public, staff, others)} == {"availability"}
        keyring.revoke(everywhere["authorization"].split("_")[1])
        loop.call_soon_threadsafe(house.app.context.hub.alert, "yanshan", "a-1", b'{"id":"a-1"}')
        change(house, "free")
        assert staff.next().event == "availability"


def test_when_all_slots_are_taken_a_screen_still_gets_in(own: House) -> None:
    with stream(own) as first, stream(own) as two:
        first.next(), two.next()
        refused = own.get("/api/v1/stream")
        for query in ("", f"&wall={own.app.context.walls.token('shaping', NOON)}", "&wall=1.2", "&wall=9999999999999."):
            assert own.get(f"/api/v1/stream?station=yanshan&screen=wall-1{query}").status_code == 503
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"]
        with stream(own, wall(own, "wall-1")) as screen:
            screen.next()
            assert own.get(f"/api/v1/stream{wall(own, 'wall-2')}").status_code == 503
            with stream(own, wall(own, "wall-1")) as again:  # the same screen takes its own place
                assert again.next().event == "snapshot"
    until(lambda: len(own.app.context.hub) == 0)
    with stream(own) as reader:
        reader.next()


def test_one_address_gets_so_many_streams_and_no_more() -> None:
    class View:
        listeners: list[object] = []  # noqa: RUF012
        on_removed: list[object] = []  # noqa: RUF012

        def get(self, _station: str) -> None: ...

        def now(self) -> int:
            return NOON

    async def run() -> None:
        hub = Hub(View(), StreamLimits(total=10, per_address=2, reserved=1, walls_per_address=1))  # type: ignore[arg-type]
        first = hub.join("s", "10.0.0.1", None, None)
        hub.join("s", "10.0.0.1", None, None)
        with pytest.raises(TooManyStreamsError) as refused:
            hub.join("s", "10.0.0.1", None, None)
        assert refused.value.status == 429
        hub.join("s", "10.0.0.2", None, None)
        client = hub.join("s", "10.0.0.1", "wall-1", None)
        gone: list[str] = []
        client.abort = lambda: gone.append("one")
        other = hub.join("s", "10.0.0.2", "wall-1", None)  # of the same name, and nobody's successor
        assert (len(hub), gone) == (5, [])
        hub.join("s", "10.0.0.1", "wall-1", None)
        assert (len(hub), gone) == (5, ["one"])
        with pytest.raises(TooManyStreamsError):
            hub.join("s", "10.0.0.1", "wall-2", None)  # one wall more than an address has is anybody
        hub.leave(other)
        hub.leave(first)
        hub.leave(first)
        hub.leave(next(iter(hub._clients)))

    import asyncio

    asyncio.run(run())


def test_a_slow_reader_gets_the_newest_and_never_a_queue() -> None:
    client = push.Client("s", None, None, 0)
    for number in range(100):
        client.offer("s", b"%d;" % number)
        client.offer("", b"beat;")
    assert client.take() == b"99;beat;"
    assert client.take() == b""


def test_a_stalled_reader_is_let_go_and_the_others_go_on(own: House) -> None:
    host, port = own.url.removeprefix("http://").split(":")
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.connect((host, int(port)))
    stalled.sendall(b"GET /api/v1/stream?station=yanshan HTTP/1.1\r\nHost: x\r\n\r\n")
    with stream(own, "?station=yanshan") as reader:
        reader.next()
        until(lambda: len(own.app.context.hub) == 2)
        big = [resource(f"seat-{at}", until=NOON + MINUTE) for at in range(200)]
        begin = time.monotonic()
        for number in range(400):
            own.view.feed_threadsafe([document("yanshan", big, [line("seat", 200, 200, 200)], NOON, n=number)])
            reader.next()
            if len(own.app.context.hub) == 1:
                break
            time.sleep(0.01)
        assert len(own.app.context.hub) == 1
        assert promptly(begin, 4)
    stalled.settimeout(60)
    while stalled.recv(65_536):  # to the end, which comes
        pass
    stalled.close()


def test_the_server_stops_at_once_with_streams_open(tmp_path: Path) -> None:
    running = serving(tmp_path)
    house = next(running)
    with closing(running), stream(house) as first, stream(house, "?station=yanshan") as two:
        first.next(), two.next()
        begin = time.monotonic()
        house.stop()
        assert promptly(begin, 2)
        with pytest.raises(EOFError):
            two.next()
