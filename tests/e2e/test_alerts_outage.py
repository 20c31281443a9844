"""A router, a broker and the gateway itself die in turn, for real: staff hear of each cause once and of no device."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, mosquitto
from tests.patience import promptly, until

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")]

SEATS = [f"seat-{number:02}" for number in range(40)]
HEARTBEAT_S, TTL_S = 0.6, 2
CONFIG = """
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: data}}
api: {{listen: "127.0.0.1:{http}"}}
stations:
  - id: yanshan
    name: {{zh: 雁山}}
    hours: "24/7"
    areas: [{{id: lounge, resources: [{seats}]}}]
alerts:
  raise_delay_s: 1
  clear_delay_s: 1
  channels: [{{id: hook, kind: webhook, url: "http://127.0.0.1:{hook}/x", allow_private: true, lang: en}}]
"""


class Site:
    """Forty seats behind one router: each speaks every heartbeat, at a phase of its own, while the router is up."""

    def __init__(self, port: int) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.up = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        seq = 0
        boot = str(time.monotonic_ns())
        while not self._end.is_set():
            seq += 1
            for seat in SEATS:
                if self.up.is_set():
                    body = json.dumps({"boot": boot, "seq": seq, "occupied": False})
                    self._client.publish(f"yz/yanshan/{seat}/state", body, qos=1)
                self._end.wait(HEARTBEAT_S / len(SEATS))

    @classmethod
    @contextmanager
    def on(cls, port: int) -> Iterator["Site"]:
        site = cls(port)
        try:
            yield site
        finally:
            site._end.set()
            site._thread.join()
            site._client.disconnect()
            site._client.loop_stop()


def heard(got: list[dict[str, Any]]) -> list[str]:
    return [f"{message['alert']['kind']} {message['action']}" for message in got]


@pytest.fixture
def config(tmp_path: Path, hook: tuple[int, list[dict[str, Any]]]) -> tuple[str, int, int]:
    """The configuration's path, the broker's port, and that of HTTP."""
    mqtt, http = free_port(), free_port()
    seats = ", ".join(f"{{id: {seat}, kind: seat, ttl: {TTL_S}}}" for seat in SEATS)
    path = tmp_path / "yizhan.yaml"
    path.write_text(CONFIG.format(mqtt=mqtt, http=http, hook=hook[0], seats=seats))
    return str(path), mqtt, http


def settle(site: Site, http: int, got: list[dict[str, Any]]) -> None:
    """Everything is up, and what was told before is told to its end."""
    site.up.set()
    until(lambda: get(http, "/api/v1/stations/yanshan")["summary"][0]["usable_min"] == len(SEATS))
    time.sleep(TTL_S)
    got.clear()


@pytest.mark.slow
def test_a_dead_router_is_one_message_its_return_is_one_and_a_killed_gateway_repeats_none(
    tmp_path: Path, hook: tuple[int, list[dict[str, Any]]], config: tuple[str, int, int]
) -> None:
    got, (path, mqtt, http) = hook[1], config
    with mosquitto(tmp_path, mqtt), Site.on(mqtt) as site:
        with Yizhan(tmp_path, "up", "--config", path) as first:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            settle(site, http, got)
            died = time.monotonic()
            site.up.clear()
            until(lambda: got)
            assert promptly(died, TTL_S + 2 * HEARTBEAT_S)
            time.sleep(TTL_S)
            assert heard(got) == ["station_offline opened"]
            first.child.send_signal(signal.SIGKILL)
            first.child.wait()
        with Yizhan(tmp_path, "up", "--config", path):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            time.sleep(TTL_S + 2)
            assert heard(got) == ["station_offline opened"]
            site.up.set()
            until(lambda: len(got) == 2)
            time.sleep(TTL_S)
            assert heard(got) == ["station_offline opened", "station_offline closed"]


@pytest.mark.slow
def test_a_dead_broker_is_our_own_trouble_and_no_devices(
    tmp_path: Path, hook: tuple[int, list[dict[str, Any]]], config: tuple[str, int, int]
) -> None:
    got, (path, mqtt, http) = hook[1], config
    with Yizhan(tmp_path, "up", "--config", path):
        with mosquitto(tmp_path, mqtt), Site.on(mqtt) as site:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            settle(site, http, got)
        until(lambda: got)
        time.sleep(2 * TTL_S)
        assert heard(got) == ["broker_lost opened"]
        with mosquitto(tmp_path, mqtt), Site.on(mqtt) as site:
            site.up.set()
            until(lambda: len(got) == 2)
            time.sleep(2 * TTL_S)
        assert heard(got)[:2] == ["broker_lost opened", "broker_lost closed"]
        assert not [line for line in heard(got) if "device" in line or "station" in line]
