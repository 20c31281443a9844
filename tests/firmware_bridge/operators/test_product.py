"""The whole product: broker, `yizhan up`, `yizhan bridge`, two made-up operators and a YKC pile; buses come and go."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.emulator.operators.ocpi import VirtualOcpiOperator
from firmware_bridge.emulator.operators.tcec import VirtualTcecOperator
from firmware_bridge.emulator.operators.world import OperatedPlugs
from firmware_bridge.emulator.ykc import VirtualYkcPile, YkcPileThread
from gateway.base.clock import now_ms
from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.ocpp.test_product import House
from tests.firmware_bridge.operators.rig import OCPI_TOKEN, PARTY, ocpi_settings, tcec_settings
from tests.patience import until
from tests.ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

YKC_PILE = "32010600019236"
NAMES = ["pile-E1", "pile-E2", "pile-C1", "pile-C2", "pile-Y1"]


class OperatedHouse(House):
    """A station with piles of two operators and one of its own; the bridge begins with those buses that are named."""

    def __init__(self, folder: Path, broker: Mosquitto, operators: tuple[Any, Any]) -> None:
        super().__init__(folder, broker)
        ocpi, tcec = operators
        self.ykc_port = free_port()
        self.buses = {
            "ocpi": ocpi_settings(folder, ocpi.versions_url, ["E1", "E2"], id="ocpi", poll_s=1),
            "tcec": tcec_settings(folder, tcec.base, ["C1", "C2"], id="tcec", poll_s=1),
            "ykc": {
                "id": "ykc", "port": f"tcp://127.0.0.1:{self.ykc_port}", "protocol": "ykc",
                "devices": [{"device": "pile-Y1", "address": YKC_PILE, "connector": 1}],
            },
        }  # fmt: skip

    def write(self, *names: str) -> None:
        settings = json.loads(self.config.read_text())
        settings["stations"][0]["areas"][0]["resources"] = [
            {"id": name.lower(), "kind": "charger", "type": "ev", "device": name} for name in NAMES
        ]
        settings["bridge"]["buses"] = [self.buses[name] for name in names]
        self.config.write_text(json.dumps(settings))

    def hang_up(self) -> None:
        self._running["bridge"].send_signal(signal.SIGHUP)

    def shows(self, name: str, **wanted: object) -> bool:
        shown = self.resource(name.lower())
        return all(shown.get(key) == value for key, value in wanted.items())


@pytest.fixture
def operators() -> Iterator[tuple[VirtualOcpiOperator, VirtualTcecOperator]]:
    ocpi = VirtualOcpiOperator(OperatedPlugs(["E1", "E2"], now_ms(), speed=0), now_ms, OCPI_TOKEN)
    tcec = VirtualTcecOperator(OperatedPlugs(["C1", "C2"], now_ms(), speed=0), now_ms, PARTY)
    for operator in (ocpi, tcec):
        operator.start()
    yield ocpi, tcec
    for operator in (ocpi, tcec):
        operator.end()


def test_operators_and_piles_stand_on_the_wall_and_their_buses_come_and_go_while_it_runs(
    tmp_path: Path,
    mosquitto_of: Callable[..., Mosquitto],
    operators: tuple[VirtualOcpiOperator, VirtualTcecOperator],
) -> None:
    ocpi, tcec = operators
    ocpi.plugs.set("E2", "UNKNOWN", now_ms())
    tcec.plugs.set("C1", "0", now_ms())
    house, stop = OperatedHouse(tmp_path, mosquitto_of(*KEEPING), operators), threading.Event()
    house.write("ocpi")
    house.start("up")
    house.start("bridge")
    pile = YkcPileThread(VirtualYkcPile(YKC_PILE, 1, speed=0), ("127.0.0.1", house.ykc_port), stop)
    pile.start()
    try:
        until(lambda: house.shows("pile-E1", usable="yes", use="free"), "the operator's free pile")
        until(lambda: house.shows("pile-E2", usable="unknown", use="unknown", evidence="live"), "what he does not know")
        assert house.resource("pile-y1")["usable"] == "unknown"

        house.write("ocpi", "tcec", "ykc")
        house.hang_up()
        until(lambda: house.shows("pile-C2", usable="yes"), "the other operator's free pile")
        until(lambda: house.shows("pile-C1", usable="unknown", evidence="live"), "one off his network")
        until(lambda: house.shows("pile-Y1", usable="yes"), "our own pile")
        ocpi.plugs.set("E1", "Charging", now_ms())
        assert ocpi.push("E1") == 200
        until(lambda: house.shows("pile-E1", usable="no", use="occupied"), "a pushed change")

        tcec.web.fault = "garbage"
        pile.pile.plugs[0].status = "Faulted"
        pile.pile._tell_at = 0.0
        until(lambda: house.shows("pile-Y1", usable="no", health="fault"), "others go on beside a hostile one")

        house.write("tcec", "ykc")
        house.hang_up()
        until(lambda: house.resource("pile-e1")["evidence"] != "live", "who is no longer asked is not live")
        until(lambda: house.shows("pile-Y1", health="fault", evidence="live"), "the pile dials in again, or has stayed")
    finally:
        stop.set()
        house.stop()
    logs = house.logs()
    for secret in (OCPI_TOKEN, ocpi.token or "?", tcec.token or "?", PARTY.operator_secret, "sig-secret"):
        assert secret not in logs
    assert "fault of this program" not in logs
