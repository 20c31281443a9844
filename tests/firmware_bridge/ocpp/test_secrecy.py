"""The number of a card stands in no file, log, topic, metric or audit line, whatever pile, operator and staff say."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from firmware_bridge.cards import without_numbers
from tests.conftest import KEEPING, Mosquitto
from tests.firmware_bridge.ocpp.rig import RawPile, dial
from tests.firmware_bridge.ocpp.test_product import Answering, House, reachable, refused
from tests.firmware_bridge.ocpp.upstream import StubOperator, operator
from tests.patience import until
from tests.ports import free_port

TAG = "04C0FFEE9911"
FORMS = (TAG, TAG.lower(), "04:C0:FF:EE:99:11", bytes.fromhex(TAG).decode("latin-1"), str(int(TAG, 16)))
ECHO = "04DEADBEEF77"  # a pile's own word to an admin, which goes back to him alone
AT = datetime.now(UTC).isoformat()
METERS = [{"timestamp": AT, "sampledValue": [{"value": "1100", "context": "Transaction.End"}]}]
TOKEN = {"idToken": TAG, "type": "ISO14443"}

SAID_16: tuple[tuple[str, dict[str, Any]], ...] = (
    ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}),
    ("Authorize", {"idTag": TAG}),
    ("StatusNotification", {"connectorId": 1, "errorCode": "ReaderFailure", "status": "Faulted",
                            "info": f"card {TAG} and 04:C0:FF:EE:99:11 unread"}),
    ("DataTransfer", {"vendorId": "V", "messageId": "card", "data": TAG}),
    ("SecurityEventNotification", {"type": f"InvalidCard{TAG}", "timestamp": AT, "techInfo": TAG}),
    ("MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": METERS, "extra": TAG}),
    ("VendorThing", {"idTag": TAG}),
    ("Authorize", {"idTag": TAG * 4}),
    ("Authorize", {"idTag": TAG, TAG: 1}),
)  # fmt: skip
SAID_201: tuple[tuple[str, dict[str, Any]], ...] = (
    ("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}),
    ("Authorize", {"idToken": TOKEN}),
    *(
        ("TransactionEvent", {
            "eventType": kind, "timestamp": AT, "triggerReason": "Authorized", "seqNo": number, "idToken": TOKEN,
            "transactionInfo": {"transactionId": "t-1"}, "evse": {"id": 2, "connectorId": 1}, "meterValue": [
                {"timestamp": AT, "sampledValue": [{"value": 10.0 * number}]}],
        })
        for number, kind in enumerate(("Started", "Updated", "Ended"))
    ),
    ("NotifyCustomerInformation", {"data": f"card {TAG}", "seqNo": 0, "generatedAt": AT, "requestId": 1}),
    ("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "DC"},
                               "customData": {"vendorId": TAG}}),
)  # fmt: skip
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("RemoteStartTransaction", {"connectorId": 1, "idTag": TAG}),
    ("ReserveNow", {"connectorId": 1, "expiryDate": AT, "idTag": TAG, "reservationId": 1}),
    ("SendLocalList", {"listVersion": 1, "updateType": "Full",
                       "localAuthorizationList": [{"idTag": TAG, "idTagInfo": {"status": "Accepted"}}]}),
    ("DataTransfer", {"vendorId": "V", "data": json.dumps({"idTag": TAG})}),
)  # fmt: skip


def speak_16(pile: RawPile) -> None:
    for action, payload in SAID_16:
        pile.asked(action, payload)
    for raw in (f'[2,"x","Authorize",{{"idTag":"{TAG}"]', f'["{TAG}"]', f'[2,"{TAG}","Authorize",{{}}]'):
        pile.say(raw)
    begun = pile.call("StartTransaction", {"connectorId": 1, "idTag": TAG, "meterStart": 10, "timestamp": AT})
    number = begun["transactionId"]
    pile.call(
        "StopTransaction",
        {"transactionId": number, "idTag": TAG, "meterStop": 20, "timestamp": AT, "transactionData": METERS},
    )


@contextlib.contextmanager
def listening(port: int, file: Path) -> Iterator[None]:
    """Every topic and what is said there, in a file."""
    with file.open("wb") as out:
        child = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", "#", "-F", "%t %p"], stdout=out
        )
    try:
        yield
    finally:
        child.terminate()
        child.wait()


def staff_call(house: House, admin: str, answering: Answering) -> None:
    """Calls with a number in them are refused; what a pile answers with one is told in a word of the standard."""
    answering.answers["ClearCache"] = {"status": ECHO}
    answer = house.ask("/api/v1/piles/CP001/calls", admin, {"action": "ClearCache", "payload": {}})
    assert answer == {"result": {"status": ECHO}}  # who asked hears what the pile says
    for action, payload in CALLS:
        assert TAG not in refused(
            house, 422, "/api/v1/piles/CP001/calls", admin, {"action": action, "payload": payload}
        )


def everything(house: House, admin: str) -> dict[str, bytes]:
    """Every artefact of the house: the journal in each form, metrics, audit and history by the API, files and logs."""
    told = {
        " ".join(words): house.run(*words) for words in (("export",), ("export", "--raw"), ("export", "--quarantine"))
    }
    for path in ("/api/v1/audit", "/api/v1/stations/s1", "/api/v1/stations/s1/piles", "/api/v1/alerts"):
        told[path] = json.dumps(house.ask(path, admin))
    with urlopen(f"http://127.0.0.1:{house.http}/metrics", timeout=60) as answer:
        told["/metrics"] = answer.read().decode()
    house.stop()
    files = {str(path): path.read_bytes() for path in house.folder.rglob("*") if path.is_file()}
    return files | {name: text.encode() for name, text in told.items()}


def around(form: bytes, text: bytes) -> str:
    at = text.index(form)
    return repr(text[max(0, at - 120) : at + 60])


@pytest.mark.broker
@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("relayed", [False, True])
def test_no_number_of_a_card_is_anywhere(tmp_path: Path, mosquitto_of: Callable[..., Mosquitto], relayed: bool) -> None:
    broker, port, stub = mosquitto_of(*KEEPING), free_port(), StubOperator(verdict="Accepted")
    house = House(tmp_path, broker)
    if relayed:
        settings = json.loads(house.config.read_text())
        (tmp_path / "relay.key").write_text("cd" * 32)
        (tmp_path / "relay.key").chmod(0o600)
        bus = settings["bridge"]["buses"][0]
        bus |= {"upstream": f"ws://127.0.0.1:{port}/x", "relay_key_file": "relay.key", "allow_calls": True}
        house.config.write_text(json.dumps(settings))
    with listening(broker.port, tmp_path / "topics.txt"):
        house.start("up")
        house.start("bridge")
        try:
            until(lambda: house.ask("/readyz") is not None, "the gateway is ready")
            until(lambda: reachable(house.piles), "the bridge listening")
            admin = house.run("keys", "create", "--role", "admin", "--name", "admin").split()[-1]
            with dial(house.address) as pile:
                speak_16(pile)
            with dial(house.address, version="ocpp2.0.1") as pile:
                for action, payload in SAID_201:
                    pile.asked(action, payload)
            with operator(stub, port) if relayed else contextlib.nullcontext(), dial(house.address) as pile:
                if relayed:
                    until(lambda: stub.said("StopTransaction"), "what waited is delivered")
                speak_16(pile)
                answering = Answering(pile)
                until(lambda: house.ask("/api/v1/stations/s1/piles", admin)["piles"], "the pile is told")
                staff_call(house, admin, answering)
                if relayed:
                    stub.call("CP001", "RemoteStartTransaction", {"connectorId": 1, "idTag": TAG})
                    until(lambda: stub.answered, "the pile has answered his call")
                    stub.lines["CP001"].close(1008, f"card {TAG} is not known")
                    stub.mode = "refuses"
            until(lambda: house.run("export").count('"transaction"') >= 6, "all is in the journal", pause_s=1)
            texts = everything(house, admin)
        finally:
            house.stop()
    assert b"transaction" in texts["export"]
    assert b"command" in texts["export --raw"]
    forms = [form.encode() for form in FORMS]
    assert [(name, around(form, text)) for name, text in texts.items() for form in forms if form in text] == []
    echo = ECHO.encode()
    assert [name for name, text in texts.items() if echo in text] == [str(tmp_path / "topics.txt")]
    assert {line.partition(b"/")[0] for line in texts[str(tmp_path / "topics.txt")].splitlines() if echo in line} == {
        b"yz-reply"
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("card 04A1B2C3 refused", "card … refused"), ("uid 04:a1:b2:c3:d4 unread", "uid … unread"),
        ("04 A1 B2 C3", "…"), ("110105194912310020", "…"), ("door opened twice", "door opened twice"),
        ("overcurrent 63A at L2", "overcurrent 63A at L2"), ("temperature 104.5 C", "temperature 104.5 C"),
        ("ConnectorLockFailure", "ConnectorLockFailure"), ("", ""),
    ],
)  # fmt: skip
def test_free_words_of_a_machine_are_shown_without_numbers_of_cards(text: str, shown: str) -> None:
    assert without_numbers(text) == shown
