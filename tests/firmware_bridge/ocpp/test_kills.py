"""Bridge, broker and gateway are killed while piles charge: each transaction is stored once, with its energy."""

import json
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import WebSocketException

from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.ocpp.rig import RawPile, dial
from tests.firmware_bridge.ocpp.test_product import House, reachable
from tests.patience import until

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.slow]
KILLS, TAG = 12, "04C0FFEE77"


class Charging(threading.Thread):
    """A pile that charges again and again at its two connectors, and repeats what was not answered, as piles do."""

    def __init__(self, address: str, stop: threading.Event, *, name: str = "CP001") -> None:
        super().__init__(daemon=True, name=name)
        self._address, self._stop_asked = address, stop
        self.done: list[tuple[int, int]] = []  # number, energy of each that the bridge has answered to the end
        self._queue: list[tuple[str, dict[str, Any]]] = []
        self._meter, self._number = 1_000, 0

    def run(self) -> None:
        while not self._stop_asked.is_set() or self._queue:
            try:
                with dial(self._address, self.name, open_timeout=5) as pile:
                    self._charge(pile)
            except (OSError, EOFError, WebSocketException, TimeoutError):
                time.sleep(0.05)

    def _charge(self, pile: RawPile) -> None:
        while not self._stop_asked.is_set() or self._queue:
            if not self._queue:
                self._begin()
            action, payload = self._queue[0]
            answer = pile.call(action, payload)
            self._queue.pop(0)
            if action == "StartTransaction":
                self._queue[0][1]["transactionId"] = self._number = answer["transactionId"]
            else:
                self.done.append((self._number, payload["meterStop"] - self._from_wh))

    def _begin(self) -> None:
        self._from_wh = self._meter
        self._meter += random.randint(1, 500)
        at = datetime.now(UTC).isoformat()
        connector = random.randint(1, 2)
        start = {"connectorId": connector, "idTag": TAG, "meterStart": self._from_wh, "timestamp": at}
        self._queue = [
            ("StartTransaction", start),
            ("StopTransaction", {"transactionId": 0, "meterStop": self._meter, "timestamp": at}),
        ]


def charged(pile: Charging, times: int) -> bool:
    return len(pile.done) >= times


def test_each_transaction_is_stored_once_whatever_is_killed(
    tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]
) -> None:
    broker = mosquitto_of(*KEEPING)
    house, rng, stop = House(tmp_path, broker), random.Random(7), threading.Event()
    house.start("up")
    house.start("bridge")
    pile = Charging(house.address, stop)
    try:
        until(lambda: reachable(house.piles), "the bridge listening")
        pile.start()
        for number in range(KILLS):
            until(partial(charged, pile, len(pile.done) + 3), "it charges")
            time.sleep(rng.random())
            if number % 3 == 2:
                broker.kill()
                broker.start()
            else:
                command = ("bridge", "up")[number % 3]
                house.kill(command)
                house.start(command)
        stop.set()
        pile.join(120)
        assert not pile.is_alive()

        def stored() -> list[dict[str, Any]]:
            lines = [json.loads(line) for line in house.run("export").splitlines()]
            return [
                line["data"]
                for line in lines
                if line["data"].get("type") == "transaction" and line["data"]["phase"] == "ended"
            ]

        until(lambda: len(stored()) >= len(pile.done), "all are stored", pause_s=1)
        charges = [(int(charge["transaction"]), round(charge["energy_wh"])) for charge in stored()]
        assert len(charges) == len(set(charges))
        assert sorted(charges) == sorted(pile.done)
        assert len(pile.done) > 3 * KILLS
    finally:
        stop.set()
        house.stop()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert TAG.encode() not in kept
