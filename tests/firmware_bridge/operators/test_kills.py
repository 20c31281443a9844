"""Bridge and gateway are killed while a YKC pile charges and an operator pushes: each charge is stored once."""

import contextlib
import json
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from firmware_bridge.emulator.operators.ocpi import VirtualOcpiOperator
from firmware_bridge.emulator.operators.tcec import VirtualTcecOperator
from firmware_bridge.emulator.operators.world import OperatedPlugs
from firmware_bridge.emulator.ykc import VirtualYkcPile, YkcPileThread
from gateway.base.clock import now_ms
from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.operators.rig import OCPI_TOKEN, PARTY
from tests.firmware_bridge.operators.test_product import YKC_PILE, OperatedHouse
from tests.patience import until

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.slow]
KILLS = 10


def pushed(operator: VirtualOcpiOperator, answers: list[int]) -> bool:
    """Whether anybody was there to answer."""
    with contextlib.suppress(ConnectionRefusedError):
        answers.append(operator.push("E1"))
    return bool(answers)


def test_each_charge_is_stored_once_and_operators_are_asked_again_whatever_is_killed(
    tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]
) -> None:
    ocpi = VirtualOcpiOperator(OperatedPlugs(["E1", "E2"], now_ms(), speed=0), now_ms, OCPI_TOKEN)
    tcec = VirtualTcecOperator(OperatedPlugs(["C1", "C2"], now_ms(), speed=0), now_ms, PARTY)
    for operator in (ocpi, tcec):
        operator.start()
    house, rng, stop = OperatedHouse(tmp_path, mosquitto_of(*KEEPING), (ocpi, tcec)), random.Random(7), Event()
    house.write("ocpi", "tcec", "ykc")
    for command in ("up", "bridge"):
        house.start(command)
    virtual = VirtualYkcPile(YKC_PILE, 1, seed=5, speed=6_000)
    pile = YkcPileThread(virtual, ("127.0.0.1", house.ykc_port), stop)
    pile.start()

    def over(count: int) -> bool:
        return len(virtual.confirmed) >= count

    try:
        for number in range(KILLS):
            until(partial(over, len(virtual.confirmed) + 2), "it charges")
            time.sleep(rng.random())
            command = ("bridge", "up")[number % 3 == 2]
            house.kill(command)
            status = "Charging" if number % 2 else "Available"
            ocpi.plugs.set("E1", status, now_ms())
            house.start(command)
        until(lambda: house.shows("pile-E1", usable="no"), "what the operator has said meanwhile")
        answers: list[int] = []
        until(lambda: pushed(ocpi, answers), "the bridge that was started last listens")
        assert answers == [200], "the registration has outlived the kills"
        virtual.retire()
        until(lambda: not virtual.records, "all are confirmed")

        def stored() -> list[dict[str, Any]]:
            lines = [json.loads(line)["data"] for line in house.run("export").splitlines()]
            return [line for line in lines if line.get("type") == "transaction" and line["phase"] == "ended"]

        until(lambda: len(stored()) >= len(virtual.confirmed), "all are stored", pause_s=1)
        charges = stored()
        assert len({charge["transaction"] for charge in charges}) == len(charges) == len(virtual.confirmed) > 2 * KILLS
        assert sorted(charge["energy_wh"] for charge in charges) == sorted(virtual.confirmed.values())
    finally:
        stop.set()
        house.stop()
        for operator in (ocpi, tcec):
            operator.end()
