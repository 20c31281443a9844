"""Steps of staff that are taken back, what is muted, who can be given work, and the page behind a message's link."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.alerts.shelf import MUTED_MOST_MS
from gateway.base.times import rfc3339
from gateway.notify.links import token
from tests.api.test_staff_routes import Served
from tests.api.test_staff_routes import served as served

QUARTER_MS = 15 * 60_000
Headers = Mapping[str, str]


def post(served: Served, path: str, key: Headers, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = served.client.post(f"/api/v1{path}", headers=dict(key), json=body)
    return answer.status_code, answer.json()


def forced(served: Served) -> str:
    with served.lock:
        served.house.send("door", "event", type="door_forced")
        return served.house.said[-1].alert.id


def state(served: Served, alert: str, key: Headers) -> str:
    return str(served.client.get(f"/api/v1/alerts/{alert}", headers=dict(key)).json()["state"])


def test_an_acknowledgement_is_taken_back_once(served: Served) -> None:
    fault, key = served.fault(), served.key("operator")
    post(served, f"/alerts/{fault}/acknowledge", key)
    code, alert = post(served, f"/alerts/{fault}/undo", key)
    assert (code, alert["state"]) == (200, "open")
    assert [line["action"] for line in alert["history"]] == ["opened", "acknowledged", "released"]
    assert post(served, f"/alerts/{fault}/undo", key)[0] == 409
    trail = served.client.get("/api/v1/audit", headers=served.key("admin")).json()["audit"]
    assert [line["what"] for line in trail] == ["undo", "acknowledge"]


def test_a_closing_by_hand_is_taken_back_and_told(served: Served) -> None:
    alert, key = forced(served), served.key("operator")
    post(served, f"/alerts/{alert}/acknowledge", key)
    assert post(served, f"/alerts/{alert}/close", key, text="the postman")[1]["state"] == "closed"
    assert post(served, f"/alerts/{alert}/undo", key)[1]["state"] == "acknowledged"
    with served.lock:
        assert served.house.said[-1].action == "reopened"
        served.house.now += 1
    assert post(served, f"/alerts/{alert}/close", key)[1]["state"] == "closed", "it can be closed as before"


def test_what_lies_a_quarter_of_an_hour_back_stays(served: Served) -> None:
    alert, key = forced(served), served.key("operator")
    post(served, f"/alerts/{alert}/close", key)
    with served.lock:
        served.house.now += QUARTER_MS + 1
    code, problem = post(served, f"/alerts/{alert}/undo", key)
    assert code == 409
    assert "quarter of an hour" in problem["detail"]
    assert state(served, alert, key) == "closed"


def test_what_the_sensor_closed_nobody_takes_back(served: Served) -> None:
    fault, key = served.fault(), served.key("operator")
    with served.lock:
        served.house.send("pile-01", status="Available")
        served.house.wait(31)
    assert state(served, fault, key) == "closed"
    assert post(served, f"/alerts/{fault}/undo", key)[0] == 409


def test_of_what_is_muted_nothing_more_is_told_until_its_end(served: Served) -> None:
    house, key = served.house, served.key("operator")
    fault = served.fault()
    until = rfc3339(house.now + 3_600_000)
    assert post(served, f"/alerts/{fault}/mute", key, until=until)[1]["state"] == "acknowledged"
    shelf = house.alerting.dispatch._shelf
    with served.lock:
        house.send("pile-01", status="Available")
        house.wait(31)
        house.send("pile-01", status="Faulted", error="E07")
        house.wait(10)
        again = house.said[-1].alert
        assert (again.kind, again.state, shelf.holds(again)) == ("charger_fault", "open", True)
        house.restart()
        assert house.alerting.dispatch._shelf.holds(again), "a restart forgets no mute"
        house.now += 3_600_001
        house.send("pile-01", status="Available")
        house.wait(31)
        house.send("pile-01", status="Faulted", error="E07")
        house.wait(10)
        assert not house.alerting.dispatch._shelf.holds(house.said[-1].alert)


@pytest.mark.parametrize(("ahead_ms", "status"), [(0, 422), (MUTED_MOST_MS, 200), (MUTED_MOST_MS + 1000, 422)])
def test_a_mute_ends_within_a_week(served: Served, ahead_ms: int, status: int) -> None:
    fault = served.fault()
    code, _ = post(served, f"/alerts/{fault}/mute", served.key("operator"), until=rfc3339(served.house.now + ahead_ms))
    assert code == status


def test_a_call_for_help_is_never_muted(served: Served) -> None:
    with served.lock:
        served.house.send("door", "event", type="help")
        call = served.house.said[-1].alert.id
    code, _ = post(served, f"/alerts/{call}/mute", served.key("operator"), until=rfc3339(served.house.now + 60_000))
    assert code == 409


def test_an_order_goes_back_step_by_step_until_it_is_withdrawn(served: Served) -> None:
    alert, key = forced(served), served.key("operator")
    order = post(served, "/orders", key, alert=alert, assignee="Wang")[1]["id"]
    for step in ("accept", "done"):
        post(served, f"/orders/{order}/{step}", key)
    states = [post(served, f"/orders/{order}/undo", key)[1]["state"] for _ in range(3)]
    assert states == ["accepted", "assigned", "closed"]
    assert post(served, f"/orders/{order}/undo", key)[0] == 409


def test_whoever_verifies_what_only_a_person_can_see_closes_its_alert_and_may_take_that_back(served: Served) -> None:
    alert, key = forced(served), served.key("operator")
    order = post(served, "/orders", key, alert=alert)[1]["id"]
    post(served, f"/orders/{order}/accept", key)
    post(served, f"/orders/{order}/done", key)
    assert post(served, f"/orders/{order}/verify", key)[1]["state"] == "closed"
    assert state(served, alert, key) == "closed"
    assert post(served, f"/orders/{order}/undo", key)[1]["state"] == "done"
    assert state(served, alert, key) == "open"


def test_what_a_sensor_can_see_nobody_verifies_by_hand(served: Served) -> None:
    fault, key = served.fault(), served.key("operator")
    order = post(served, "/orders", key, alert=fault)[1]["id"]
    assert post(served, f"/orders/{order}/verify", key)[0] == 409


def test_colleagues_are_told_by_name_and_by_the_stations_that_one_shares(served: Served) -> None:
    served.key("operator", stations=("yanshan",))
    served.keyring.create("Zhou", "viewer", served.house.now, stations=("elsewhere",))
    served.keyring.create("Old", "operator", served.house.now, expires_at=served.house.now)
    [row] = served.client.get("/api/v1/staff", headers=served.key("operator", stations=("yanshan",))).json()["staff"]
    assert row == {"name": "operator-key", "role": "operator", "everywhere": False, "stations": ["yanshan"]}


def test_the_page_of_a_link_says_which_alert_and_does_nothing_when_it_is_opened(served: Served) -> None:
    fault, key = served.fault(), served.key("viewer")
    made = token(served.house.alerting.dispatch.link_key, fault, "d1", served.house.now + 60_000)
    for method in ("GET", "HEAD"):
        served.client.request(method, f"/a/{made}", headers={"user-agent": "preview"})
    page = served.client.get(f"/a/{made}")
    assert state(served, fault, key) == "open"
    for word in ("雁山驿站", "1 号充电桩", "充电桩故障", "故障代码 E07", "由我处理", "Charger 1"):
        assert word in page.text
    assert "style=" not in page.text
    assert "acknowledge.css" in page.text
    said = served.client.post(f"/a/{made}", data={"name": "王工<b>"})
    assert f"/?alert={fault}" in said.text
    alert = served.client.get(f"/api/v1/alerts/{fault}", headers=key).json()
    assert (alert["state"], alert["history"][-1]["by"]) == ("acknowledged", "王工<b> (link)")


def test_a_link_followed_by_who_is_logged_in_acknowledges_by_name(served: Served) -> None:
    fault, key = served.fault(), served.key("operator")
    made = token(served.house.alerting.dispatch.link_key, fault, "d1", served.house.now + 60_000)
    assert 'name="name"' not in served.client.get(f"/a/{made}", headers=key).text
    served.client.post(f"/a/{made}", headers=key)
    alert = served.client.get(f"/api/v1/alerts/{fault}", headers=key).json()
    assert alert["history"][-1]["by"] == "operator-key"
