"""Bridge, broker, gateway and the operator's central system are killed while piles charge: each transaction is stored
once with its energy, and the operator has every start and every end once, in order."""

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.ocpp.test_kills import TAG, Charging
from tests.firmware_bridge.ocpp.test_product import House, reachable
from tests.patience import until
from tests.ports import free_port

PILES = 5


class Upstream:
    def __init__(self, folder: Path) -> None:
        self.port, self._path = free_port(), folder / "operator.jsonl"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [sys.executable, "-m", "tests.firmware_bridge.ocpp.upstream_process", str(self.port), str(self._path)]
        self._child = subprocess.Popen(words)

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def arrivals(self) -> list[dict[str, Any]]:
        lines = self._path.read_text().splitlines(keepends=True) if self._path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]


def relayed_house(folder: Path, broker: Mosquitto, upstream: Upstream) -> House:
    house = House(folder, broker)
    settings = json.loads(house.config.read_text())
    (folder / "relay.key").write_text("ab" * 32)
    (folder / "relay.key").chmod(0o600)
    names = [f"CP00{number}" for number in range(1, PILES + 1)]
    devices = [
        {"device": f"{name.lower()}-{connector}", "charge_point": name, "connector": connector}
        for name in names
        for connector in (1, 2)
    ]
    settings["bridge"]["buses"][0] |= {
        "devices": devices, "upstream": f"ws://127.0.0.1:{upstream.port}/ocpp", "relay_key_file": "relay.key",
    }  # fmt: skip
    settings["stations"][0]["areas"][0]["resources"] = [
        {"id": device["device"], "kind": "charger", "type": "ev"} for device in devices
    ]
    house.config.write_text(json.dumps(settings))
    return house


def stored(house: House) -> list[tuple[str, int]]:
    """Number and energy of the transactions that have ended."""
    events = [json.loads(line)["data"] for line in house.run("export").splitlines()]
    return [
        (str(data["transaction"]), round(data["energy_wh"]))
        for data in events
        if data.get("type") == "transaction" and data["phase"] == "ended"
    ]


def staff_are_refused(house: House) -> str:
    """What an admin is told who calls a pile of an operator."""
    until(lambda: house.ask("/readyz") is not None, "the gateway is ready")
    admin = house.run("keys", "create", "--role", "admin", "--name", "admin").split()[-1]
    asked = {"action": "Reset", "payload": {"type": "Soft"}}
    told: list[str] = []

    def refused() -> bool:
        try:
            house.ask("/api/v1/piles/CP001/calls", admin, asked)
        except HTTPError as error:
            told.append(error.read().decode())
            return error.code == 403  # 503 while it dials
        return False

    until(refused, "the call is refused")
    return told[-1]


def told_once_and_in_order(arrivals: list[dict[str, Any]], piles: list[Charging]) -> None:
    """What the operator has: each start and end once by its id, each end behind its start and under its number."""
    fresh: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for arrival in arrivals:
        if arrival["fresh"]:
            fresh[arrival["pile"]].append(arrival)
    number = 0
    for pile in piles:
        steps = [call for call in fresh[pile.name] if call["action"].endswith("Transaction")]
        assert [call["action"] for call in steps] == ["StartTransaction", "StopTransaction"] * len(pile.done)
        charged = []
        for begun, ended in zip(steps[::2], steps[1::2], strict=True):
            charged.append(ended["payload"]["meterStop"] - begun["payload"]["meterStart"])
            assert ended["payload"]["transactionId"] > 0
        assert charged == [energy for _, energy in pile.done]
        numbers = [ended["payload"]["transactionId"] for ended in steps[1::2]]
        assert len(numbers) == len(set(numbers))
        number += len(numbers)
    assert number == sum(len(pile.done) for pile in piles)


def charge_among_kills(folder: Path, broker: Mosquitto, kills: int, transactions: int, seed: int) -> Counter[str]:
    """How often each was killed, and how many messages the operator heard again under their id."""
    upstream = Upstream(folder)
    house, rng, stop = relayed_house(folder, broker, upstream), random.Random(seed), threading.Event()
    upstream.start()
    house.start("up")
    house.start("bridge")
    piles = [Charging(house.address, stop, name=f"CP00{number}") for number in range(1, PILES + 1)]
    told: Counter[str] = Counter()

    def done() -> int:
        return sum(len(pile.done) for pile in piles)

    def more(wanted: int) -> bool:
        return done() >= wanted

    try:
        until(lambda: reachable(house.piles), "the bridge listening")
        for pile in piles:
            pile.start()
        for number in range(kills):
            until(partial(more, transactions * number // kills), "they charge")
            time.sleep(rng.random())  # anywhere in a message
            what = ("bridge", "operator", "bridge", "operator", "broker", "up")[number % 6]
            told[what] += 1
            if what == "operator":
                upstream.kill()
                time.sleep(rng.random() * 2)  # away for a while
                upstream.start()
            elif what == "broker":
                broker.kill()
                broker.start()
            else:
                house.kill(what)
                house.start(what)
        until(partial(more, transactions), "they charge")
        assert "operator commands it" in staff_are_refused(house)
        stop.set()
        for pile in piles:
            pile.join(240)
            assert not pile.is_alive()
        ends = sum(len(pile.done) for pile in piles)

        def all_told() -> bool:
            arrivals = upstream.arrivals()
            return sum(call["fresh"] and call["action"] == "StopTransaction" for call in arrivals) >= ends

        until(all_told, "the operator has all")
        until(lambda: len(stored(house)) >= ends, "all are stored", pause_s=1)
        charges = stored(house)
        assert len(charges) == len({number for number, _ in charges})
        assert Counter(energy for _, energy in charges) == Counter(energy for pile in piles for _, energy in pile.done)
        told_once_and_in_order(upstream.arrivals(), piles)
        told["again"] = sum(not call["fresh"] for call in upstream.arrivals())
    finally:
        stop.set()
        house.stop()
        upstream.kill()
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "operator.jsonl")
    assert TAG.encode() not in kept
    return told


@pytest.mark.broker
@pytest.mark.e2e
@pytest.mark.slow
def test_the_operator_and_we_have_each_transaction_once_whatever_is_killed(
    tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]
) -> None:
    told = charge_among_kills(tmp_path, mosquitto_of(*KEEPING), kills=12, transactions=60, seed=3)
    assert told["bridge"] == told["operator"] == 4


@pytest.mark.broker
@pytest.mark.e2e
@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_five_hundred_transactions_among_fifty_kills(
    tmp_path: Path, mosquitto_of: Callable[..., Mosquitto], seed: int
) -> None:
    told = charge_among_kills(tmp_path, mosquitto_of(*KEEPING), kills=50, transactions=500, seed=seed)
    print(dict(told))
