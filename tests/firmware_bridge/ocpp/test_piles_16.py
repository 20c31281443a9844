"""OCPP 1.6 on the wire: what a pile says becomes signals and transactions, and every action is answered."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware_bridge.cards import CardNumber, Cards
from firmware_bridge.ocpp import attending
from firmware_bridge.ocpp.opening import how_set, to_set
from gateway.base.clock import now_ms
from gateway.commands import make_token
from tests.firmware_bridge.ocpp.rig import CARD_KEY, COMMAND_KEY, central, dial
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


def test_a_transaction_that_is_begun_or_ended_again_is_told_once(tmp_path: Path) -> None:
    start = {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 1000, "timestamp": AT}
    with central(tmp_path) as (_, sink, address):
        with dial(address) as pile:
            number = pile.call("StartTransaction", start)["transactionId"]
        with dial(address) as pile:  # the answer was lost
            assert pile.call("StartTransaction", start)["transactionId"] == number
            end = {"transactionId": number, "meterStop": 8500, "timestamp": "2026-11-21T01:00:02Z"}
            for _ in range(3):
                pile.call("StopTransaction", end)
            another = pile.call("StartTransaction", start | {"meterStart": 8500})["transactionId"]
            assert another > number
        assert len(sink.transactions("pile-1", "started")) == 2
        assert [told["energy_wh"] for told in sink.transactions("pile-1")] == [7500]


def test_numbers_of_transactions_go_on_after_a_restart(tmp_path: Path) -> None:
    numbers = []
    for meter in (1, 2, 3):
        start = {"connectorId": 1, "idTag": "A", "meterStart": meter, "timestamp": AT}
        with central(tmp_path) as (_, _, address), dial(address) as pile:
            numbers.append(pile.call("StartTransaction", start)["transactionId"])
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert 0 < numbers[0] < 2**31


def test_an_end_whose_start_never_came_is_told_without_one(tmp_path: Path) -> None:
    devices = [{"device": "pile-1", "charge_point": "CP001"}]
    begin = {"timestamp": AT, "sampledValue": [{"value": "500", "context": "Transaction.Begin"}]}
    end = {"transactionId": 77, "meterStop": 8500, "timestamp": AT, "transactionData": [begin]}
    with central(tmp_path, devices) as (_, sink, address), dial(address) as pile:
        for _ in range(2):
            assert pile.call("StopTransaction", end) == {}
        (told,) = sink.transactions("pile-1")
        assert (told["energy_wh"], "started_at" in told) == (8000, False)


def test_who_is_not_on_the_list_does_not_charge(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text(Cards(CARD_KEY, "day").access(CardNumber.of_any(b"04A1B2C3")) + "  # Li\n")
    with central(tmp_path, allowed=allowed, authorize="list") as (_, _, address), dial(address) as pile:
        ours = make_token(COMMAND_KEY, now_ms())
        for tag, verdict in (("04a1b2c3", "Accepted"), ("04A1B2C4", "Invalid"), (ours, "Accepted")):
            assert pile.call("Authorize", {"idTag": tag})["idTagInfo"] == {"status": verdict}
        start = {"connectorId": 1, "idTag": "04A1B2C4", "meterStart": 1, "timestamp": AT}
        assert pile.call("StartTransaction", start)["idTagInfo"] == {"status": "Invalid"}


LISTED = (
    ("04A1B2C3", ""), ("04A1B2C5", " blocked"), ("04A1B2C6", " until 2020-01-31"), ("04A1B2C7", " until 2100-01-31"),
)  # fmt: skip


def listed(folder: Path) -> Path:
    path, cards = folder / "allowed", Cards(CARD_KEY, "day")
    path.write_text("".join(f"{cards.access(CardNumber.of_any(tag.encode()))}{words}\n" for tag, words in LISTED))
    return path


STANDINGS = (
    ("04A1B2C5", {"status": "Blocked"}), ("04A1B2C6", {"status": "Expired"}), ("04A1B2C4", {"status": "Invalid"}),
    ("04A1B2C7", {"status": "Accepted", "ends": "2100-02-01T00:00:00.000Z"}),
)  # fmt: skip


@pytest.mark.parametrize(("tag", "standing"), STANDINGS)
def test_a_pile_of_1_6_hears_how_a_card_stands_on_the_list(tmp_path: Path, tag: str, standing: dict[str, str]) -> None:
    info = {"expiryDate" if key == "ends" else key: value for key, value in standing.items()}
    with central(tmp_path, allowed=listed(tmp_path), authorize="list") as (_, sink, address), dial(address) as pile:
        assert pile.call("Authorize", {"idTag": tag}) == {"idTagInfo": info}
        start = {"connectorId": 1, "idTag": tag, "meterStart": 1, "timestamp": AT}
        begun = pile.call("StartTransaction", start)
        assert begun["idTagInfo"] == info
        end = {"transactionId": begun["transactionId"], "idTag": tag, "meterStop": 1, "timestamp": AT}
        assert pile.call("StopTransaction", end) == {"idTagInfo": info}
        assert len(sink.transactions("pile-1")) == 1  # it took place, whoever it was


@pytest.mark.parametrize(("tag", "standing"), STANDINGS)
def test_a_pile_of_2_0_1_hears_how_a_card_stands_on_the_list(
    tmp_path: Path, tag: str, standing: dict[str, str]
) -> None:
    info = {"cacheExpiryDateTime" if key == "ends" else key: value for key, value in standing.items()}
    token = {"idToken": tag, "type": "ISO14443"}
    event = {
        "eventType": "Started", "timestamp": AT, "triggerReason": "Authorized", "seqNo": 0, "idToken": token,
        "transactionInfo": {"transactionId": "t1"}, "evse": {"id": 1, "connectorId": 1},
    }  # fmt: skip
    with (
        central(tmp_path, allowed=listed(tmp_path), authorize="list") as (_, _, address),
        dial(address, version="ocpp2.0.1") as pile,
    ):
        assert pile.call("Authorize", {"idToken": token}) == {"idTokenInfo": info}
        assert pile.call("TransactionEvent", event) == {"idTokenInfo": info}


def test_a_pile_is_told_how_often_to_say_that_it_is_there(tmp_path: Path) -> None:
    with central(tmp_path, heartbeat_s=25) as (_, _, address), dial(address) as pile:
        boot = pile.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert (boot["status"], boot["interval"]) == ("Accepted", 25)


def test_a_pile_that_tells_no_status_is_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attending, "ASK_STATUS_S", 0.1)
    with central(tmp_path) as (_, _, address), dial(address) as pile:
        pile.call("StatusNotification", status(2, "Available"))
        asked = pile.refused[0] if pile.refused else pile.next()
        assert asked[2:] == ["TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}]


def test_a_pile_that_boots_has_its_cache_turned_on_where_it_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "SETTLED_S", 0.1)
    with central(tmp_path) as (_, _, address), dial(address) as pile:
        pile.call("BootNotification", BOOT)
        asked = pile.next()
        assert asked[2:] == ["GetConfiguration", {"key": ["AuthorizationCacheEnabled", "LocalAuthorizeOffline"]}]
        known = [
            {"key": "AuthorizationCacheEnabled", "readonly": False, "value": "false"},
            {"key": "LocalAuthorizeOffline", "readonly": False, "value": "TRUE"},
        ]
        pile.say(json.dumps([3, asked[1], {"configurationKey": known}]))
        asked = pile.next()
        assert asked[2:] == ["ChangeConfiguration", {"key": "AuthorizationCacheEnabled", "value": "true"}]
        pile.say(json.dumps([3, asked[1], {"status": "NotSupported"}]))
        pile.call("Heartbeat", {})
        assert pile.refused == []


@pytest.mark.parametrize(
    "answer", [{}, {"configurationKey": None}, {"configurationKey": [7, {"key": "AuthorizationCacheEnabled"}]},
               {"unknownKey": ["AuthorizationCacheEnabled"]}, {"getVariableResult": [{"attributeStatus": "Accepted"}]}]
)  # fmt: skip
def test_whatever_a_pile_answers_nothing_is_set_that_is_not_off(answer: dict[str, object]) -> None:
    assert to_set("1.6", answer) == to_set("2.0.1", answer) == []


def test_variables_that_are_off_are_set_at_a_station_of_2_0_1() -> None:
    place = {"component": {"name": "AuthCacheCtrlr"}, "variable": {"name": "Enabled"}}
    settings = to_set(
        "2.0.1", {"getVariableResult": [place | {"attributeStatus": "Accepted", "attributeValue": "false"}]}
    )
    assert settings == [("SetVariables", {"setVariableData": [place | {"attributeValue": "true"}]})]
    assert how_set("2.0.1")[0] == "GetVariables"


def test_old_meter_values_of_a_pile_that_was_offline_change_nothing_now(tmp_path: Path) -> None:
    now = datetime.now(UTC)

    def meter(minutes_ago: float, wh: int) -> dict[str, object]:
        at = (now - timedelta(minutes=minutes_ago)).isoformat()
        return {"connectorId": 1, "meterValue": [{"timestamp": at, "sampledValue": [{"value": str(wh)}]}]}

    with central(tmp_path) as (_, sink, address), dial(address) as pile:
        pile.call("MeterValues", meter(0, 900))
        pile.call("MeterValues", meter(90, 100))
        assert sink.signals("pile-1") == {"energy_wh": 900}
        pile.call("MeterValues", meter(1, 910))
        assert sink.signals("pile-1") == {"energy_wh": 910}
