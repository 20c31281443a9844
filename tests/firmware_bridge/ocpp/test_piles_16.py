"""OCPP 1.6 on the wire: what a pile says becomes signals and transactions, and every action is answered."""

from pathlib import Path

from tests.firmware_bridge.ocpp.rig import central, dial
from tests.patience import until

BOOT = {"chargePointVendor": "VendorX", "chargePointModel": "M1", "firmwareVersion": "1.2.3"}
AT = "2026-11-21T00:00:02Z"


def status(connector: int, word: str, error: str = "NoError", **more: str) -> dict[str, object]:
    return {"connectorId": connector, "errorCode": error, "status": word, **more}


def test_a_pile_that_boots_is_accepted_and_its_connectors_are_told(tmp_path: Path) -> None:
    with central(tmp_path) as (_, sink, address), dial(address) as pile:
        answer = pile.call("BootNotification", BOOT)
        assert answer["status"] == "Accepted"
        assert answer["interval"] == 60
        assert sink.online == {"pile-1", "pile-2"}
        pile.call("StatusNotification", status(1, "Charging"))
        assert sink.signals("pile-1") == {"firmware": "1.2.3", "status": "Charging", "error": ""}
        assert "status" not in sink.signals("pile-2")
    until(lambda: not sink.online, "the pile is gone")


def test_a_transaction_has_the_energy_between_its_meters(tmp_path: Path) -> None:
    with central(tmp_path) as (_, sink, address), dial(address) as pile:
        pile.call("StatusNotification", status(1, "Preparing"))
        begun = pile.call(
            "StartTransaction", {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 1000, "timestamp": AT}
        )
        assert begun["idTagInfo"] == {"status": "Accepted"}
        number = begun["transactionId"]
        end = {
            "transactionId": number,
            "meterStop": 8500,
            "timestamp": "2026-11-21T01:00:02Z",
            "reason": "EVDisconnected",
        }
        assert pile.call("StopTransaction", end) == {}
        (told,) = sink.transactions("pile-1")
        assert told["transaction"] == str(number)
        assert (told["meter_start"], told["meter_stop"], told["energy_wh"]) == (1000, 8500, 7500)
        assert told["reason"] == "EVDisconnected"
        assert len(str(told["card"])) == 32
