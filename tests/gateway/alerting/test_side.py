import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from config.schema import Settings
from gateway.alerting import Ourselves
from gateway.alerts.orders import accept, assign, claim_done
from gateway.alerts.payload import rfc3339
from gateway.alerts.words import UnknownAlertError
from gateway.model import Message
from gateway.notify import base as notify
from gateway.notify.post import Outlet
from gateway.policy.override import Override, OverrideTarget
from gateway.store.alerts_reader import AlertReader
from gateway.store.jobs import Done, Job, WriteJobs
from tests.gateway.alerting.house import STATION, T0, House
from tests.gateway.faults import calls
from tests.gateway.notify.stub import Answer, Provider

TRIED = 3


Make = Callable[..., House]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[House] = []

    def build(**more: Any) -> House:
        made.append(House(tmp_path, **more))
        return made[-1]

    yield build
    for house in made:
        house.close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider().running() as running:
        yield running


def hooked(provider: Provider, **more: Any) -> dict[str, Any]:
    hook = {"id": "hook", "kind": "webhook", "url": provider.url, "allow_private": True, "lang": "en"}
    return {"channels": [hook], "routes": [{"channels": ["hook"]}]} | more


def test_a_fault_goes_from_the_wire_to_the_provider_and_back(make: Make, provider: Provider) -> None:
    house = make(alerts=hooked(provider), api={"public_url": "https://yz.example.org/"})
    house.send("pile-01", status="Faulted", error="GroundFailure")
    house.wait(10)
    assert house.lines() == ["charger_fault pile-01 opened"]
    house.alerting.dispatch.post.run()
    [request] = provider.requests
    assert request.json["title"] == "🟠 雁山驿站 · Charger 1 · charger fault"
    assert "ground failure" in request.json["text"]
    assert request.json["link"].startswith("https://yz.example.org/a/")
    house.send("pile-01", status="Available")
    house.wait(30)
    house.alerting.dispatch.post.run()
    assert [request.json["action"] for request in provider.requests] == ["opened", "closed"]


def test_an_alert_is_retained_while_it_is_open(make: Make) -> None:
    house = make()
    house.send("pile-01", status="Faulted")
    house.wait(10)
    [(topic, payload)] = house.published.items()
    assert topic == f"yz-alert/yanshan/{house.said[0].alert.id}"
    assert json.loads(payload)["kind"] == "charger_fault"
    house.published.clear()
    house.alerting.publish_all()
    assert list(house.published) == [topic]
    house.send("pile-01", status="Available")
    house.wait(30)
    assert house.published[topic] == b""
    house.published.clear()
    house.restart()
    house.alerting.publish_all()
    assert house.published == {topic: b""}


def test_a_restart_tells_nothing_again(make: Make, provider: Provider) -> None:
    house = make(alerts=hooked(provider))
    house.send("pile-01", status="Faulted")
    house.wait(10)
    house.alerting.dispatch.post.run()
    house.restart()
    house.wait(60)
    house.alerting.dispatch.post.run()
    assert house.lines() == []
    assert len(provider.requests) == 1


def test_an_alarm_that_was_durable_before_the_crash_is_told_after_it(make: Make) -> None:
    house = make()
    house.send("door", "event", type="door_forced", follow=False)
    house.restart(clean=False)
    assert [alert.kind for alert in house.alerting.core.desk.open_alerts()] == ["door_forced"]
    first = house.alerting.core.desk.open_alerts()[0].id
    house.ask(lambda core, now: (core.desk.close(first, "li", now), [], []))
    house.restart(clean=False)
    assert house.alerting.core.desk.open_alerts() == []


def test_a_forced_door_that_staff_closed_is_told_when_it_happens_again_after_a_restart(make: Make) -> None:
    house = make()
    house.send("door", "event", type="door_forced")
    alert = house.said[0].alert.id
    house.ask(lambda core, now: (core.desk.close(alert, "li", now), [], []))
    house.restart()
    house.wait(5)
    house.send("door", "event", type="door_forced")
    assert house.lines() == ["door_forced door opened"]


def test_cards_and_keys_reach_no_alert_no_message_and_no_log(make: Make, provider: Provider, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    house = make(alerts=hooked(provider))
    house.send("door", "event", type="door_forced", card="deadbeefcafe")
    house.alerting.dispatch.post.run()
    kept = "".join(map(repr, house.said)) + caplog.text + repr(house.published) + repr(provider.requests)
    assert "deadbeef" not in kept


@pytest.mark.parametrize(
    ("device", "signals", "kind"),
    [
        ("seat-01", {"occupied": True, "battery_pct": 12}, "battery_low"),
        ("pile-01", {"status": "Available", "power_w": 900}, "power_without_session"),
        ("pile-01", {"status": "Charging", "power_w": 0}, "session_without_power"),
        ("aed", {"ready": True, "expires": "2026-12-01"}, "safety_expiring"),
        ("aed", {"ready": False}, "safety_not_ready"),
        ("aed", {"ready": True, "expires": "2026-11-01"}, "safety_not_ready"),
        ("aed", {"ready": True, "cabinet_open": True}, "safety_not_ready"),
        ("door", {"open": True, "locked": False}, "door_held"),
        ("seat-01", {"occupied": True, "ts": "2020-01-01T00:00:00Z"}, "clock_skew"),
    ],
)
def test_what_a_device_says_becomes_an_alert(make: Make, device: str, signals: dict[str, Any], kind: str) -> None:
    house = make()
    for _ in range(4):
        house.send(device, **signals)
        house.wait(35)
    assert kind in [event.alert.kind for event in house.said]


def test_a_right_clock_clears_the_alert_about_it(make: Make) -> None:
    house = make()
    house.send("seat-01", occupied=True, ts=T0 - 40 * 86_400_000)
    house.wait(50)
    house.send("seat-01", occupied=True, ts=T0 - 40 * 86_400_000)
    house.wait(25)
    house.send("seat-01", occupied=True, ts=house.now)
    house.wait(31)
    assert house.lines() == ["clock_skew seat-01 opened", "clock_skew seat-01 closed"]


def test_our_own_troubles_are_told_and_blame_no_device(make: Make) -> None:
    house = make()
    house.send("seat-01", occupied=True)
    house.ourselves = Ourselves(broker="connection refused", duplicate="another gateway")
    house.wait(300, step_s=5)
    house.ourselves = Ourselves()
    house.wait(50, step_s=5)
    assert sorted(house.lines()) == sorted(
        f"{kind} gateway {action}" for kind in ("broker_lost", "duplicate_gateway") for action in ("opened", "closed")
    )


def test_a_copy_that_is_away_for_minutes_is_nobodys_trouble_yet(make: Make) -> None:
    house = make()
    house.ourselves = Ourselves(copy="the copy can't be reached")
    house.wait(290, step_s=5)
    assert house.lines() == []
    house.wait(30, step_s=5)
    house.ourselves = Ourselves()
    house.wait(50, step_s=5)
    assert house.lines() == ["copy_failing gateway opened", "copy_failing gateway closed"]


def held_back(write: WriteJobs) -> tuple[list[Callable[[], None]], WriteJobs]:
    """The door of a writer that comes to nothing until each of the list is called."""
    held: list[Callable[[], None]] = []

    def later(jobs: Sequence[Job], done: Done | None = None, *, patient: bool = True) -> None:
        held.append(lambda: write(jobs, done, patient=patient))

    return held, later


def test_a_store_in_trouble_is_told_although_nothing_can_be_stored(make: Make, provider: Provider) -> None:
    house = make(alerts=hooked(provider))
    held, house.alerting.dispatch._write = held_back(house.alerting.dispatch._write)  # the writer waits for its disk
    house.ourselves = Ourselves(store="disk I/O error")
    house.wait(11)
    house.alerting.dispatch._record = lambda done: False  # type: ignore[method-assign]
    house.alerting.dispatch.post._record = lambda _: False
    house.alerting.dispatch.post.run()
    assert [request.json["alert"]["kind"] for request in provider.requests] == ["store_failing"]
    assert held


def test_many_unreadable_messages_of_a_station_are_an_alert(make: Make) -> None:
    house = make(alerts={"thresholds": {"quarantine_per_hour": 3}})
    for _ in range(3):
        house.send("seat-01", occupied="perhaps")
    house.wait(12)
    assert house.lines() == ["quarantine_rate yanshan opened"]
    house.wait(3700, step_s=10)
    assert house.lines()[1:] == ["quarantine_rate yanshan closed"]


def test_a_restart_forgets_no_trouble_that_only_passing_messages_tell(make: Make) -> None:
    house = make(alerts={"thresholds": {"quarantine_per_hour": 3}})
    for _ in range(8):
        house.send("pile-01", status=["perhaps"])  # never heard, so nothing of it is in doubt
        house.send("seat-01", occupied=True, ts=T0 - 40 * 86_400_000)
        house.wait(10)
    assert sorted(house.lines()) == ["clock_skew seat-01 opened", "quarantine_rate yanshan opened"]
    house.restart()
    for _ in range(5):
        house.send("seat-01", occupied=True, ts=house.now)
        house.wait(10)
    assert sorted(house.lines()) == ["clock_skew seat-01 closed", "quarantine_rate yanshan closed"]


def test_a_pile_under_repair_is_not_told(make: Make) -> None:
    house = make()
    until = house.now + 3_600_000
    assert house.pipeline.live.set_by_hand(
        OverrideTarget("yanshan", None, "pile-01"), Override("maintenance", until, "li"), house.now
    )
    house.send("pile-01", status="Faulted")
    house.wait(120)
    assert house.lines() == []


def test_an_entrance_whose_sensors_disagree_is_an_alert_until_they_agree(make: Make) -> None:
    house = make()
    for agree in (True, False, False, True):
        house.alerting.watch.entrance("yanshan", "main", agree)
        house.wait(60)
    assert house.lines() == ["counters_disagree main opened", "counters_disagree main closed"]


def test_a_screen_that_stops_checking_in_is_an_alert(make: Make) -> None:
    house = make(api={"screen_silent_s": 60})
    wall(house, "lobby")
    house.wait(69)
    assert house.lines() == []
    house.wait(2)
    house.alerting.watch.screen("lobby", "yanshan", house.now)
    house.wait(32)
    assert house.lines() == ["screen_absent lobby opened", "screen_absent lobby closed"]


def wall(house: House, name: str) -> None:
    """A screen that has checked in for long enough to be missed."""
    for _ in range(TRIED * house.settings.api.screen_silent_s // 20 + 1):
        house.wait(20)
        house.alerting.watch.screen(name, "yanshan", house.now)


def test_a_screen_that_is_still_missed_after_a_restart_is_forgotten_a_day_later(make: Make) -> None:
    house = make(api={"screen_silent_s": 40})
    wall(house, "lobby")
    house.wait(60)
    house.restart()
    house.wait(60)
    assert house.lines() == []
    assert [alert.subject for alert in house.alerting.core.desk.open_alerts()] == ["lobby"]
    house.wait(24 * 3600, step_s=600)
    house.wait(60)
    assert house.lines() == ["screen_absent lobby closed"]
    assert house.alerting.watch.next_look() is None


def test_staff_acknowledge_and_a_wrong_question_comes_back(make: Make) -> None:
    house = make()
    house.send("pile-01", status="Faulted")
    house.wait(10)
    alert = house.said[0].alert.id
    [event] = house.ask(lambda core, now: (core.desk.acknowledge(alert, "li", now), [], []))
    reader = AlertReader(house.folder)
    kept = reader.alert(alert)
    reader.close()
    assert kept == event.alert
    with pytest.raises(UnknownAlertError):
        house.ask(lambda core, now: (core.desk.close("nothing", "li", now), [], []))


def test_who_asks_and_goes_before_the_answer_leaves_no_harm(make: Make) -> None:
    house = make()
    house.send("door", "event", type="tamper")
    alert = house.said[0].alert.id
    gone = house.alerting.desk.ask(lambda core, now: (core.desk.close(alert, "li", now), [], []))
    assert gone.cancel()
    held, house.alerting.dispatch._write = held_back(house.alerting.dispatch._write)
    late = house.alerting.desk.ask(lambda core, now: (core.desk.acknowledge(alert, "li", now), [], []))
    house.alerting.tick(house.now, house.ourselves)
    assert not late.cancel()
    for work in held:
        work()
    assert late.result(timeout=0)[0].alert.state == "acknowledged"


def order_for(house: House) -> Any:
    alert = house.said[0].alert
    step = assign("o1", alert, "yanshan", alert.resource, "repair", "wang", "li", house.now)
    accepted = accept(step.order, "wang", house.now)
    done = claim_done(accepted.order, "wang", house.now + 1)
    house.ask(lambda core, now: ([], [step, accepted, done], []))
    return done.order


def state_of(house: House, order: Any) -> str:
    reader = AlertReader(house.folder)
    kept = reader.order(order.id)
    reader.close()
    assert kept is not None
    return kept.state


def test_done_with_the_fault_still_there_reopens_the_order(make: Make) -> None:
    house = make()
    house.send("pile-01", status="Faulted")
    house.wait(10)
    order = order_for(house)
    house.wait(2)
    assert state_of(house, order) == "accepted"


def test_done_and_the_sensor_agrees_closes_it(make: Make) -> None:
    house = make()
    house.send("pile-01", status="Faulted")
    house.wait(10)
    house.send("pile-01", status="Available")
    order = order_for(house)
    house.wait(5)
    assert state_of(house, order) == "done"
    house.restart()
    house.wait(62)
    assert state_of(house, order) == "closed"


def test_a_provider_that_was_down_gets_it_when_it_is_back(make: Make, provider: Provider) -> None:
    house = make(alerts=hooked(provider))
    provider.answers.extend([Answer(500), Answer(200)])
    house.send("door", "event", type="tamper")
    house.alerting.dispatch.post.run()
    house.restart()
    house.wait(10)
    house.alerting.dispatch.post.run()
    house.alerting.dispatch.post.run()
    assert len(provider.requests) == 2


def test_it_says_when_it_wants_to_be_called(make: Make) -> None:
    house = make()
    assert house.alerting.next_deadline() is None
    house.send("pile-01", status="Faulted")
    assert house.alerting.next_deadline() == house.now + 1_000, "its signals are looked at once a second"
    house.wait(2)
    assert house.alerting.next_deadline() == house.now + 8_000, "then its fault is old enough to be told"


def test_while_nothing_is_due_and_nobody_asks_it_does_nothing_for_a_second(make: Make) -> None:
    house = make()
    house.wait(3)

    def works(ourselves: Ourselves = house.ourselves) -> int:
        return calls(("gateway/alerting/follower.py",), lambda: house.alerting.tick(house.now, ourselves))

    assert works() == 0
    house.now += 999
    assert works() == 0
    house.now += 1
    assert works() > 0
    assert works(Ourselves(store="disk full")) > 0
    house.pipeline.live.mishaps.note("anything", ValueError("a fault of ours"))
    assert works(Ourselves(store="disk full")) > 0
    house.now -= 60_000
    assert works() > 0, "the clock was set back"


@pytest.mark.parametrize("name", ["+", "#", "x\x01", "[!!! Click](http:evil.example)", "elsewhere"])
def test_refused_messages_of_no_station_are_one_trouble_of_our_own(make: Make, name: str) -> None:
    house = make(alerts={"thresholds": {"quarantine_per_hour": 3}})
    for at in range(3):
        topic = f"yz/{name}{at if name == 'elsewhere' else ''}/x/state".encode()
        house.pipeline.handle(Message(topic, b"{}", house.now), house.now)
        house.commit()
    house.wait(12)
    assert house.lines() == ["quarantine_rate gateway opened"]
    assert house.said[0].alert.station is None
    house.restart()
    house.wait(3700, step_s=10)
    assert house.lines() == ["quarantine_rate gateway closed"]


HOOKS = {
    "channels": [
        {"id": name, "kind": "webhook", "url": f"http://127.0.0.1:9/{name}", "allow_private": True}
        for name in ("duty", "mail")
    ]
}


class Taker:
    def __init__(self) -> None:
        self.fail: Exception | None = None
        self.got: list[str] = []

    def send(self, message: notify.StaffMessage) -> None:
        if self.fail is not None:
            raise self.fail
        self.got.append(f"{message.alerts[0].kind} {message.action}")


def test_a_channel_that_lost_a_message_is_told_through_the_others_and_is_over_when_it_takes_one(make: Make) -> None:
    house = make(alerts=HOOKS)
    takers = {name: Taker() for name in ("duty", "mail")}
    for name, taker in takers.items():
        outlets: dict[str, Outlet] = house.alerting.dispatch.post._outlets  # type: ignore[assignment]
        outlets[name] = Outlet(name, taker)
    takers["duty"].fail = notify.SendError("errcode 93000: invalid webhook url", permanent=True)
    house.send("door", "event", type="tamper")
    for _ in range(20):
        house.wait(1)
        house.alerting.dispatch.post.run()
    assert house.lines() == ["tamper door opened", "channel_failing duty opened"]
    assert takers["mail"].got == ["tamper opened", "channel_failing opened"]
    assert "93000" in house.said[-1].alert.cause
    house.restart()
    house.wait(60)
    assert house.lines() == ["channel_failing duty closed"]


def test_an_alertmanager_is_told_again_each_minute_over_a_restart_until_it_knows_the_end(
    make: Make, provider: Provider
) -> None:
    channel = {"id": "am", "kind": "alertmanager", "url": provider.url, "allow_private": True, "timeout_s": 2}
    house = make(alerts={"channels": [channel]})
    house.send("door", "event", type="tamper")
    for minute in range(6):
        house.alerting.dispatch.post.run()
        house.wait(60, step_s=20)
        if minute == 3:
            house.restart()
    told = [request.json for request in provider.requests]
    assert len(told) == 1 + 6  # when it opened, and each minute
    assert len({json.dumps(entries[0]["labels"]) for entries in told}) == 1
    ends = [entries[0]["endsAt"] for entries in told]
    assert ends == sorted(ends)
    assert all(entries[0]["annotations"]["summary"].endswith("设备被拆动") for entries in told)
    [alert] = house.alerting.core.desk.open_alerts()
    house.alerting.desk.ask(lambda core, now: (core.desk.close(alert.id, "li", now), [], []))
    house.wait(1)
    for _ in range(5):
        house.alerting.dispatch.post.run()
        house.wait(60, step_s=20)
    [last] = [request.json for request in provider.requests[7:]]
    assert last[0]["labels"] == told[0][0]["labels"]
    assert last[0]["endsAt"] < rfc3339(house.now)


def test_the_missing_notice_of_the_coming_year_is_told_until_it_stands_in_the_configuration(make: Make) -> None:
    house = make(stations=[{**STATION, "hours": "Mo-Fr 08:00-20:00; PH off"}])
    house.wait(200, step_s=5)
    assert house.lines() == ["holidays_unknown gateway opened"]
    notice = {"year": 2027, "days_off": ["2027-01-01/2027-01-03"]}
    house.settings = Settings.model_validate(
        {**house.settings.model_dump(mode="json"), "calendar": {"notices": [notice]}}, context={"check_files": False}
    )
    house.restart()
    house.wait(900, step_s=5)
    assert house.lines() == ["holidays_unknown gateway closed"]


def test_a_device_that_floods_is_told_by_name_and_again_when_it_is_calm(make: Make) -> None:
    house = make()
    flood = house.alerting.watch.flood = house.pipeline.flood(50, 1_000)

    def pour(seconds: int, per_s: int) -> None:
        for _ in range(seconds):
            flood.let_in([(b"yz/yanshan/seat-01/state", b"{}", 0)] * per_s, house.now)
            house.wait(1)

    pour(15, 2_000)
    assert house.lines() == ["device_flooding seat-01 opened"]
    alert = house.said[0].alert
    assert (alert.cause, alert.detail["device"]) == ("flooding", "seat-01")
    assert alert.detail["per_s"] == pytest.approx(2_000, rel=0.1)
    pour(60, 1)
    assert house.lines()[-1] == "device_flooding seat-01 closed"


def test_a_flood_that_ended_while_we_were_down_is_over(make: Make) -> None:
    house = make()
    flood = house.alerting.watch.flood = house.pipeline.flood(50, 1_000)
    for _ in range(15):
        flood.let_in([(b"yz/yanshan/seat-01/state", b"{}", 0)] * 2_000, house.now)
        house.wait(1)
    house.restart()
    house.wait(60)
    assert house.lines() == ["device_flooding seat-01 closed"]


def test_a_locked_door_in_opening_hours_is_told_once_with_its_cause_and_closes_when_it_opens(make: Make) -> None:
    house = make()
    house.send("door", open=False, locked=True)
    house.wait(14 * 60)
    assert house.lines() == []
    house.wait(75)
    assert house.lines() == ["open_contradicted yanshan opened"]
    assert [(said.alert.cause, said.alert.severity, said.alert.resource) for said in house.said] == [
        ("doors_locked", "warning", None)
    ]
    house.wait(600)
    house.restart()
    house.wait(120)
    assert house.lines() == [], "it is told once, over a restart too"
    house.send("door", open=True, locked=False)
    house.wait(40)
    assert house.lines() == ["open_contradicted yanshan closed"]
