"""The real product behind the real page: devices publish, the wall shows, the server dies, the wall goes dark."""

import json
import shutil
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.alerting.screens import TRIED
from tests.e2e.pages.chromium import ENGINE, WHOLE, Chromium
from tests.e2e.rig import Yizhan, free_port, yizhan
from tests.patience import until

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
TTL_S = 6
SILENT_S = 6  # longer than the stream's heartbeat
LIT = "document.querySelectorAll('[data-usable=yes]').length"
BANNER = "!document.querySelector('.banner').hidden"
CONFIG = """
mqtt: {{url: "embedded://127.0.0.1:{mqtt}"}}
store: {{path: data}}
api: {{listen: "127.0.0.1:{http}", screen_silent_s: {silent}}}
alerts: {{raise_delay_s: 0, clear_delay_s: 0}}
stations:
  - id: yanshan
    name: {{zh: 雁山社区爱心驿站, en: Yanshan rest station}}
    hours: "24/7"
    areas:
      - id: lounge
        resources:
          - {{id: seat-01, kind: seat, ttl: {ttl}}}
          - {{id: seat-02, kind: seat, ttl: {ttl}}}
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Here with its windows, as a wall runs it."""
    with Chromium(shutil.which(WHOLE) or ENGINE) as browser:
        yield browser


@contextmanager
def devices(port: int) -> Iterator[None]:
    """Two seats that say every second how they are: one free, one taken."""
    client, stop = paho.Client(CallbackAPIVersion.VERSION2), threading.Event()
    until(lambda: client.connect("127.0.0.1", port) == paho.MQTT_ERR_SUCCESS)
    client.loop_start()

    def speak() -> None:
        while not stop.wait(1):
            for seat, occupied in (("seat-01", False), ("seat-02", True)):
                client.publish(f"yz/yanshan/{seat}/state", json.dumps({"occupied": occupied}), qos=1)

    speaker = threading.Thread(target=speak, name="devices")
    speaker.start()
    try:
        yield
    finally:
        stop.set()
        speaker.join()
        client.loop_stop()


@contextmanager
def house(folder: Path) -> Iterator[tuple[Yizhan, int]]:
    """The product with its two seats; and its HTTP port."""
    http, mqtt = free_port(), free_port()
    (folder / "yizhan.yaml").write_text(CONFIG.format(http=http, mqtt=mqtt, ttl=TTL_S, silent=SILENT_S), "utf-8")
    with Yizhan(folder, "up", "--config", "yizhan.yaml") as product, devices(mqtt):
        until(lambda: b"" if product.child.poll() else _answers(http))
        yield product, http


def test_from_the_seat_to_the_wall_and_dark_when_the_server_dies(tmp_path: Path, chromium: Chromium) -> None:
    with (
        house(tmp_path) as (product, http),
        closing(chromium.open(f"http://127.0.0.1:{http}/screen/yanshan")) as page,
    ):
        page.wait("document.querySelector('[data-resource=seat-02]')?.dataset.usable === 'no'")
        page.wait("document.querySelector('.hero .arch').innerText.trim() === '1'")
        product.child.send_signal(signal.SIGSTOP)
        page.wait(f"{LIT} === 0", TTL_S + 2)
        page.wait(BANNER, 10)
        product.child.send_signal(signal.SIGCONT)
        page.wait(f"{LIT} > 0 && document.querySelector('.banner').hidden")
        product.child.kill()
        page.wait(f"{LIT} === 0", TTL_S + 2)
        page.wait(BANNER, 10)


@pytest.mark.slow
def test_a_page_that_hangs_is_missed_although_its_stream_stays_open(tmp_path: Path, chromium: Chromium) -> None:
    hang = "setTimeout(() => { for (const end = Date.now() + 11000; Date.now() < end; ); }); 0"
    with house(tmp_path) as (_, http):
        key = yizhan(
            tmp_path, "keys", "create", "--config", "yizhan.yaml", "--role", "viewer", "--name", "t"
        ).stdout.split()[-1]

        def missed() -> list[str]:
            alerts = _json(http, "/api/v1/alerts?state=open", authorization=f"Bearer {key}")["alerts"]
            return [alert["cause"] for alert in alerts if alert["kind"] == "screen_absent"]

        with closing(chromium.open(f"http://127.0.0.1:{http}/screen/yanshan")) as page:
            page.wait(f"{LIT} > 0")
            time.sleep((TRIED + 1) * SILENT_S)  # before that it might be a passer-by's
            page.run(hang)
            until(lambda: missed() == ["no check-in"])
            with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=60) as answer:
                assert b"yizhan_sse_clients 1.0" in answer.read()
            until(lambda: missed() == [])


def _json(port: int, path: str, **headers: str) -> Any:
    with urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers), timeout=60
    ) as answer:
        return json.load(answer)


def _answers(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as answer:
        return bool(answer.status == 200)
