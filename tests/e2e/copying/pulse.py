"""Live messages while the copy suffers, and how soon what they say is on `yz-live/…` and `yz-alert/…`."""

import json
import threading
import time
from collections import defaultdict

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.patience import until

SEATS = 40
FLIP_EVERY = 10  # a seat changes in one message of so many


class Pulse(threading.Thread):
    """`phase` names what is measured; `delays_ms` of each phase. Ends with `stop`."""

    def __init__(self, port: int, rate: float) -> None:
        super().__init__(daemon=True)
        self.phase = "away"
        self.delays_ms: dict[str, list[float]] = defaultdict(list)
        self.sent = 0
        self._gap_s = 1 / rate
        self._waiting: dict[tuple[str, str], tuple[float, str]] = {}  # seat, use → when it was said, in which phase
        self._alerts: dict[str, float] = {}
        self._stopping = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "pulse")
        self._client.on_message = self._heard
        self._client.max_inflight_messages_set(1000)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe([("yz-live/hall", 0), ("yz-alert/hall/#", 0)])

    def run(self) -> None:
        taken = [False] * SEATS
        begin = time.monotonic()
        while not self._stopping.is_set():
            number = self.sent
            seat = number % SEATS
            name, flips = f"seat-{seat:02d}", number % (SEATS * FLIP_EVERY) // SEATS == seat % FLIP_EVERY
            taken[seat] ^= flips
            use = "occupied" if taken[seat] else "free"
            if flips:
                self._waiting[name, use] = time.monotonic(), self.phase
            self._say(f"yz/hall/{name}/state", {"seq": number // SEATS, "occupied": taken[seat]})
            self.sent += 1
            time.sleep(max(0.0, begin + self.sent * self._gap_s - time.monotonic()))

    def _say(self, topic: str, fields: dict[str, object]) -> None:
        self._client.publish(topic, json.dumps({"ts": round(time.time() * 1000), "boot": "b", **fields}), qos=1)

    def cry(self, door: str) -> float:
        """Seconds from a forced door to its alert."""
        begin = time.monotonic()
        self._say(f"yz/hall/{door}/event", {"seq": 1, "type": "door_forced"})
        until(lambda: door in self._alerts, what=f"the alert of {door}")
        return self._alerts[door] - begin

    def _heard(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        now, said = time.monotonic(), json.loads(message.payload or b"{}")
        if message.topic.startswith("yz-alert/"):
            self._alerts.setdefault(said.get("resource", ""), now)
            return
        for area in said["areas"]:
            for row in area["resources"]:
                waiting = self._waiting.pop((row["id"], row["use"]), None)
                if waiting is not None:
                    self.delays_ms[waiting[1]].append((now - waiting[0]) * 1000)

    def stop(self) -> None:
        self._stopping.set()
        self.join()
        until(lambda: not self._client.want_write())
        time.sleep(0.2)
        self._client.loop_stop()
        self._client.disconnect()

    def figures(self) -> dict[str, dict[str, float]]:
        """p50 and p99 in ms of each phase."""
        return {
            phase: {"p50_ms": round(took[len(took) // 2], 1), "p99_ms": round(took[int(len(took) * 0.99)], 1)}
            for phase, took in ((phase, sorted(delays)) for phase, delays in self.delays_ms.items())
        }
