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
from gateway.base.clock import now_ms
from gateway.mqtt import Broker, Session
from tests.patience import PATIENCE_S, until

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed"),
]


@pytest.fixture
def mosquitto():
    """The port of a broker on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(["mosquitto", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port))
        yield port
    finally:
        process.kill()
        process.wait()


def _answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0 or time.sleep(0.02)


@pytest.fixture
def listener(mosquitto):
    session = Session(Broker("127.0.0.1", mosquitto), "listener", filters=("yz/#",), keep=False)
    until(lambda: session.poll(0.05) or session.subscribed)
    yield session
    session.close()


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
    session = Session(Broker("127.0.0.1", mosquitto), "town")
    player = Player(town, session)
    thread = threading.Thread(target=player.run, args=(now_ms, stop.is_set))
    thread.start()
    yield town, stop, thread, player
    stop.set()
    thread.join(60)
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

    until(listen)
    until(lambda: listener.poll(0.05) or sum(len(device.held) for device in town.devices.values()) < 10)
    stop.set()
    until(lambda: listen() and offline == online)
    thread.join(60)
    assert player.published >= sum(heard.values())


def test_what_a_broker_lost_is_sent_again_on_the_next_connection(build_town, mosquitto, request):
    town, heard = build_town(start=now_ms()), set()
    end = time.monotonic() + 1.2
    forgetful = Session(Broker("127.0.0.1", mosquitto), "town")
    Player(town, forgetful).run(now_ms, lambda: time.monotonic() > end)  # nobody listens, so the broker drops it all
    forgetful.close()
    held = {(message.topic, json.loads(message.payload)["seq"]) for message in town.replay() if not message.retain}
    listener = request.getfixturevalue("listener")

    def all_came():
        heard.update((topic, body.get("seq")) for topic, body in _heard(listener))
        return held <= heard or time.monotonic() > end + PATIENCE_S

    session = Session(Broker("127.0.0.1", mosquitto), "town-again")
    Player(town, session).run(now_ms, all_came)
    session.close()
    assert len(held) > 20
    assert held <= heard
