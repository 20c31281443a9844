"""A word of danger has a lane of its own: caps, storms and channels that hang hold it up for nobody."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.alerting.deeds import Deed, DeedError
from gateway.alerting.lanes import NO_CAP
from gateway.alerts.kinds import KINDS, is_danger
from gateway.alerts.words import SEVERITIES, Alert, AlertEvent, Delivery
from gateway.store.alerts_reader import AlertReader
from gateway.store.jobs import KeepAlerts
from tests.gateway.alerting.house import STATION, T0, House
from tests.gateway.alerting.test_side import Make, hooked
from tests.gateway.notify.stub import Answer, Provider
from tests.patience import until

SMOKE = {"id": "smoke", "kind": "hazard", "type": "smoke"}
WITH_SMOKE = {**STATION, "areas": [{"id": "yard", "resources": [*STATION["areas"][0]["resources"], SMOKE]}]}  # type: ignore[index]
SHUT = {**WITH_SMOKE, "hours": "Mo 03:00-03:01"}


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


@pytest.mark.parametrize("station", [WITH_SMOKE, SHUT], ids=["open", "closed"])
def test_a_warning_goes_beyond_the_cap_of_a_channel_and_in_no_digest(
    make: Make, provider: Provider, station: dict[str, Any]
) -> None:
    alerts = hooked(provider)
    alerts["channels"][0]["cap_per_hour"] = 1
    alerts["routes"][0]["hours"] = "Mo 03:00-03:01"
    alerts["routes"].append({"channels": ["hook"], "kinds": ["reported"]})
    house = make(alerts=alerts, stations=[station])
    for number in range(5):
        house.alerting.desk.do(report(number))
    house.alerting.tick(house.now, house.ourselves)
    house.alerting.dispatch.post.run()
    before = len(provider.requests)
    house.send("smoke", alarm=True)
    house.alerting.dispatch.post.run()
    assert len(provider.requests) == before
    house.alerting.dispatch.lanes.posts["hook"].run()
    assert provider.requests[-1].json["title"] == "🔴 雁山驿站 · Detector · smoke alarm"
    house.alerting.dispatch.lanes.posts["hook"].run()
    assert len(provider.requests) == before + 1


def report(number: int) -> Deed:
    return Deed(
        do="report", by="visitor", nonce=f"n{number}", expires=T0 + 60_000, station="yanshan",
        resource=["seat-01", "pile-01", "door", "aed", None][number], sort="broken",
    )  # fmt: skip


def test_a_word_of_danger_to_a_channel_that_is_gone_ends_as_a_dead_letter(make: Make, provider: Provider) -> None:
    """It waited for a lane that nobody runs."""
    alerts = hooked(provider)
    alerts["channels"].append(alerts["channels"][0] | {"id": "gone"})
    alerts["routes"] = [{"channels": ["gone"]}]
    house = make(alerts=alerts, stations=[WITH_SMOKE])
    house.send("smoke", alarm=True)
    house.close()
    again = make(alerts=hooked(provider), stations=[WITH_SMOKE])
    again.alerting.dispatch.post.run()
    reader = AlertReader(again.folder)
    [lost] = reader.dead_letters()
    reader.close()
    assert (lost.channel, lost.error) == ("gone", "no channel 'gone' is configured any more")
    assert again.alerting.dispatch.post.failing(again.now)["gone"] == (lost.error, True)


def test_a_channel_that_hangs_holds_up_no_other_and_the_storm_none(make: Make, provider: Provider) -> None:
    alerts = hooked(provider)
    alerts["channels"].insert(0, alerts["channels"][0] | {"id": "hung"})
    alerts["routes"] = [{"channels": ["hung", "hook"]}]
    house = make(alerts=alerts, stations=[WITH_SMOKE])
    dispatch, hangs, over = house.alerting.dispatch, threading.Event(), threading.Event()

    class Hung:
        def send(self, message: object) -> None:
            hangs.set()
            over.wait(60)

    for post in (dispatch.post, *dispatch.lanes.posts.values()):
        post._outlets = {**post._outlets, "hung": replace(post._outlets["hung"], sender=Hung())}
        post._record = lambda _: True
    house.send("door", "event", type="door_forced")
    house.alerting.start()
    try:
        assert hangs.wait(60)  # the thread for everything waits for a provider
        house.send("smoke", alarm=True)
        until(lambda: any("smoke alarm" in request.json["title"] for request in provider.requests))
    finally:
        over.set()


def test_a_channel_that_fails_is_soon_asked_again_whatever_it_wishes(make: Make, provider: Provider) -> None:
    house = make(alerts=hooked(provider), stations=[WITH_SMOKE])
    lane = house.alerting.dispatch.lanes.posts["hook"]
    provider.answers.append(Answer(429, headers={"Retry-After": "600"}))
    house.send("smoke", alarm=True)
    assert lane.run() == house.now + 5_000
    house.now += 5_000
    lane.run()
    assert [request.json["action"] for request in provider.requests] == ["opened", "opened"]


def test_nobody_closes_a_warning_that_goes_on(make: Make) -> None:
    house = make(stations=[WITH_SMOKE])
    house.send("smoke", alarm=True)
    [alert] = [alert for alert in house.alerting.core.desk.open_alerts() if alert.kind == "hazard"]
    close = Deed(do="close", by="li", nonce="n", expires=T0 + 60_000, target=alert.id)
    asked = house.alerting.desk.do(close)
    house.alerting.tick(house.now, house.ourselves)
    with pytest.raises(DeedError, match="still warns"):
        asked.result(timeout=0)
    house.send("smoke", alarm=False)
    asked = house.alerting.desk.do(close)
    house.alerting.tick(house.now, house.ourselves)
    assert [event.action for event in asked.result(timeout=0)] == ["closed"]


@pytest.mark.parametrize("kind", ["hazard", "door_forced"])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_the_outbox_and_the_alerts_mean_the_same_danger(
    make: Make, provider: Provider, kind: str, severity: Any
) -> None:
    house = make(alerts=hooked(provider))
    alert = Alert("a", "yanshan", "x", "x", kind, severity, "open", T0, T0, T0, "")
    delivery = Delivery("d", "hook", alert, "opened", T0, T0)
    house.store.write([KeepAlerts([AlertEvent(alert, T0, "opened")], [delivery])])
    outbox = house.alerting.dispatch._outbox
    assert bool(outbox.due(T0, dangers_of="hook")) is is_danger(alert)
    assert bool(outbox.due(T0)) is not is_danger(alert)
    assert outbox.due(T0, dangers_of="other") == []


def test_a_hazard_is_the_only_danger() -> None:
    assert [name for name, kind in KINDS.items() if kind.danger] == ["hazard"]
    assert NO_CAP >= 1_000_000
