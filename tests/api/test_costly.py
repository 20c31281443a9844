"""Costly questions: what is refused before any work, how many are worked on, and what the others notice of it."""

import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api import price, workers
from api.addresses import is_loopback, network_of
from api.csv_tables import Spreadsheet
from api.directory import Directory
from api.quick_lists import QuickLists
from api.routes import past, stations
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.store.base import Reader
from gateway.store.reader import SqliteReader
from tests.api.conftest import NOON, House, serving
from tests.api.test_matrix import routes_of
from tests.patience import until

YEAR_BY_HOUR = f"/api/v1/utilization?by=hour&from={NOON - 365 * DAY_MS}"
WEEK_BY_HOUR = f"/api/v1/stations/yanshan/utilization?by=hour&from={NOON - 7 * DAY_MS}"


class SlowStore:
    """Every look into the journal waits until it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.looks = 0

    def history(self, *_asked: object, **_more: object) -> list[object]:
        self.looks += 1
        self.go_on.wait(180)
        return []


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowStore]:
    store = SlowStore()
    monkeypatch.setattr(SqliteReader, "history", store.history)
    yield store
    store.go_on.set()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    yield from serving(tmp_path)


def patient(of: workers.Workers) -> workers.WorkerBounds:
    """They give nothing up for its time, however busy this machine is; their bounds."""
    of.bounds = replace(of.bounds, wait_s=600, work_s=600)
    return of.bounds


def test_a_year_by_hour_is_refused_to_strangers_before_any_work(own: House, slow: SlowStore) -> None:
    for _ in range(45):
        answer = own.get(YEAR_BY_HOUR)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert "a week" in answer.json()["detail"]
    assert slow.looks == 0


QUERIES = {
    "/api/v1/stations/{station}/history": "?resource=seat-01",
    "/stations/{station}/report": "?month=2026-11",
}
PAST = {
    "/api/v1/promises",
    "/promises",
    "/compare",
    "/m/{station}/busy",
    "/api/v1/stations/{station}/history",
    "/api/v1/stations/{station}/lessons",
    "/api/v1/stations/{station}/sessions",
    "/api/v1/stations/{station}/utilization",
    "/api/v1/utilization",
    "/api/v1/visits",
    "/stations/{station}/report",
}


def test_every_route_that_reads_the_past_has_a_price(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may spend nothing opens no store, whatever the route; with the usual purse these are the ones that do."""
    opened: list[str] = []
    factory = own.app.context.reader_factory
    asked = ""

    def open_it() -> Reader:
        opened.append(asked)
        return factory()

    object.__setattr__(own.app.context, "reader_factory", open_it)
    token = own.app.context.keyring.create("n", "admin", NOON)
    askers: tuple[dict[str, str], ...] = ({}, {"authorization": f"Bearer {token}"})
    paths = [path for method, path in routes_of(own) if method == "GET" and "discover" not in path]
    opened_by: dict[int, set[str]] = {}
    for purse in (0, 6_000_000):
        opened.clear()
        monkeypatch.setattr(past, "STRANGERS_MOST", purse)
        monkeypatch.setattr(past, "STAFF_MOST", purse)
        for asked in paths:
            url = re.sub(r"\{.*?\}", "x", asked.replace("{station}", "yanshan")) + QUERIES.get(asked, "")
            for headers in askers:
                assert own.status_of("GET", url, headers=headers) != 500
        opened_by[purse] = set(opened)
    assert opened_by == {0: set(), 6_000_000: PAST}


def test_every_route_with_a_window_is_one_of_the_past(own: House) -> None:
    document = own.get("/openapi.json").json()
    windows = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if {"from", "to", "month"} & {parameter["name"] for parameter in operation.get("parameters", ())}
    }
    ahead = {"/api/v1/rooms"}  # asks what will be free, of no history
    whole_weeks = {"/api/v1/stations/{station}/lessons"}
    assert windows == {path for path in PAST - whole_weeks if path.startswith("/api/")} | ahead


def test_whoever_has_a_key_asks_for_longer(own: House) -> None:
    token = own.app.context.keyring.create("n", "viewer", NOON)
    answer = own.get(YEAR_BY_HOUR, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_a_week_by_hour_is_open_to_everybody(own: House) -> None:
    assert len(own.get(WEEK_BY_HOUR).json()["buckets"]) == 7 * 24


def test_pages_and_probes_answer_while_costly_questions_pile_up(own: House, slow: SlowStore) -> None:
    """45 askers at once: two are worked on, some wait, the rest is told to come again, and nobody else notices."""
    told: list[httpx.Response] = []
    bounds = patient(own.app.context.workers)
    with ThreadPoolExecutor(45) as askers, ExitStack() as leave:
        leave.callback(slow.go_on.set)
        for _ in range(45):
            askers.submit(lambda: told.append(own.get(WEEK_BY_HOUR, timeout=180)))
        until(lambda: len(told) >= 45 - bounds.at_once - bounds.queued)
        for path in ("/readyz", "/healthz", "/metrics", "/screen/yanshan", "/build", "/api/v1/stations"):
            assert own.get(path).status_code == 200
        assert slow.looks == bounds.at_once
    refused = [answer for answer in told if answer.status_code == 503]
    assert len(refused) >= 45 - bounds.at_once - bounds.queued
    for answer in refused:
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
    assert {answer.status_code for answer in told} == {200, 503}
    assert len(told) == 45


def test_the_list_of_a_large_network_holds_up_nobody_else(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """90 askers at once for the list of all stations: one is worked on, 64 wait, the rest is told to come again."""
    go_on, real = threading.Event(), Directory.find
    monkeypatch.setattr(stations, "FEW_STATIONS", 0)
    monkeypatch.setattr(QuickLists, "answer", lambda *_: None)
    monkeypatch.setattr(Directory, "find", lambda *asked: go_on.wait(180) and real(*asked))
    told: list[httpx.Response] = []
    bounds = patient(own.app.context.lists)
    with ThreadPoolExecutor(90) as askers, ExitStack() as leave:
        leave.callback(go_on.set)
        for _ in range(90):
            askers.submit(lambda: told.append(own.get("/api/v1/stations", timeout=180)))
        until(lambda: len(told) >= 90 - bounds.at_once - bounds.queued)
        for path in ("/readyz", "/healthz", "/screen/yanshan", "/api/v1/stations/yanshan", WEEK_BY_HOUR):
            assert own.get(path).status_code == 200
    assert {answer.status_code for answer in told} == {200, 503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in told if answer.status_code == 503)
    assert len({answer.content for answer in told if answer.status_code == 200}) == 1


def test_the_list_of_a_large_network_is_the_same_list(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [own.get(f"/api/v1/stations{query}") for query in ("", "?near=22.7,112.9", "?limit=1", "?cursor=nobody")]
    monkeypatch.setattr(stations, "FEW_STATIONS", 0)
    many = [own.get(f"/api/v1/stations{query}") for query in ("", "?near=22.7,112.9", "?limit=1", "?cursor=nobody")]
    assert [answer.status_code for answer in many] == [200, 200, 200, 422]
    assert [answer.content for answer in few] == [answer.content for answer in many]


def test_work_ends_when_the_asker_has_gone(own: House, slow: SlowStore) -> None:
    host, port = own.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as asker:
        asker.sendall(f"GET {WEEK_BY_HOUR} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: slow.looks == 1)
    until(lambda: not own.app.context.workers._turns)
    slow.go_on.set()
    looks = []
    for _ in range(2):
        assert own.get(WEEK_BY_HOUR).status_code == 200
        looks.append(slow.looks)
    of_one_question = looks[1] - looks[0]
    assert of_one_question > 1
    assert looks[0] == 1 + of_one_question, "what nobody awaited was to go no further than its first look"


def test_who_waits_too_long_for_a_turn_is_told_to_come_again(
    tmp_path: Path, slow: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.Workers.__init__, "__defaults__", (workers.WorkerBounds(at_once=1, wait_s=0.1),))
    running = serving(tmp_path)
    house = next(running)
    with ThreadPoolExecutor(1) as asker:
        first = asker.submit(lambda: house.get(WEEK_BY_HOUR))
        until(lambda: slow.looks == 1)
        second = house.get(WEEK_BY_HOUR, timeout=180)
        slow.go_on.set()
        assert first.result().status_code == 200
    assert second.status_code == 503
    running.close()


def test_what_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.Workers.__init__, "__defaults__", (workers.WorkerBounds(work_s=0),))
    running = serving(tmp_path)
    answer = next(running).get(WEEK_BY_HOUR)
    assert answer.status_code == 503
    assert "longer than" in answer.json()["detail"]
    running.close()


def test_what_lies_behind_may_be_kept_by_caches_and_what_goes_on_may_not(own: House) -> None:
    before = f"{WEEK_BY_HOUR}&to={NOON - 2 * HOUR_MS}"
    assert own.get(before).headers["cache-control"] == "public, max-age=60"
    assert own.get(before).headers["vary"] == "authorization, cookie"
    assert own.get(WEEK_BY_HOUR).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("places", "by", "days", "stranger"),
    [(1200, "day", 31, True), (20, "hour_of_week", 400, True), (50_000, "day", 1, False), (40, "hour", 400, False)],
)
def test_the_price_leaves_room_for_what_is_usual(places: int, by: str, days: int, stranger: bool) -> None:
    most = 500_000 if stranger else 6_000_000
    assert price.price(places, by, (NOON - days * DAY_MS, NOON)) <= most


@pytest.mark.parametrize(
    ("places", "by", "days"), [(1200, "hour_of_week", 400), (50_000, "day", 1), (1200, "day", 400)]
)
def test_the_price_keeps_strangers_from_what_costs_many_seconds(places: int, by: str, days: int) -> None:
    assert price.price(places, by, (NOON - days * DAY_MS, NOON)) > 500_000


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:0db8:0001:0002"),
        ("2001:db8:1:2:ffff::1", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("testclient", "testclient"),
    ],
)
def test_one_customer_is_an_ipv4_address_or_a_64(address: str, network: str) -> None:
    assert network_of(address) == network
    assert not is_loopback(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_nobodys_customer(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd", "-1", "\t=1"])
def test_no_text_of_a_table_is_worked_out_by_a_spreadsheet(own: House, text: str) -> None:
    told = Spreadsheet(own.app.context.settings).written([{"name": text}])
    assert told.decode("utf-8-sig").splitlines()[1].lstrip('"').startswith("'")
