"""Alerts, orders and reports over HTTP, on a real alert side whose intake thread is a small loop of ours."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api import problem
from api.app import App
from api.auth import Keyring
from api.context import ApiContext
from api.front import Front
from api.late_routes import routes_of
from api.live_view import LiveView
from api.pile_line import PileLines
from api.push import Hub, StreamLimits
from api.routes import alerts, colleagues, link, orders, reports
from api.running import Fixed
from api.server import bind
from api.server import serve as serve_app
from gateway.alerting import Alerting
from gateway.alerts.facts import Fact
from gateway.base.mishaps import Mishaps
from gateway.commands import CommandError
from gateway.notify.links import token
from gateway.runtime.status import Status
from gateway.store.reader import SqliteReader
from tests.gateway.alerting.house import House

ROUTERS = (
    alerts.router, orders.router, reports.router, link.router, lambda context, _alerting: colleagues.router(context)
)  # fmt: skip


@dataclass
class Served:
    house: House
    client: httpx.Client
    keyring: Keyring
    app: FastAPI
    lock: threading.Lock

    def key(self, role: Any, *, stations: tuple[str, ...] = ()) -> dict[str, str]:
        made = self.keyring.create(f"{role}-key", role, self.house.now, stations=stations)
        return {"Authorization": f"Bearer {made}"}

    def fault(self) -> str:
        with self.lock:
            self.house.send("pile-01", status="Faulted", error="E07")
            self.house.wait(10)
            return self.house.said[-1].alert.id


@contextmanager
def serve(
    house: House, alerting: Alerting | None, lock: threading.Lock, command: Callable[[str, bytes], None] | None = None
) -> Iterator[Served]:
    view = LiveView(house.settings.stations, lambda: house.now)
    keyring = Keyring(house.folder / "keys.json")
    status = Status(connected=True, subscribed=True, store_ok=True, troubles=(), started_at=house.now)
    context = ApiContext(
        Fixed(house.settings), view, Hub(view, StreamLimits()), lambda: SqliteReader(house.folder),
        lambda: status, lambda: house.now, keyring, CollectorRegistry(), command,
        pile_lines=PileLines(house.settings, Mishaps()),
    )  # fmt: skip
    app = FastAPI()
    problem.install(app, Mishaps())
    app.routes.extend(routes_of(router(context, alerting) for router in ROUTERS))
    stop, sock = threading.Event(), bind("127.0.0.1", 0)
    thread = threading.Thread(
        target=serve_app,
        args=(App(Front(app, view, Mishaps()), context), sock, stop),
        kwargs={"trusted_proxies": "127.0.0.1"},
    )
    thread.start()
    try:
        with httpx.Client(verify=False, base_url=f"http://127.0.0.1:{sock.getsockname()[1]}", timeout=60) as client:
            yield Served(house, client, keyring, app, lock)
    finally:
        stop.set()
        thread.join()
        sock.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    house, lock, stop = House(tmp_path), threading.Lock(), threading.Event()

    def intake() -> None:
        while not stop.is_set():
            house.woken.wait(0.05)
            house.woken.clear()
            with lock:
                house.alerting.tick(house.now, house.ourselves)

    thread = threading.Thread(target=intake, name="intake")
    thread.start()
    try:
        with serve(house, house.alerting, lock) as running:
            yield running
    finally:
        stop.set()
        thread.join()
        house.close()


def test_staff_see_acknowledge_comment_and_close_an_alert(served: Served) -> None:
    fault, key = served.fault(), served.key("operator")
    [alert] = served.client.get("/api/v1/alerts?state=open", headers=key).json()["alerts"]
    assert (alert["id"], alert["kind"], alert["resource"], alert["cause"]) == (fault, "charger_fault", "pile-01", "E07")
    base = f"/api/v1/alerts/{fault}"
    assert served.client.post(f"{base}/acknowledge", headers=key).json()["state"] == "acknowledged"
    assert served.client.post(f"{base}/comment", headers=key, json={"text": "on my way"}).status_code == 200
    closed = served.client.post(f"{base}/close", headers=key, json={"text": "new cable"}).json()
    assert closed["state"] == "closed"
    assert [line["action"] for line in closed["history"]].count("commented") == 2
    assert served.client.post(f"{base}/close", headers=key).status_code == 409
    trail = served.client.get("/api/v1/audit", headers=served.key("admin")).json()["audit"]
    assert [line["what"] for line in trail] == ["close", "comment", "acknowledge"]


def test_an_alert_shows_how_telling_it_went(served: Served) -> None:
    fault = served.fault()
    assert served.client.get(f"/api/v1/alerts/{fault}", headers=served.key("viewer")).json()["deliveries"] == []
    assert served.client.get("/api/v1/deliveries", headers=served.key("viewer")).json() == {"deliveries": []}
    assert served.client.post("/api/v1/deliveries/x/retry", headers=served.key("operator")).status_code == 404


def test_a_key_for_another_station_sees_nothing_here(served: Served) -> None:
    fault, key = served.fault(), served.key("operator", stations=("elsewhere",))
    assert served.client.get("/api/v1/alerts", headers=key).json() == {"alerts": []}
    assert served.client.get("/api/v1/alerts?station=yanshan", headers=key).status_code == 404
    assert served.client.post(f"/api/v1/alerts/{fault}/close", headers=key).status_code == 404
    assert served.client.post("/api/v1/orders", headers=key, json={"alert": fault}).status_code == 404


def test_no_text_of_staff_keeps_a_number_of_a_person_or_what_nobody_sees(served: Served) -> None:
    fault, key = served.fault(), served.key("operator")
    base = f"/api/v1/alerts/{fault}"
    texts = ("ID 110101-19900307-4477\u202e\r\nnow", "１３８ 1234 5678", "110101900307447", "order 202611291234567890")
    for text in texts:
        served.house.now += 1
        assert served.client.post(f"{base}/comment", headers=key, json={"text": text}).status_code == 200
    history = served.client.get(base, headers=key).json()["history"]
    kept = [line["text"] for line in history if line["action"] == "commented"]
    assert kept == ["ID … now", "…", "…", "order 202611291234567890"]
    new = {"station": "yanshan", "title": "call +86 138-1234-5678", "assignee": "wang 13812345678"}
    order = served.client.post("/api/v1/orders", headers=key, json=new).json()
    assert (order["title"], order["assignee"]) == ("call …", "wang …")


@pytest.mark.parametrize("text", ["call 138.1234.5670", "138,1234,5671!", "ID 110101900307447", "a@b.example"])
def test_a_visitors_report_keeps_no_number_however_it_is_written(text: str) -> None:
    assert not re.search(r"\d\d|@", reports.without_people(text))


@pytest.mark.parametrize("station", ["[!!! Click](http:evil.example)", "#", "a/+/b", "x\r\ny", "\u202egnp"])
def test_an_alert_with_a_strangers_name_can_be_taken_care_of_by_who_reaches_everywhere(
    served: Served, station: str
) -> None:
    with served.lock:
        fact = Fact("reported", served.house.now, True, station, station, None, "broken", {})
        events = served.house.alerting.core.on_facts([fact], served.house.now)
        served.house.alerting.dispatch.keep(events)
    fault, topics = events[0].alert.id, []
    key, other = served.key("admin"), served.key("admin", stations=("yanshan",))

    def command(topic: str, payload: bytes) -> None:
        topics.append(topic)
        served.house.alerting.desk.command(topic.split("/")[1], payload)

    base = f"/api/v1/alerts/{fault}"
    assert served.client.post(f"{base}/close", headers=other).status_code == 404
    assert served.client.post(f"{base}/comment", headers=key, json={"text": "who is that?"}).status_code == 200
    with serve(served.house, None, served.lock, command) as alone:
        assert alone.client.post(f"{base}/acknowledge", headers=key).json()["state"] == "acknowledged"
        order = alone.client.post("/api/v1/orders", headers=key, json={"alert": fault})
        assert order.status_code == 201
        assert alone.client.post(f"/api/v1/orders/{order.json()['id']}/accept", headers=key).status_code == 200
    assert order.json()["station"] == station
    assert served.client.post("/api/v1/orders", headers=key, json={"station": station}).status_code == 404
    assert served.client.post(f"{base}/close", headers=key).json()["state"] == "closed"
    assert set(topics) == {"yz-cmd/_system/staff"}


def test_the_trail_shows_a_key_with_a_scope_what_was_done_there_and_no_more(served: Served) -> None:
    fault, key = served.fault(), served.key("operator")
    served.client.post(f"/api/v1/alerts/{fault}/acknowledge", headers=key)
    order = served.client.post("/api/v1/orders", headers=key, json={"alert": fault}).json()["id"]
    served.client.post(f"/api/v1/orders/{order}/accept", headers=key)
    served.keyring.book.note(served.house.now, "Li", "logged_in", "0123456789ab", "192.0.2.1")

    def trail(**scope: tuple[str, ...]) -> list[str]:
        answer = served.client.get("/api/v1/audit", headers=served.key("admin", **scope))
        return sorted(line["what"] for line in answer.json()["audit"])

    assert trail() == ["accept", "acknowledge", "assign", "logged_in"]
    assert trail(stations=("yanshan",)) == ["accept", "acknowledge", "assign"]
    assert trail(stations=("elsewhere",)) == []


def test_an_order_is_given_accepted_and_reopened_while_the_fault_is_still_seen(served: Served) -> None:
    fault, key = served.fault(), served.key("operator")
    order = served.client.post("/api/v1/orders", headers=key, json={"alert": fault, "assignee": "wang"}).json()
    assert (order["state"], order["assignee"], order["station"]) == ("assigned", "wang", "yanshan")
    base = f"/api/v1/orders/{order['id']}"
    assert served.client.post(f"{base}/accept", headers=key).json()["state"] == "accepted"
    assert served.client.post(f"{base}/accept", headers=key).status_code == 409
    assert served.client.post(f"{base}/done", headers=key).status_code == 200
    with served.lock:
        served.house.wait(2)
    [shown] = served.client.get("/api/v1/orders", headers=key).json()["orders"]
    assert (shown["state"], shown["reopened"]) == ("accepted", 1)
    with served.lock:
        served.house.send("pile-01", status="Available")
    served.client.post(f"{base}/done", headers=key)
    with served.lock:
        served.house.wait(35)
    assert served.client.get("/api/v1/orders?state=closed", headers=key).json()["orders"][0]["id"] == order["id"]


def test_an_order_by_hand_is_verified_by_hand(served: Served) -> None:
    key = served.key("operator")
    assert served.client.post("/api/v1/orders", headers=key, json={}).status_code == 422
    new = {"station": "yanshan", "title": "sweep the yard"}
    order = served.client.post("/api/v1/orders", headers=key, json=new).json()
    base = f"/api/v1/orders/{order['id']}"
    assert served.client.post(f"{base}/verify", headers=key).status_code == 409
    served.client.post(f"{base}/done", headers=key)
    assert served.client.post(f"{base}/verify", headers=key).json()["state"] == "closed"


def test_a_visitors_report_enters_as_an_alert_without_personal_data(served: Served) -> None:
    body = {
        "resource": "pile-01",
        "kind": "broken",
        "text": "call me 138 0013 8000, li@example.com, 11010519491231002X",
    }
    assert served.client.post("/api/v1/stations/yanshan/reports", json=body).status_code == 202
    served.house.now += 1
    assert served.client.post("/api/v1/stations/yanshan/reports", json=body | {"text": "again"}).status_code == 202
    [alert] = served.client.get("/api/v1/alerts", headers=served.key("viewer")).json()["alerts"]
    assert (alert["kind"], alert["resource"], alert["severity"]) == ("reported", "pile-01", "info")
    words = [line["text"] for line in alert["history"] if line["action"] == "commented"]
    assert words == ["call me …, …, …", "again"]
    assert "call" not in str(served.house.published)


@pytest.mark.parametrize(
    ("station", "body", "status"),
    [("nowhere", {}, 404), ("yanshan", {"resource": "ghost"}, 404), ("yanshan", {"text": "x" * 301}, 422)],
)
def test_a_report_about_nothing_is_refused(served: Served, station: str, body: dict[str, Any], status: int) -> None:
    assert served.client.post(f"/api/v1/stations/{station}/reports", json=body).status_code == status


def test_one_address_reports_so_often_and_no_more(served: Served) -> None:
    codes = [served.client.post("/api/v1/stations/yanshan/reports", json={}).status_code for _ in range(7)]
    assert codes == [202] * 6 + [429]
    served.house.now += 3_600_001
    assert served.client.post("/api/v1/stations/yanshan/reports", json={}).status_code == 202


def test_the_link_in_a_message_acknowledges_once_by_a_button(served: Served) -> None:
    fault = served.fault()
    made = token(served.house.alerting.dispatch.link_key, fault, "d1", served.house.now + 60_000)
    for _ in range(2):  # a chat program's preview spends nothing
        assert "<button" in served.client.get(f"/a/{made}").text
    assert served.client.post(f"/a/{made}").status_code == 200
    [alert] = served.client.get("/api/v1/alerts?state=acknowledged", headers=served.key("viewer")).json()["alerts"]
    assert alert["id"] == fault
    assert served.client.post(f"/a/{made}").status_code == 410
    assert served.client.get(f"/a/{made}").status_code == 410
    assert served.client.get(f"/a/{made[:-2]}").status_code == 410
    served.house.now += 60_000
    assert served.client.get(f"/a/{made}").status_code == 410


def test_from_another_process_what_staff_do_travels_as_a_command(served: Served) -> None:
    fault, sent = served.fault(), []

    def command(topic: str, payload: bytes) -> None:
        sent.append((topic, payload))
        served.house.alerting.desk.command(topic.split("/")[1], payload)

    key = served.key("operator")
    with serve(served.house, None, served.lock, command) as alone:
        answer = alone.client.post(f"/api/v1/alerts/{fault}/acknowledge", headers=key)
        assert answer.json()["state"] == "acknowledged"
        order = alone.client.post("/api/v1/orders", headers=key, json={"alert": fault}).json()
        assert order["assignee"] == "operator-key"
        assert alone.client.post("/api/v1/stations/yanshan/reports", json={"text": "dark"}).status_code == 202
    assert {topic for topic, _ in sent} == {"yz-cmd/yanshan/staff"}
    for station, payload in (("yanshan", b"\xff"), ("yanshan", b"{}"), ("other", sent[0][1])):
        with pytest.raises(CommandError):
            served.house.alerting.desk.command(station, payload)
    [alert] = served.client.get("/api/v1/alerts?state=acknowledged", headers=key).json()["alerts"]
    assert [line["action"] for line in alert["history"]] == ["opened", "acknowledged"]


def test_a_process_without_a_way_to_the_gateway_shows_and_says_where_to_act(served: Served) -> None:
    fault = served.fault()
    key = served.key("operator")
    with serve(served.house, None, served.lock) as alone:
        assert len(alone.client.get("/api/v1/alerts", headers=key).json()["alerts"]) == 1
        answer = alone.client.post(f"/api/v1/alerts/{fault}/acknowledge", headers=key)
    assert answer.status_code == 503
    assert "gateway" in answer.json()["detail"]


def test_without_a_store_it_says_so(tmp_path: Path, served: Served) -> None:
    served.house.settings.store.path.joinpath("yizhan.db").rename(tmp_path / "away")
    answer = served.client.get("/api/v1/alerts", headers=served.key("viewer"))
    tmp_path.joinpath("away").rename(served.house.settings.store.path / "yizhan.db")
    assert answer.status_code == 503


RANKS = {None: 0, "viewer": 1, "operator": 2, "admin": 3}


@pytest.mark.parametrize("role", RANKS)
def test_every_route_keeps_its_role(served: Served, role: Any) -> None:
    """The matrix is read off the OpenAPI document, so a new route can't be forgotten."""
    headers = served.key(role) if role else {}
    checked = 0
    for path, methods in served.app.openapi()["paths"].items():
        for method, operation in methods.items():
            needed = operation.get("x-role")
            url = (
                path.replace("{alert}", "x")
                .replace("{order}", "x")
                .replace("{delivery}", "x")
                .replace("{station}", "x")
            )
            status = served.client.request(method, url, headers=headers, json={"text": "x"}).status_code
            allowed = RANKS[role] >= RANKS[needed]
            assert (status not in (401, 403)) == allowed, (method, path, role, status)
            checked += 1
    assert checked >= 13
