"""Apps subscribe with a key and are told by webhook: what, when, how often, and until when."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.live_view import Entry
from api.webhooks import deliveries
from api.webhooks.deliveries import Deliveries
from api.webhooks.messages import GIVE_UP_MS, PAUSES_MS
from gateway.alerts.words import AlertEvent
from gateway.base.mishaps import Mishaps
from gateway.store.subscriptions import NAME, SubscriptionFile
from tests.api.conftest import MINUTE, NOON, House, serving
from tests.api.documents import document, line, resource
from tests.api.webhooks.receiver import AppServer, app_server
from tests.gateway.notify.samples import ALERT
from tests.patience import until


@pytest.fixture
def app() -> Iterator[AppServer]:
    with app_server() as server:
        yield server


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    for path in (*folder.glob(f"{NAME}*"), folder / "keys.json"):
        path.unlink(missing_ok=True)
    yield from serving(folder, subscriptions_allow_private=True)


def key_of(house: House, **more: Any) -> dict[str, str]:
    token = house.app.context.keyring.create("app", more.pop("role", "app"), NOON, **more)
    return {"authorization": f"Bearer {token}"}


def subscribe(house: House, app: AppServer, who: dict[str, str], path: str = "/hook", **more: Any) -> httpx.Response:
    body = {"url": app.url + path, "events": ["availability"], "stations": ["yanshan"]} | more
    return house.client.post("/api/v1/subscriptions", json=body, headers=who)


def show(house: House, use: str = "free", at: int = NOON, kind: str = "seat") -> None:
    shown = resource("thing", kind, use=use, until=at + 60 * MINUTE)
    house.view.feed_threadsafe([document("yanshan", [shown], [line(kind, 1, int(use == "free"), 1)], at)])


def listed(house: House, who: dict[str, str]) -> list[dict[str, Any]]:
    subscriptions = house.client.get("/api/v1/subscriptions", headers=who).json()["subscriptions"]
    assert isinstance(subscriptions, list)
    return subscriptions


def test_an_app_is_told_the_present_and_each_change_signed(house: House, app: AppServer) -> None:
    show(house)
    answer = subscribe(house, app, key_of(house))
    assert (answer.status_code, answer.json()["secret"][:6]) == (201, "whsec_")
    until(lambda: len(app.hits) == 1, "the present state")
    show(house, "occupied")
    until(lambda: len(app.hits) == 2, "the change")
    first, second = app.hits
    assert first.json["type"] == "availability"
    assert first.json["data"]["areas"][0]["resources"][0]["use"] == "free"
    assert second.json["data"]["areas"][0]["resources"][0]["use"] == "occupied"
    assert first.signed_by(answer.json()["secret"])
    assert second.headers["webhook-timestamp"] == str(NOON // 1000)
    assert first.headers["webhook-id"] != second.headers["webhook-id"]


def test_what_only_renews_its_times_is_no_news(house: House, app: AppServer) -> None:
    show(house)
    subscribe(house, app, key_of(house))
    until(lambda: app.hits, "the present state")
    show(house, at=NOON + MINUTE)
    show(house, "occupied", at=NOON + MINUTE)
    until(lambda: len(app.hits) == 2, "the change")
    assert app.hits[1].json["data"]["areas"][0]["resources"][0]["use"] == "occupied"


def test_other_kinds_are_no_news(house: House, app: AppServer) -> None:
    show(house)
    who = key_of(house)
    subscribe(house, app, who, kinds=["charger"])
    until(lambda: app.hits, "whether the station is open")
    show(house, "occupied")
    subscribe(house, app, who, "/all")
    until(lambda: app.at("/all"), "the other subscriber is told")
    assert len(app.at("/hook")) == 1


def test_a_receiver_that_fails_is_tried_again_with_the_same_id_and_later_with_the_present(
    house: House, app: AppServer
) -> None:
    app.answers["/hook"] = [500, 500]
    show(house)
    who = key_of(house)
    subscribe(house, app, who)
    until(lambda: len(app.hits) == 1, "the first try")
    until(lambda: listed(house, who)[0]["failing_since"], "it is known to fail")
    house.clock.now = NOON + PAUSES_MS[0]
    until(lambda: len(app.hits) == 2, "the second try")
    assert app.hits[0].headers["webhook-id"] == app.hits[1].headers["webhook-id"]
    show(house, "occupied")
    house.clock.now += PAUSES_MS[1]
    until(lambda: len(app.hits) == 3, "the third try")
    assert app.hits[2].json["data"]["areas"][0]["resources"][0]["use"] == "occupied"
    assert app.hits[2].headers["webhook-id"] != app.hits[1].headers["webhook-id"]
    until(lambda: listed(house, who)[0]["failing_since"] is None, "all is well again")


def test_what_a_receiver_asks_for_is_waited(house: House, app: AppServer) -> None:
    app.answers["/hook"], app.headers = [429], {"retry-after": "600"}
    show(house)
    who = key_of(house)
    subscribe(house, app, who)
    until(lambda: listed(house, who)[0]["failing_since"], "it is known to fail")
    app.headers = {}
    subscribe(house, app, who, "/other")
    until(lambda: app.at("/other"), "the other is told what is so now")
    house.clock.now = NOON + 599_000
    show(house, "occupied", at=house.clock.now)
    until(lambda: app.at("/other")[1:], "others are told")
    assert len(app.at("/hook")) == 1
    house.clock.now = NOON + 600_000
    until(lambda: len(app.at("/hook")) == 2, "it is told when it said")


def test_receivers_that_do_not_answer_hold_up_nobody_else(
    house: House, app: AppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hangs = {f"/slow{n}": threading.Event() for n in range(12)}  # more than there are threads
    show(house)
    who, other = key_of(house), app.url.replace("127.0.0.1", "localhost")
    for path in app.hangs:
        subscribe(house, app, who, path)
    until(lambda: any(hit.path in app.hangs for hit in app.hits), "one waits for its answer")
    subscribe(house, app, who, url=f"{other}/quick")
    for number, use in enumerate(("occupied", "free", "occupied"), 2):
        until(lambda number=number: len(app.at("/quick")) >= number - 1, "what another host is told")
        show(house, use)
    until(lambda: app.at("/quick")[-1].json["data"]["areas"][0]["resources"][0]["use"] == "occupied", "the last state")
    for event in app.hangs.values():
        event.set()
    until(lambda: all(app.at(path) for path in app.hangs), "the slow ones are told, too")
    assert {app.at(path)[0].json["data"]["station"] for path in app.hangs} == {"yanshan"}


def test_an_answer_that_takes_too_long_is_none(house: House, app: AppServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "TIMEOUT_S", 0.2)
    app.hangs["/hook"] = threading.Event()
    show(house)
    who = key_of(house)
    subscribe(house, app, who)
    until(lambda: listed(house, who)[0]["failing_since"], "it is known to fail")
    monkeypatch.setattr(deliveries, "TIMEOUT_S", 20)
    app.hangs.pop("/hook").set()
    house.clock.now += PAUSES_MS[0]
    until(lambda: listed(house, who)[0]["failing_since"] is None, "it is told again")
    assert len({hit.headers["webhook-id"] for hit in app.at("/hook")}) == 1, "as the same message"


def test_a_receiver_that_is_gone_is_given_up_at_once(house: House, app: AppServer) -> None:
    app.answers["/hook"] = [410]
    show(house)
    who = key_of(house)
    given = subscribe(house, app, who).json()
    until(lambda: listed(house, who)[0]["disabled_at"], "it is given up")
    assert "410" in listed(house, who)[0]["error"]
    house.client.post(f"/api/v1/subscriptions/{given['id']}/rotate", headers=who)
    until(lambda: len(app.hits) == 2, "a new secret tries it again")


def test_a_receiver_that_takes_nothing_for_three_days_is_given_up(house: House, app: AppServer) -> None:
    app.answers["/hook"] = [503] * 100
    show(house)
    who = key_of(house)
    subscribe(house, app, who)
    until(lambda: listed(house, who)[0]["failing_since"], "it is known to fail")
    house.clock.now = NOON + GIVE_UP_MS
    until(lambda: listed(house, who)[0]["disabled_at"], "it is given up")
    assert "503" in listed(house, who)[0]["error"]


def test_a_subscription_that_took_nothing_for_a_week_says_so(house: House, app: AppServer) -> None:
    show(house)
    who = key_of(house)
    subscribe(house, app, who)
    until(lambda: listed(house, who)[0]["delivered_at"], "the present state is taken")
    assert listed(house, who)[0]["unused_since"] is None
    house.clock.now += 7 * 24 * 60 * MINUTE
    assert listed(house, who)[0]["unused_since"] == listed(house, who)[0]["delivered_at"]


def test_a_rotated_secret_and_the_former_one_sign_for_a_day(house: House, app: AppServer) -> None:
    show(house)
    who = key_of(house)
    former = subscribe(house, app, who).json()
    until(lambda: len(app.hits) == 1, "the present state")
    newer = house.client.post(f"/api/v1/subscriptions/{former['id']}/rotate", headers=who).json()["secret"]
    show(house, "occupied")
    until(lambda: len(app.hits) == 2, "the change")
    assert app.hits[1].signed_by(newer)
    assert app.hits[1].signed_by(former["secret"])
    house.clock.now = NOON + 25 * 60 * MINUTE
    show(house, "reserved", at=house.clock.now)
    until(lambda: len(app.hits) >= 3, "a change of tomorrow")
    assert app.hits[-1].signed_by(newer)
    assert not app.hits[-1].signed_by(former["secret"])


def test_an_app_hears_of_alerts_only_where_its_key_may(house: House, app: AppServer) -> None:
    assert subscribe(house, app, key_of(house), events=["alert"]).status_code == 403
    assert subscribe(house, app, key_of(house, alerts=True), events=["alert"]).status_code == 201
    owners = [getattr(listener, "__self__", None) for listener in house.view.listeners]
    (deliveries,) = [owner for owner in owners if isinstance(owner, Deliveries)]
    until(lambda: deliveries._backlogs.of, "the subscription is known")
    alert = replace(ALERT, station="yanshan")
    deliveries.happened(AlertEvent(alert, NOON + 1, "opened"))
    deliveries.happened(AlertEvent(alert, NOON + 2, "closed"))
    until(lambda: len(app.hits) == 2, "both events, in order")
    assert [hit.json["data"]["action"] for hit in app.hits] == ["opened", "closed"]
    assert "history" not in app.hits[0].json["data"]


def test_a_key_reaches_only_its_stations_and_its_own_subscriptions(house: House, app: AppServer) -> None:
    narrow = key_of(house, stations=["shaping"])
    assert subscribe(house, app, narrow).status_code == 403
    given = subscribe(house, app, key_of(house)).json()
    assert listed(house, narrow) == []
    assert house.client.delete(f"/api/v1/subscriptions/{given['id']}", headers=narrow).status_code == 404
    assert len(listed(house, key_of(house, role="admin"))) == 1
    everything = subscribe(house, app, narrow, "/narrow", stations=[])
    assert everything.status_code == 201
    show(house)
    until(lambda: app.at("/hook"), "the other app is told")
    assert {hit.json["data"]["station"] for hit in app.at("/narrow")} <= {"shaping"}


def test_what_nobody_can_deliver_is_refused(house: House, app: AppServer) -> None:
    who = key_of(house)
    for bad in ({"url": "ftp://x"}, {"url": "http://[::1"}, {"stations": ["none"]}, {"kinds": ["ufo"]}, {"events": []},
                {"events": ["weather"]}, {"url": "https://häuser.example/"}):  # fmt: skip
        assert subscribe(house, app, who, **bad).status_code == 422, bad
    assert house.client.post("/api/v1/subscriptions", json={}, headers=who).status_code == 422
    assert house.client.post("/api/v1/subscriptions", json={}).status_code == 401


def test_private_addresses_are_refused_unless_allowed(folder: Path, app: AppServer) -> None:
    for house in serving(folder):
        answer = subscribe(house, app, key_of(house))
        assert (answer.status_code, "api.subscriptions_allow_private" in answer.text) == (422, True)


def test_a_revoked_key_hears_nothing_more(house: House, app: AppServer) -> None:
    show(house)
    who = key_of(house)
    subscribe(house, app, who)
    until(lambda: app.hits, "the present state")
    house.app.context.keyring.revoke(who["authorization"].split("_")[1])
    subscribe(house, app, key_of(house), "/other")
    show(house, "occupied")
    until(lambda: app.at("/other"), "another app is told")
    assert len(app.at("/hook")) == 1


def test_after_a_restart_only_what_differs_is_told(folder: Path, house: House, app: AppServer) -> None:
    show(house)
    subscribe(house, app, key_of(house))
    until(lambda: app.hits, "the present state")
    house.stop()
    file = SubscriptionFile(folder)
    until(lambda: file.told(file.all()[0].id), "what was told is on disk")
    file.close()
    for again in serving(folder, subscriptions_allow_private=True):
        subscribe(again, app, key_of(again), "/early")  # what nobody spoke of since the start is no news
        show(again)
        subscribe(again, app, key_of(again), "/new")
        until(lambda: app.at("/new"), "the new subscriber is told")
        assert len(app.at("/hook")) == 1
        show(again, "occupied")
        until(lambda: len(app.at("/hook")) == 2, "the change")


def test_an_app_is_no_staff(house: House) -> None:
    who = key_of(house)
    for path in ("/api/v1/alerts", "/api/v1/orders", "/api/v1/session", "/api/v1/promises"):
        assert house.get(path, headers=who).status_code == 403, path
    token = who["authorization"].split(" ")[1]
    assert house.client.post("/login", data={"key": token}).status_code == 401


def test_changes_of_several_stations_are_taken_in_as_they_came(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    context = house.app.context
    told = Deliveries(lambda: context.settings, context.keyring, lambda: NOON, Mishaps(), lambda _: (), told=True)
    taken = list[str]()
    monkeypatch.setattr(told._backlogs, "changed", lambda entry: taken.append(entry.station))
    for station in ("shaping", "yanshan", "dock"):
        told.heard(Entry(document(station, [resource("thing", "seat", use="free")], [line("seat", 1, 1, 1)], NOON), 1))
    told.step()
    assert taken == ["shaping", "yanshan", "dock"]
