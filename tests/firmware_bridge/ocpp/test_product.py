"""The whole product with piles: broker, `yizhan up`, `yizhan bridge`, and charge points that dial it."""

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import ConnectionClosed

from tests import product
from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.ocpp.rig import RawPile, dial
from tests.patience import until
from tests.ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


class House:
    """A station with two connectors of one pile; gateway, API and bridge as processes."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder, self.http, self.piles = folder, free_port(), free_port()
        self.config = folder / "config.yaml"
        self._running: dict[str, product.Process] = {}
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
        done = product.run(*words, "--config", str(self.config))
        done.check_returncode()
        return done.stdout

    def start(self, command: str) -> None:
        with (self.folder / f"{command}.log").open("ab") as log:
            self._running[command] = product.start(command, "--config", str(self.config), stderr=log)

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
        return next(resource for area in document["areas"] for resource in area["resources"] if resource["id"] == name)

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
        shown = house.resource(name)
        return all(shown[key] == value for key, value in wanted.items())

    until(lambda: reachable(house.piles), "the bridge listening")
    with dial(house.address) as pile:
        pile.call("BootNotification", {"chargePointVendor": "VendorX", "chargePointModel": "M1"})
        for connector in (1, 2):
            pile.call("StatusNotification", {"connectorId": connector, "errorCode": "NoError", "status": "Available"})
        until(lambda: shows("pile-1", usable="yes", evidence="live"), "the first connector is free")
        pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
        until(lambda: shows("pile-1", usable="no", use="occupied"), "the first connector charges")
        until(lambda: shows("pile-2", usable="yes", use="free"), "the second is free")


class Answering:
    """A pile on a thread of its own that says yes to whatever it is asked, and remembers it."""

    def __init__(self, pile: RawPile) -> None:
        self._pile, self.asked = pile, []
        self.answers: dict[str, dict[str, Any]] = {}
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            while True:
                message = self._pile.next()
                if message[0] == 2:
                    self.asked.append((message[2], message[3]))
                    answer = self.answers.get(message[2], {"status": "Accepted"})
                    self._pile.say(json.dumps([3, message[1], answer]))


def refused(house: House, status: int, *question: Any, **more: Any) -> str:
    with pytest.raises(HTTPError) as told:
        house.ask(*question, **more)
    assert told.value.code == status
    return told.value.read().decode()


def test_staff_call_a_pile_and_its_answer_is_shown_and_in_the_trail(house: House) -> None:
    admin, operator = (
        house.run("keys", "create", "--role", role, "--name", role).split()[-1] for role in ("admin", "operator")
    )
    until(lambda: reachable(house.piles), "the bridge listening")
    path = "/api/v1/piles/CP001/calls"
    assert "not connected" in refused(house, 503, path, admin, {"action": "Reset", "payload": {"type": "Soft"}})
    refused(house, 404, "/api/v1/piles/CP999/calls", admin, {"action": "Reset", "payload": {"type": "Soft"}})
    refused(house, 403, path, operator, {"action": "Reset", "payload": {"type": "Soft"}})
    with dial(house.address) as pile:
        pile.call("BootNotification", {"chargePointVendor": "VendorX", "chargePointModel": "M1"})
        pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        answering = Answering(pile)
        until(lambda: house.ask("/api/v1/stations/s1/piles", operator)["piles"], "the pile is told")
        (there,) = house.ask("/api/v1/stations/s1/piles", operator)["piles"]
        assert (there["charge_point"], there["vendor"], there["devices"]) == ("CP001", "VendorX", ["pile-1", "pile-2"])
        assert house.ask(path, admin, {"action": "Reset", "payload": {"type": "Soft"}}) == {
            "result": {"status": "Accepted"}
        }
        assert ("Reset", {"type": "Soft"}) in answering.asked
        refused(house, 422, path, admin, {"action": "Launch", "payload": {}})
        refused(house, 422, path, admin, {"action": "Reset", "payload": {"type": "Maybe"}})
        foreign = {"action": "RemoteStartTransaction", "payload": {"connectorId": 1, "idTag": "04A1B2C3D4"}}
        assert "did not make" in refused(house, 422, path, admin, foreign)
        house.ask(path, admin, {"action": "RemoteStartTransaction", "payload": {"connectorId": 1}})
        (token,) = [payload["idTag"] for action, payload in answering.asked if action == "RemoteStartTransaction"]
        assert token.startswith("YZ")
        answering.answers["UnlockConnector"] = {"status": "Unlocked"}
        done = house.ask("/api/v1/stations/s1/piles/pile-2", operator, {"do": "unlock"})
        assert done == {"result": {"status": "Unlocked"}}
        assert ("UnlockConnector", {"connectorId": 2}) in answering.asked
        house.ask("/api/v1/stations/s1/piles/pile-1", operator, {"do": "out_of_service"})
        assert ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) in answering.asked
        until(lambda: house.resource("pile-1")["health"] == "maintenance", "maintenance is shown")
        house.ask("/api/v1/stations/s1/override", operator, {"resource": "pile-1"}, method="PUT")
        until(lambda: ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}) in answering.asked, "it is told")
        until(lambda: house.resource("pile-1")["health"] == "ok", "maintenance is over")
    trail = [(line["who"], line["target"], line["detail"]) for line in house.ask("/api/v1/audit", admin)["audit"]]
    assert ("admin", "s1/CP001", "Reset: Accepted") in trail
    assert ("operator", "s1/CP001", "unlock: Unlocked") in trail
    assert "04A1B2C3D4" not in json.dumps(trail) + house.logs()
    until(lambda: not house.ask("/api/v1/stations/s1/piles", operator)["piles"], "the pile is away")
    assert "not connected" in refused(house, 503, path, admin, {"action": "Reset", "payload": {"type": "Soft"}})


def test_a_bridge_that_dies_takes_its_piles_along(house: House) -> None:
    operator, admin = (
        house.run("keys", "create", "--role", role, "--name", role).split()[-1] for role in ("operator", "admin")
    )

    def there() -> list[Any]:
        piles: list[Any] = house.ask("/api/v1/stations/s1/piles", operator)["piles"]
        return piles

    until(lambda: reachable(house.piles), "the bridge listening")
    with dial(house.address):
        until(there, "the pile is told")
        house.kill("bridge")  # it can't say that the pile is away
        until(lambda: not there(), "nobody is there")
        asked = {"action": "Reset", "payload": {"type": "Soft"}}
        assert "not connected" in refused(house, 503, "/api/v1/piles/CP001/calls", admin, asked)
    house.start("bridge")
    until(lambda: reachable(house.piles), "the bridge listening")
    with dial(house.address):
        until(there, "the pile is told")


def test_a_session_has_the_energy_between_the_meters_of_its_transaction(house: House) -> None:
    until(lambda: reachable(house.piles), "the bridge listening")
    with dial(house.address) as pile:
        pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        until(lambda: house.resource("pile-1")["usable"] == "yes", "it is free")
        pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"})
        at = datetime.now(UTC)
        start = {"connectorId": 1, "idTag": "04A1B2C3D4", "meterStart": 100_000, "timestamp": at.isoformat()}
        number = pile.call("StartTransaction", start)["transactionId"]
        pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
        stop = {"transactionId": number, "meterStop": 107_531, "timestamp": (at + timedelta(seconds=1)).isoformat()}
        for _ in range(2):  # it was not answered in time, so the pile says it again
            pile.call("StopTransaction", stop)
        pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        until(lambda: house.resource("pile-1")["use"] == "free", "it is free again")
        earlier = at - timedelta(hours=5)  # the pile was offline then
        start |= {"meterStart": 90_000, "timestamp": earlier.isoformat()}
        number = pile.call("StartTransaction", start)["transactionId"]
        stop = {"transactionId": number, "meterStop": 92_000, "timestamp": (earlier + timedelta(hours=1)).isoformat()}
        pile.call("StopTransaction", stop)

        def sessions() -> list[dict[str, Any]]:
            window = (
                f"from={(at - timedelta(days=1)).isoformat()[:19]}Z&to={(at + timedelta(days=1)).isoformat()[:19]}Z"
            )
            charges: list[dict[str, Any]] = house.ask(f"/api/v1/stations/s1/sessions?{window}")["sessions"]
            return charges

        until(lambda: len(sessions()) == 2 and sessions()[1]["energy_wh"] == 7531, "the sessions are told")
        assert [charge["energy_wh"] for charge in sessions()] == [2000, 7531]
    house.stop()
    kept = b"".join(path.read_bytes() for path in house.folder.rglob("*") if path.is_file())
    assert b"04A1B2C3D4" not in kept
