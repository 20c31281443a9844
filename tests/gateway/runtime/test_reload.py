"""A running gateway follows another configuration, on a real broker."""

import json
import time

import pytest

from config.difference import difference
from config.schema import Settings
from gateway.mqtt import Broker, Session
from gateway.runtime import Gateway
from tests.patience import until

pytestmark = pytest.mark.broker


class Ear:
    """Hears all that the gateway says, and speaks for devices."""

    def __init__(self, port):
        self.session = Session(Broker("127.0.0.1", port), f"ear-{time.monotonic_ns()}", filters=["#"], keep=False)
        self.retained = {}
        self.heard = []
        self.until(lambda: self.session.subscribed)

    def until(self, done):
        until(lambda: self.poll() or done())

    def poll(self):
        arrivals = self.session.poll(0.02)
        if arrivals is not None:
            for topic, payload, _ in arrivals.frames:
                self.retained[topic.decode()] = payload
                self.heard.append((topic.decode(), payload))
            self.session.ack(arrivals.epoch, arrivals.mids)

    def say(self, topic, **payload):
        self.session.publish(topic, json.dumps(payload).encode())

    def document(self, station):
        return json.loads(self.retained.get(f"yz-live/{station}") or b"null")

    def resource(self, station, name):
        document = self.document(station) or {"areas": []}
        every = [resource for area in document["areas"] for resource in area["resources"]]
        return next((resource for resource in every if resource["id"] == name), None)


def station(name, *resources, **more):
    return {"id": name, "areas": [{"id": "hall", "resources": list(resources)}]} | more


def seat(name, **more):
    return {"id": name, "kind": "seat", "ttl": 600} | more


@pytest.fixture
def house(tmp_path, mosquitto_of):
    port = mosquitto_of().port
    running = []

    def settings(*stations, **more):
        return Settings.model_validate(
            {
                "mqtt": {"url": f"mqtt://127.0.0.1:{port}", "keepalive_s": 60},
                "store": {"path": str(tmp_path / "data"), "ballast_mib": 0},
                "gateway": {"ack_interval_s": 1, "snapshot_interval_s": 1},
                "stations": list(stations),
            }
            | more
        )

    class House:
        def __init__(self):
            self.ear = Ear(port)
            self.of = settings

        def start(self, *stations, **more):
            self.settings = settings(*stations, **more)
            self.gateway = Gateway(self.settings)
            self.gateway.start()
            running.append(self.gateway)
            until(lambda: self.gateway.session.subscribed)

        def reload(self, *stations, **more):
            after = settings(*stations, **more)
            self.gateway.reload(difference(self.settings, after))
            self.settings = after

        def stop(self):
            until(running.pop().stop)

    made = House()
    yield made
    for gateway in running:
        if gateway.intake.is_alive():
            until(gateway.stop)
    made.ear.session.close()


def test_a_new_seat_is_live_and_those_beside_it_know_what_they_knew(house):
    house.start(station("a", seat("one")), station("b", seat("one")))
    ear = house.ear
    for name in ("a", "b"):
        ear.say(f"yz/{name}/one/state", occupied=True, boot="x", seq=1)
    ear.until(lambda: all((ear.resource(name, "one") or {}).get("use") == "occupied" for name in ("a", "b")))
    before = ear.retained["yz-live/b"]
    house.reload(station("a", seat("one"), seat("two")), station("b", seat("one")))
    ear.until(lambda: ear.resource("a", "two"))
    assert ear.resource("a", "one")["use"] == "occupied"
    assert ear.resource("a", "one")["evidence"] == "live"
    ear.say("yz/a/two/state", occupied=False, boot="x", seq=1)
    ear.until(lambda: ear.resource("a", "two")["use"] == "free")
    assert ear.retained["yz-live/b"] == before


def test_what_was_retained_for_a_removed_station_is_cleared(house):
    house.start(station("a", seat("one")), station("b", seat("one"), seat("two")))
    ear = house.ear
    for name in ("one", "two"):
        ear.say(f"yz/b/{name}/state", occupied=True, boot="x", seq=1)
    ear.until(lambda: ear.retained.get("yz-ack/b/one") and ear.retained.get("yz-ack/b/two"))
    house.reload(station("a", seat("one")), station("b", seat("one")))
    ear.until(lambda: ear.retained["yz-ack/b/two"] == b"")
    assert ear.retained["yz-ack/b/one"] != b""
    house.reload(station("a", seat("one")))
    ear.until(lambda: ear.retained["yz-live/b"] == ear.retained["yz-ack/b/one"] == b"")
    ear.say("yz/a/one/state", occupied=True, boot="x", seq=1)
    ear.until(lambda: ear.retained.get("yz-ack/a/one"))
    assert ear.document("b") is None


def test_a_removed_device_that_comes_back_is_told_what_it_was_told(house):
    house.start(station("a", seat("one"), seat("two")))
    ear = house.ear
    ear.say("yz/a/two/state", occupied=True, boot="x", seq=1)
    ear.until(lambda: ear.retained.get("yz-ack/a/two"))
    house.reload(station("a", seat("one")))
    ear.until(lambda: ear.retained["yz-ack/a/two"] == b"")
    house.reload(station("a", seat("one"), seat("two")))
    ear.until(lambda: ear.retained["yz-ack/a/two"] == b'{"boot":"x","upto":1}')
    ear.until(lambda: (ear.resource("a", "two") or {}).get("use") == "occupied")
    ear.say("yz/a/two/state", occupied=True, boot="x", seq=1)
    until(lambda: ear.poll() or house.gateway.report.metrics().duplicate == 1)


def test_a_foreign_device_is_heard_from_the_reload_on_and_no_longer_than_it_is_configured(house):
    foreign = seat("two", source={"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/chair"})
    house.start(station("a", seat("one")))
    ear = house.ear
    house.reload(station("a", seat("one"), foreign))
    ear.until(lambda: house.gateway.session.subscribed and "zigbee2mqtt/chair" in house.gateway.session.filters)
    ear.until(lambda: ear.resource("a", "two"))

    def told():
        ear.say("zigbee2mqtt/chair", occupancy=True)
        return ear.resource("a", "two")["use"] == "occupied"

    ear.until(told)
    house.reload(station("a", seat("one")))
    assert not [listened for listened in house.gateway.session.filters if listened.startswith("zigbee2mqtt")]
    ear.say("yz/a/one/state", occupied=False, boot="x", seq=1)  # what was on its way before is in before it
    ear.until(lambda: ear.resource("a", "one")["use"] == "free")
    taken = house.gateway.report.metrics().received
    ear.say("zigbee2mqtt/chair", occupancy=True)
    ear.say("yz/a/one/state", occupied=True, boot="x", seq=2)
    ear.until(lambda: ear.resource("a", "one")["use"] == "occupied")
    assert house.gateway.report.metrics().received == taken + 1


def test_a_start_after_reloads_finds_what_was_live(house):
    ear = house.ear
    house.start(station("a", seat("one")), station("b", seat("one")))
    house.reload(station("a", seat("one"), seat("two")), station("c", seat("one")))
    for topic in ("yz/a/one/state", "yz/a/two/state", "yz/c/one/state"):
        ear.say(topic, occupied=True, boot="x", seq=1)
    ear.until(lambda: all((ear.resource(*key) or {}).get("use") == "occupied" for key in (("a", "two"), ("c", "one"))))
    house.stop()
    house.start(station("a", seat("one"), seat("two")), station("c", seat("one")))
    for name, facts in (
        (facts.resource.id, facts) for place in house.gateway.pipeline.live.stations.values() for facts in place.facts()
    ):
        assert (name, facts.axes.use, facts.axes.evidence) == (name, "occupied", "live")


def test_an_alert_about_what_is_removed_ends_with_that_reason(house):
    ear, pile = house.ear, {"id": "pile", "kind": "charger", "type": "ev"}
    alerts = {"alerts": {"raise_delay_s": 0}}
    house.start(station("a", seat("one"), pile), **alerts)
    ear.say("yz/a/pile/state", status="Faulted", error="GroundFailure", boot="x", seq=1)

    def told():
        return [topic for topic, payload in ear.retained.items() if topic.startswith("yz-alert/") and payload]

    ear.until(told)
    house.reload(station("a", seat("one")), **alerts)
    ear.until(lambda: not told())
    assert house.gateway.alerting.core.desk.open_alerts() == []


def test_hours_and_words_of_the_configuration_take_effect(house):
    ear = house.ear
    house.start(station("a", seat("one"), hours="24/7"))
    ear.until(lambda: (ear.document("a") or {"open": {}})["open"].get("now") == "yes")
    house.reload(station("a", seat("one"), hours="off"))
    ear.until(lambda: ear.document("a")["open"]["now"] == "no")
    house.reload(station("a", seat("one"), hours="off", override={"status": "open"}))
    ear.until(lambda: ear.document("a")["open"]["now"] == "yes")
    house.reload(station("a", seat("one"), hours="off"))
    ear.until(lambda: ear.document("a")["open"]["now"] == "no")


def test_boxes_are_listened_to_for_as_long_as_one_is_accepted(house):
    def listened_to():
        return [
            topic_filter
            for topic_filter in house.gateway.session.filters
            if topic_filter.startswith(("yz-box", "yz-deed", "yz-site", "yz-reply"))
        ]

    house.start(station("a", seat("one")))
    assert listened_to() == []
    house.reload(station("a", seat("one")), uplinks={"accept": ["box-1"]})
    assert sorted(listened_to()) == ["yz-box/+", "yz-deed/+/+", "yz-reply/+/+", "yz-site/+"]
    house.reload(station("a", seat("one")))
    assert listened_to() == []
