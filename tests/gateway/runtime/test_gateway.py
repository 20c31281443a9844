"""The gateway whole, on a real broker: what it publishes and when, and what it acknowledges."""

import json
import subprocess
import threading
import time
from itertools import pairwise

import pytest

from config.schema import Settings
from gateway.mqtt import Broker, Session
from gateway.runtime import Gateway
from gateway.runtime.limits import IntakeLimits
from tests.patience import promptly, until

pytestmark = pytest.mark.broker

SEATS = [{"id": f"seat-{n}", "kind": "seat", "ttl": 60} for n in range(3)]


class Listener:
    """A device and an app in one: publishes, and keeps what the gateway says."""

    def __init__(self, port):
        self.session = Session(Broker("127.0.0.1", port), f"listener-{time.monotonic_ns()}", filters=["#"], keep=False)
        self.heard = []
        self.until(lambda: self.session.subscribed)

    def until(self, done):
        until(lambda: self.poll() or done())

    def poll(self):
        arrivals = self.session.poll(0.02)
        if arrivals is not None:
            self.heard += [(time.monotonic(), topic.decode(), payload) for topic, payload, _ in arrivals.frames]
            self.session.ack(arrivals.epoch, arrivals.mids)

    def say(self, seat, seq, **signals):
        payload = {"boot": "b", "seq": seq, **(signals or {"occupied": True})}
        self.session.publish(f"yz/yanshan/seat-{seat}/state", json.dumps(payload).encode())

    def of(self, topic):
        return [json.loads(payload) for _, heard_topic, payload in self.heard if heard_topic == topic and payload]

    def seat(self, number=0):
        document = self.of("yz-live/yanshan")[-1]
        return document["areas"][0]["resources"][number]


@pytest.fixture
def settings(tmp_path, mosquitto_of):
    mosquitto = mosquitto_of()
    area = {"id": "lounge", "resources": SEATS}
    return Settings.model_validate(
        {
            "mqtt": {"url": f"mqtt://127.0.0.1:{mosquitto.port}", "keepalive_s": 60},
            "store": {"path": str(tmp_path / "data"), "ballast_mib": 0},
            "gateway": {"ack_interval_s": 1, "snapshot_interval_s": 1},
            "stations": [{"id": "yanshan", "name": {"zh": "雁山"}, "areas": [area]}],
        }
    )


@pytest.fixture
def run(settings):
    """Start a gateway that listens; stopped at the end."""
    running = []

    def start():
        gateway = Gateway(settings)
        gateway.start()
        running.append(gateway)
        until(lambda: gateway.session.subscribed)
        return gateway

    yield start
    for gateway in running:
        if gateway.intake.is_alive():
            until(gateway.stop)  # a slow disk is still writing after the first


@pytest.fixture
def listener(settings):
    ear = Listener(settings.mqtt.endpoint.port)
    yield ear
    ear.session.close()


def test_a_value_is_on_the_live_topic_within_a_fifth_of_a_second(run, listener):
    run()
    listener.until(lambda: listener.of("yz-live/yanshan"))
    begin = time.monotonic()
    listener.say(0, 1)
    listener.until(lambda: listener.seat()["use"] == "occupied")
    assert promptly(begin, 0.2)
    assert listener.of("yz-sys/gateway")[-1]["state"] == "online"


def test_the_watermark_comes_within_ten_seconds_and_not_more_than_once_a_second(run, listener, monkeypatch):
    gateway = run()
    taken, take = [], gateway.intake.committing.watermarks.take
    monkeypatch.setattr(
        gateway.intake.committing.watermarks,
        "take",
        lambda moment: taken.append((moment, take(moment))) or taken[-1][1],
    )
    begin, seq = time.monotonic(), 0
    while time.monotonic() < begin + 3.2:
        seq += 1
        listener.say(0, seq)
        listener.session.publish("yz/yanshan/seat-0/availability", b"online")
        listener.poll()
    listener.until(lambda: (listener.of("yz-ack/yanshan/seat-0") or [{}])[-1].get("upto") == seq)
    times = [moment for moment, said in taken if "yz-ack/yanshan/seat-0" in dict(said)]  # when it was said, not heard
    assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    assert listener.of("yz-ack/yanshan/seat-0")[-1] == {"boot": "b", "upto": seq}


def test_nothing_is_acknowledged_before_it_is_on_disk(run, listener, monkeypatch):
    gateway = run()
    gate, acked = threading.Event(), []
    commit, ack = gateway.store.commit, gateway.session.ack
    monkeypatch.setattr(
        gateway.store, "commit", lambda batch, *more: (not batch.payloads or gate.wait(600)) and commit(batch, *more)
    )
    monkeypatch.setattr(gateway.session, "ack", lambda epoch, mids: acked.extend(mids) or ack(epoch, mids))
    for seq in range(1, 6):
        listener.say(1, seq)
    listener.until(lambda: gateway.pipeline.counters["received"] >= 5)
    time.sleep(0.2)
    assert acked == []
    assert listener.of("yz-ack/yanshan/seat-1") == []
    assert gateway.intake.backlog == 5
    gate.set()
    listener.until(lambda: len(acked) == 5)
    assert acked == sorted(acked)


def test_after_a_reconnect_the_watermark_is_said_again(run, listener):
    gateway = run()
    listener.say(0, 1)
    listener.until(lambda: listener.of("yz-ack/yanshan/seat-0"))
    listener.heard.clear()
    gateway.session._client.socket().shutdown(2)
    listener.until(lambda: listener.of("yz-ack/yanshan/seat-0") and listener.of("yz-live/yanshan"))


@pytest.mark.parametrize("by", [3_600_000, -3_600_000, -1_700_000_000_000, 400_000_000_000])
def test_a_clock_that_jumps_loses_nothing_and_greys_nothing(run, listener, monkeypatch, by):
    gateway = run()
    listener.say(0, 1)
    listener.until(lambda: listener.of("yz-ack/yanshan/seat-0"))
    real = time.time_ns
    monkeypatch.setattr("gateway.base.clock.now_ms", lambda: real() // 1_000_000 + by)
    for seq in range(2, 8):
        listener.say(0, seq)
        listener.poll()
    listener.until(lambda: listener.of("yz-ack/yanshan/seat-0")[-1]["upto"] == 7)
    assert gateway.intake.clock_jumps == 1
    assert listener.seat()["evidence"] == "live"
    until(gateway.stop)  # a slow disk is still writing after the first
    assert [reading.seq for reading in readings(gateway)] == list(range(1, 8))


def readings(gateway):
    from gateway.store.reader import SqliteReader

    reader = SqliteReader(gateway.store.folder)
    try:
        return list(reader.readings())
    finally:
        reader.close()


def test_a_restart_shows_at_once_what_was_known(run, listener):
    first = run()
    listener.say(0, 1)
    listener.until(lambda: listener.of("yz-live/yanshan") and listener.seat()["use"] == "occupied")
    until(first.stop)
    assert listener.session.connected
    listener.heard.clear()
    run()
    listener.until(lambda: listener.of("yz-live/yanshan"))
    assert (listener.seat()["use"], listener.seat()["evidence"]) == ("occupied", "live")
    listener.say(0, 1)
    listener.say(0, 2)
    listener.until(lambda: (listener.of("yz-ack/yanshan/seat-0") or [{}])[-1].get("upto") == 2)


def the_disk_pauses(gateway, listener, monkeypatch):
    """The writer holds the first message, 59 more wait behind it; until the gate that is returned is set."""
    gate, commit = threading.Event(), gateway.store.commit
    monkeypatch.setattr(
        gateway.store, "commit", lambda batch, *more: (not batch.payloads or gate.wait(600)) and commit(batch, *more)
    )
    listener.say(2, 1)
    listener.until(
        lambda: gateway.intake.committing.busy is not None and len(gateway.intake.committing.busy.outcome.batch) == 1
    )
    for seq in range(2, 61):
        listener.say(2, seq)
        listener.poll()
    return gate


def say_the_rest(listener):
    for seq in range(61, 401):
        listener.say(2, seq)
        listener.poll()


def test_a_short_pause_of_the_disk_costs_no_connection(run, listener, monkeypatch):
    gateway = run()
    monkeypatch.setattr(gateway.intake.inbox, "limits", IntakeLimits(inbox_messages=50, inbox_patience_s=600))
    gate = the_disk_pauses(gateway, listener, monkeypatch)
    listener.until(lambda: gateway.pipeline.counters["overflows"] == 1)
    say_the_rest(listener)
    listener.until(lambda: len(listener.of("yz/yanshan/seat-2/state")) == 400)  # so the gateway could have them too
    held = gateway.intake.backlog
    gate.set()
    listener.until(lambda: (listener.of("yz-ack/yanshan/seat-2") or [{}])[-1].get("upto") == 400)
    assert held <= 60, "it read on"
    assert (gateway.session.epoch, gateway.session.reconnects) == (1, 0)
    until(gateway.stop)  # a slow disk is still writing after the first
    assert [reading.seq for reading in readings(gateway)] == list(range(1, 401))


def test_too_much_for_the_disk_is_left_with_the_broker_and_fetched_later(run, listener, monkeypatch):
    gateway = run()
    monkeypatch.setattr(gateway.intake.inbox, "limits", IntakeLimits(inbox_messages=50, inbox_patience_s=0.2))
    gate = the_disk_pauses(gateway, listener, monkeypatch)
    listener.until(lambda: gateway.session.held and not gateway.session.connected)
    say_the_rest(listener)
    assert gateway.intake.backlog <= 60
    gate.set()
    listener.until(lambda: (listener.of("yz-ack/yanshan/seat-2") or [{}])[-1].get("upto") == 400)
    assert gateway.pipeline.counters["overflows"] >= 1
    until(gateway.stop)  # a slow disk is still writing after the first
    assert [reading.seq for reading in readings(gateway)] == list(range(1, 401))


def test_a_device_that_floods_is_let_go_and_counted_and_the_others_are_heard(settings, run, listener):
    gateway = run()
    flood = gateway.pipeline.flood(1, 1_000)
    gateway.flood = gateway.intake.flood = gateway.alerting.watch.flood = flood
    words = ["mosquitto_pub", "-p", str(settings.mqtt.endpoint.port), "-q", "1", "-t", "yz/yanshan/seat-0/state", "-l"]
    subprocess.run(words, input=b'{"occupied":true}\n' * 3_000, check=True)
    listener.say(1, 1)
    listener.until(lambda: listener.seat(1)["use"] == "occupied")
    until(lambda: gateway.report.metrics().received >= 3_001 and gateway.report.metrics().backlog == 0)
    told = gateway.report.metrics()
    assert told.devices_limited == 1
    assert told.flooding > 500
    assert told.stored + told.duplicate + told.flooding == 3_001
    assert listener.seat(0)["use"] == "occupied"
