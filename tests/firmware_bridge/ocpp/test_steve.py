"""SteVe, somebody else's central system, as the operator of relayed piles: it has every start and stop once, in order,
though it, the bridge and the broker are killed.

STEVE_START is the command that runs it in the foreground, STEVE its address with context, like
http://127.0.0.1:8180/steve, STEVE_USER its `admin:webapi.value`. Built with `auto.register.unknown.stations = true`.
"""

import base64
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.ocpp.test_kills import Charging
from tests.firmware_bridge.ocpp.test_product import House, reachable
from tests.patience import until

START, ADDRESS = os.environ.get("STEVE_START"), os.environ.get("STEVE", "").rstrip("/")
USER = os.environ.get("STEVE_USER", "admin:")
pytestmark = [
    pytest.mark.broker,
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(START is None or not ADDRESS, reason="STEVE_START and STEVE name no SteVe"),
]
KILLS = ("bridge", "steve", "broker", "bridge")
STARTS_WITHIN_S = 900


class Steve:
    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._child = subprocess.Popen([str(START)], start_new_session=True)

    def kill(self) -> None:
        if self._child is not None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None

    def answers(self) -> bool:
        try:
            self.transactions("nobody")
        except (URLError, OSError):
            return False
        return True

    def transactions(self, pile: str) -> list[dict[str, Any]]:
        """All of a charge box, in the order of their beginning."""
        token = base64.b64encode(USER.encode()).decode()
        asked = Request(
            f"{ADDRESS}/api/v1/transactions?chargeBoxId={pile}", headers={"authorization": f"Basic {token}"}
        )
        with urlopen(asked, timeout=30) as answer:
            transactions: list[dict[str, Any]] = json.loads(answer.read())
        return sorted(transactions, key=lambda transaction: transaction["id"])


def relayed(folder: Path, broker: Mosquitto, pile: str) -> House:
    house = House(folder, broker)
    settings = json.loads(house.config.read_text())
    (folder / "relay.key").write_text("ab" * 32)
    (folder / "relay.key").chmod(0o600)
    bus = settings["bridge"]["buses"][0]
    upstream = ADDRESS.replace("http", "ws", 1) + "/websocket/CentralSystemService"
    bus |= {"upstream": upstream, "relay_key_file": "relay.key"}
    for device in bus["devices"]:
        device["charge_point"] = pile
    house.config.write_text(json.dumps(settings))
    return house


class Unhurried(Charging):
    """So that SteVe, which takes minutes to start, has caught up soon."""

    def _begin(self) -> None:
        time.sleep(0.5)
        super()._begin()


def charged(pile: Charging, times: int) -> bool:
    return len(pile.done) >= times


def test_steve_has_every_start_and_stop_once_in_order(tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]) -> None:
    broker, steve, rng, stop = mosquitto_of(*KEEPING), Steve(), random.Random(5), threading.Event()
    name = f"YZ{time.time_ns()}"  # one that no earlier run has left there
    house = relayed(tmp_path, broker, name)
    pile = Unhurried(house.address, stop, name=name)
    steve.start()
    try:
        until(steve.answers, "SteVe answers", pause_s=1, patience_s=STARTS_WITHIN_S)
        house.start("up")
        house.start("bridge")
        until(lambda: reachable(house.piles), "the bridge listening")
        pile.start()
        until(lambda: len(steve.transactions(name)) >= 3, "it has begun", pause_s=1)
        for what in KILLS:
            until(partial(charged, pile, len(pile.done) + 10), "it charges")
            time.sleep(rng.random())
            if what == "steve":
                steve.kill()
                until(partial(charged, pile, len(pile.done) + 10), "it charges while SteVe is away")
                steve.start()
                until(steve.answers, "SteVe answers", pause_s=1, patience_s=STARTS_WITHIN_S)
            elif what == "broker":
                broker.kill()
                broker.start()
            else:
                house.kill("bridge")
                house.start("bridge")
        stop.set()
        pile.join(240)
        assert not pile.is_alive()

        def whole() -> list[dict[str, Any]]:
            transactions = steve.transactions(name)
            return (
                transactions
                if len(transactions) >= len(pile.done) and all(transaction["stopValue"] for transaction in transactions)
                else []
            )

        charges = until(whole, "SteVe has all", pause_s=1, patience_s=STARTS_WITHIN_S)
        energies = [int(charge["stopValue"]) - int(charge["startValue"]) for charge in charges]
        assert energies == [energy for _, energy in pile.done]
        print(json.dumps({"transactions": len(charges), "kills": KILLS}))
    finally:
        stop.set()
        house.stop()
        steve.kill()
