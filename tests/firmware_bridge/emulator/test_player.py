"""The town on a real broker."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter

import pytest

from firmware_bridge.emulator.player import Player
from gateway.clock import now_ms
from gateway.mqtt import Broker, Session

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed"),
]


class Mosquitto:
    """A broker that remembers nothing when it stops."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self):
        self.process = subprocess.Popen(["mosquitto", "-p", str(self.port)], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("mosquitto did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def mosquitto():
    broker = Mosquitto()
    yield broker
    broker.stop()


@pytest.fixture
def listener(mosquitto):
    session = Session(Broker("127.0.0.1", mosquitto.port), "listener", filters=("yz/#",), keep=False)
    _until(lambda: session.poll(0.05) or session.subscribed)
    yield session
    session.close()


def _until(done, timeout_s=8.0):
    end = time.monotonic() + timeout_s
    while not (result := done()):
        assert time.monotonic() < end, "it did not happen"
    return result


def _heard(session):
    """(topic, body) of what has come since."""
    arrivals = session.poll(0.05)
    if arrivals is None:
        return []
    session.ack(arrivals.epoch, arrivals.mids)
    return [(topic.decode(), json.loads(payload)) for topic, payload, _ in arrivals.frames]


@pytest.fixture
def playing(build_town, mosquitto):
    """A town played in a thread until the test, or `stop.set()`, ends it."""
    town, stop = build_town(start=now_ms()), threading.Event()
    session = Session(Broker("127.0.0.1", mosquitto.port), "town")
    player = Player(town, session)
    thread = threading.Thread(target=player.run, args=(now_ms, stop.is_set))
    thread.start()
    yield town, stop, thread, player
    stop.set()
    thread.join(5)
    session.close()
    assert not thread.is_alive()


def test_devices_report_over_mqtt_forget_what_is_acknowledged_and_say_goodbye(listener, playing):
    town, stop, thread, player = playing
    heard, online, offline = Counter(), set(), set()

    def listen():
        for topic, body in _heard(listener):
            which = topic.rsplit("/", 1)[1]
            heard[which] += 1
            if which == "availability":
                (online if body["state"] == "online" else offline).add(topic)
            else:
                ack = json.dumps({"boot": body["boot"], "upto": body["seq"]}).encode()
                listener.publish("yz-ack/" + topic[3:].rsplit("/", 1)[0], ack, retain=True)
                listener.publish("yz-ack/yanshan/seat-01", b"not a watermark")
        return len(online) == len(town.devices) and heard["state"] > len(town.devices) and heard["event"]

    _until(listen)
    _until(lambda: listener.poll(0.05) or sum(len(device.held) for device in town.devices.values()) < 10)
    stop.set()
    _until(lambda: listen() and offline == online)
    thread.join(5)
    assert player.published >= sum(heard.values())


def test_after_the_broker_forgot_everything_the_devices_send_it_again(mosquitto, listener, playing):
    town, *_ = playing
    before, after = set(), set()

    def listen(into):
        into |= {
            (topic, body["boot"], body["seq"]) for topic, body in _heard(listener) if not topic.endswith("availability")
        }
        return len({topic for topic, *_ in into}) >= len(town.devices)

    _until(lambda: listen(before))
    mosquitto.stop()
    mosquitto.start()
    _until(lambda: listen(after) and before <= after, timeout_s=15)
