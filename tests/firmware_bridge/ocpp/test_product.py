"""The whole product with piles: broker, `yizhan up`, `yizhan bridge`, and charge points that dial it."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.ocpp.rig import dial
from tests.patience import until
from tests.ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


class House:
    """A station with two connectors of one pile; gateway, API and bridge as processes."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder, self.http, self.piles = folder, free_port(), free_port()
        self.config = folder / "config.yaml"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "card_key").write_text("ab" * 32)
        (folder / "card_key").chmod(0o600)
        resources = [{"id": f"pile-{number}", "kind": "charger", "type": "ev"} for number in (1, 2)]
        devices = [{"device": f"pile-{number}", "charge_point": "CP001", "connector": number} for number in (1, 2)]
        bus = {"id": "piles", "port": f"ws://127.0.0.1:{self.piles}/ocpp", "protocol": "ocpp", "devices": devices}
        settings = {
            "mqtt": {"url": f"mqtt://127.0.0.1:{broker.port}", "keepalive_s": 5},
            "store": {"path": "data"},
            "api": {"listen": f"127.0.0.1:{self.http}"},
            "gateway": {"ack_interval_s": 1},
            "stations": [
                {"id": "s1", "name": {"zh": "站"}, "hours": "24/7",
                 "areas": [{"id": "yard", "name": {"zh": "院"}, "resources": resources}]}
            ],
            "bridge": {
                "station": "s1", "id": "box-1", "card_key_file": "card_key", "spool": {"path": "spool"}, "buses": [bus],
            },
        }  # fmt: skip
        self.config.write_text(json.dumps(settings))

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.piles}/ocpp"

    def run(self, *words: str) -> str:
        program = Path(sys.executable).with_name("yizhan")
        done = subprocess.run([str(program), *words, "--config", str(self.config)], capture_output=True, check=True)
        return done.stdout.decode()

    def start(self, command: str) -> None:
        program = Path(sys.executable).with_name("yizhan")
        with (self.folder / f"{command}.log").open("ab") as log:
            child = subprocess.Popen([str(program), command, "--config", str(self.config)], stderr=log)
        self._running[command] = child

    def kill(self, command: str) -> None:
        child = self._running.pop(command)
        child.kill()
        child.wait()

    def stop(self) -> None:
        for child in self._running.values():
            child.send_signal(signal.SIGTERM)
        for child in self._running.values():
            child.wait(60)
        self._running.clear()

    def ask(self, path: str, key: str | None = None, body: Any = None, method: str | None = None) -> Any:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["content-type"] = "application/json"
        with urlopen(
            Request(f"http://127.0.0.1:{self.http}{path}", data, headers, method=method), timeout=60
        ) as answer:
            return json.loads(answer.read())

    def resource(self, name: str) -> dict[str, Any]:
        document = self.ask("/api/v1/stations/s1")
        return next(one for area in document["areas"] for one in area["resources"] if one["id"] == name)

    def logs(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


def reachable(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 5):
        return True


@pytest.fixture
def house(tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]) -> Iterator[House]:
    house = House(tmp_path, mosquitto_of(*KEEPING))
    house.start("up")
    house.start("bridge")
    try:
        until(lambda: house.ask("/readyz") is not None, "the gateway is ready")
        yield house
    finally:
        house.stop()


def test_a_pile_that_charges_stands_on_the_wall(house: House) -> None:
    def shows(name: str, **wanted: object) -> bool:
        found = house.resource(name)
        return all(found[key] == value for key, value in wanted.items())

    until(lambda: reachable(house.piles), "the bridge listening")
    with dial(house.address) as pile:
        pile.call("BootNotification", {"chargePointVendor": "VendorX", "chargePointModel": "M1"})
        for connector in (1, 2):
            pile.call("StatusNotification", {"connectorId": connector, "errorCode": "NoError", "status": "Available"})
        until(lambda: shows("pile-1", usable="yes", evidence="live"), "the first connector is free")
        pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
        until(lambda: shows("pile-1", usable="no", use="occupied"), "the first connector charges")
        until(lambda: shows("pile-2", usable="yes", use="free"), "the second is free")
