"""Many seats that speak all the time, each message told apart: what a gateway stored of them can be counted exactly."""

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.patience import until

NUMBERED = "counts"
"""Seats of this name number their messages; the others don't."""


def seats_of(stations: Sequence[str], seats: int) -> list[tuple[str, str]]:
    """Half of them number their messages."""
    names = [f"{NUMBERED if seat % 2 else 'plain'}-{seat:02}" for seat in range(seats)]
    return [(station, name) for station in stations for name in names]


class Crowd(threading.Thread):
    """Speaks at `per_s` messages a second until told to end. `said`: of each seat, the number of its last message."""

    def __init__(self, port: int, seats: Sequence[tuple[str, str]], per_s: int) -> None:
        super().__init__(name="crowd", daemon=True)
        self._seats, self._per_s = seats, per_s
        self.said: Counter[tuple[str, str]] = Counter()
        self.confirmed = 0
        self._ending = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="crowd", protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(1_000)
        self._client.on_publish = self._published
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _published(self, *_: object) -> None:
        self.confirmed += 1

    def run(self) -> None:
        begin, count = time.monotonic(), 0
        while not self._ending.is_set():
            station, name = seat = self._seats[count % len(self._seats)]
            self.said[seat] += 1
            number = self.said[seat]
            body = {"boot": "a", "seq": number} if name.startswith(NUMBERED) else {"n": number}
            self._client.publish(f"yz/{station}/{name}/state", json.dumps({**body, "occupied": number % 2 == 1}), 1)
            count += 1
            time.sleep(max(0.0, begin + count / self._per_s - time.monotonic()))

    def end(self) -> None:
        """Returns when the broker has all that was said."""
        self._ending.set()
        self.join()
        until(lambda: self.confirmed == self.said.total(), what="the broker has confirmed all")
        self._client.loop_stop()
        self._client.disconnect()


def counted(exported: str) -> Counter[tuple[str, str, int]]:
    """How often each message of each seat stands in what `yizhan export` gave."""
    records = map(json.loads, exported.splitlines())
    return Counter(
        (record["station"], record["device"], record["seq"] if record["seq"] is not None else record["data"]["n"])
        for record in records
    )


def expected(said: Counter[tuple[str, str]]) -> Counter[tuple[str, str, int]]:
    """Each message once."""
    return Counter((*seat, number) for seat, last in said.items() for number in range(1, last + 1))


def difference(exported: str, said: Counter[tuple[str, str]]) -> dict[str, list[tuple[str, str, int]]]:
    """What is lost, and what is there too often; nothing where all is right."""
    have, want = counted(exported), expected(said)
    lost, double = sorted((want - have).elements()), sorted((have - want).elements())
    return {what: numbers[:10] for what, numbers in (("lost", lost), ("double", double)) if numbers}
