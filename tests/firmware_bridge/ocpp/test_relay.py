"""Piles of an operator: he keeps command, we listen; what he misses waits for him, sealed, in order, each once."""

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.calls import CallAnswer, Ordered
from firmware_bridge.ocpp.relay import operator as operator_module
from tests.firmware_bridge.ocpp.rig import TWO, RawPile, SpoolSink, central, dial
from tests.firmware_bridge.ocpp.upstream import FIRST_NUMBER, StubOperator, operator
from tests.patience import until
from tests.ports import free_port

TAG = "04C0FFEE99"
AT = "2026-11-29T10:00:00Z"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once; the look every two seconds stays."""
    monkeypatch.setattr(operator_module, "AGAIN_MOST_S", 0.05)
    monkeypatch.setattr(operator_module, "REFUSED_AGAIN_S", 0.05)
    monkeypatch.setattr("firmware_bridge.ocpp.central.LOOK_S", 0.1)


def key_file(folder: Path) -> Path:
    path = folder / "relay.key"
    if not path.exists():
        path.write_text("cd" * 32)
        path.chmod(0o600)
    return path


@contextlib.contextmanager
def relaying(folder: Path, upstream: str, **more: Any) -> Iterator[tuple[SpoolSink, str]]:
    with central(folder, upstream=upstream, relay_key_file=key_file(folder), **more) as (bus, sink, address):
        yield sink, address
        assert bus.mishaps.count == 0


def start(pile: RawPile, meter: int = 1000, connector: int = 1, at: str = AT) -> dict[str, Any]:
    return pile.call("StartTransaction", {"connectorId": connector, "idTag": TAG, "meterStart": meter, "timestamp": at})


def stop(pile: RawPile, number: int, meter: int = 5000) -> dict[str, Any]:
    return pile.call("StopTransaction", {"transactionId": number, "meterStop": meter, "timestamp": AT})


def status(pile: RawPile, word: str) -> dict[str, Any]:
    return pile.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": word})


def nothing_waits(sink: SpoolSink, pile: RawPile) -> None:
    """All that waited is off the disk, and the bridge has gone on from there."""
    until(lambda: not sink.spool.relay_next("CP001", 0, 1), "nothing waits")
    assert pile.call("Heartbeat", {}) == {}  # the operator's answer


def test_while_the_operator_is_there_the_pile_hears_his_words_and_we_listen(tmp_path: Path) -> None:
    stub = StubOperator()
    with operator(stub) as (upstream, _), relaying(tmp_path, upstream) as (sink, address), dial(address) as pile:
        boot = pile.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert boot["interval"] == 77
        assert status(pile, "Available") == {}
        assert pile.call("Authorize", {"idTag": TAG}) == {"idTagInfo": {"status": "Accepted"}}
        begun = start(pile)
        assert begun == {"transactionId": FIRST_NUMBER + 1, "idTagInfo": {"status": "Accepted"}}
        assert stop(pile, begun["transactionId"]) == {}
        until(lambda: sink.transactions("pile-1"), "the journal has it")
        (told,) = sink.transactions("pile-1")
        assert (told["energy_wh"], sink.signals("pile-1")["status"]) == (4000, "Available")
        assert [action for _, _, action, _ in stub.heard] == [
            "BootNotification", "StatusNotification", "Authorize", "StartTransaction", "StopTransaction",
        ]  # fmt: skip
        assert len({message for _, message, _, _ in stub.heard}) == 5
        assert stub.said("StopTransaction")[0]["transactionId"] == FIRST_NUMBER + 1
        assert pile.refused == []  # we ask the pile nothing by ourselves


def test_what_the_operator_missed_reaches_him_in_order_once_over_our_restart(tmp_path: Path) -> None:
    port, stub = free_port(), StubOperator()
    upstream = f"ws://127.0.0.1:{port}/operator"
    with relaying(tmp_path, upstream) as (sink, address), dial(address) as pile:
        pile.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        status(pile, "Preparing")
        given = start(pile)["transactionId"]
        assert given > 10_000_000  # a number of ours
        assert pile.call("Authorize", {"idTag": TAG}) == {"idTagInfo": {"status": "Accepted"}}
        assert pile.call("Heartbeat", {})["currentTime"]
        pile.call("MeterValues", {"connectorId": 1, "transactionId": given,
                                  "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "1100"}]}]})  # fmt: skip
    for name in ("spool.sqlite3", "spool.sqlite3-wal"):
        if (tmp_path / name).exists():
            assert TAG.encode() not in (tmp_path / name).read_bytes()
    with relaying(tmp_path, upstream) as (sink, address), dial(address) as pile:
        stop(pile, given)
        status(pile, "Available")
        with operator(stub, port):
            until(lambda: stub.said("StatusNotification")[1:], "all has come")
            nothing_waits(sink, pile)
            again = start(pile, 7000, at="2026-11-29T11:00:00Z")
            assert again["transactionId"] == FIRST_NUMBER + 2
            stop(pile, again["transactionId"], 7500)
        until(lambda: len(sink.transactions("pile-1")) == 2, "the journal has both")
        assert [told["energy_wh"] for told in sink.transactions("pile-1")] == [4000, 500]
        assert sink.spool.relay_next("CP001", 0, 9) == []
    assert [action for _, _, action, _ in stub.heard] == [
        "BootNotification", "StatusNotification", "StartTransaction", "MeterValues", "StopTransaction",
        "StatusNotification", "Heartbeat", "StartTransaction", "StopTransaction",
    ]  # fmt: skip
    assert stub.said("MeterValues")[0]["transactionId"] == FIRST_NUMBER + 1
    assert [said["transactionId"] for said in stub.said("StopTransaction")] == [FIRST_NUMBER + 1, FIRST_NUMBER + 2]
    assert len({message for _, message, _, _ in stub.heard}) == 9


def test_the_operator_stops_by_his_number_what_began_under_ours(tmp_path: Path) -> None:
    port, stub = free_port(), StubOperator()
    with relaying(tmp_path, f"ws://127.0.0.1:{port}/operator") as (sink, address), dial(address) as pile:
        given = start(pile)["transactionId"]
        with operator(stub, port):
            until(lambda: stub.said("StartTransaction"), "he has it")
            nothing_waits(sink, pile)
            stub.call("CP001", "RemoteStopTransaction", {"transactionId": FIRST_NUMBER + 1})
            asked = pile.next()
            assert asked[2:] == ["RemoteStopTransaction", {"transactionId": given}]
            pile.say(json.dumps([3, asked[1], {"status": "Accepted"}]))
            until(lambda: stub.answered, "the pile's answer")
            assert stub.answered[0] == [3, "op-1", {"status": "Accepted"}]


def test_a_number_that_another_open_transaction_has_is_not_given_twice(tmp_path: Path) -> None:
    port, stub = free_port(), StubOperator()
    with relaying(tmp_path, f"ws://127.0.0.1:{port}/operator") as (_, address), dial(address) as pile:
        ours = start(pile)["transactionId"]
        stub._number = ours - 2  # his count will reach our number
        with operator(stub, port):
            until(lambda: stub.said("StartTransaction"), "he has the first")
            second = start(pile, 2000, connector=2)["transactionId"]
            assert second != ours
            stop(pile, second)
            stop(pile, ours)
            until(lambda: len(stub.said("StopTransaction")) == 2, "he has both ends")
    assert [said["transactionId"] for said in stub.said("StopTransaction")] == [ours, ours - 1]


@pytest.mark.parametrize("mode", ["silent", "closes"])
def test_a_pile_is_answered_in_time_when_the_operator_does_not(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_module, "ANSWER_S", 0.3)
    monkeypatch.setattr(operator_module, "GIVE_UP_S", 1.0)
    stub = StubOperator(mode=mode)
    with operator(stub) as (upstream, _), relaying(tmp_path, upstream) as (sink, address), dial(address) as pile:
        given = start(pile)["transactionId"]
        stop(pile, given)
        stub.mode = "answers"
        until(lambda: stub.said("StopTransaction"), "he has it after all")
        until(lambda: sink.transactions("pile-1"), "and so have we")
    by_id = {message: (action, payload) for _, message, action, payload in stub.heard}
    assert [action for action, _ in by_id.values()] == ["StartTransaction", "StopTransaction"]


def test_an_error_of_the_operator_is_the_piles_while_he_is_there(tmp_path: Path) -> None:
    stub = StubOperator(mode="refuses")
    with operator(stub) as (upstream, _), relaying(tmp_path, upstream) as (_, address), dial(address) as pile:
        answer = pile.asked("Heartbeat", {})
        assert answer[0] == 4
        assert answer[2:4] == ["InternalError", "the operator has a fault"]


def test_what_waits_is_given_up_when_the_operator_refuses_it_three_times(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port, stub = free_port(), StubOperator(mode="refuses")
    with relaying(tmp_path, f"ws://127.0.0.1:{port}/operator") as (sink, address), dial(address) as pile:
        given = start(pile)["transactionId"]
        stop(pile, given)
        with operator(stub, port):
            until(lambda: not sink.spool.relay_next("CP001", 0, 9), "given up")
    assert [action for _, _, action, _ in stub.heard] == ["StartTransaction"] * 3 + ["StopTransaction"] * 3
    assert stub.said("StopTransaction")[0]["transactionId"] == -1  # he has no number for it
    assert "refuses a StartTransaction that waited: InternalError" in caplog.text
    assert TAG not in caplog.text


def test_a_late_no_of_the_operator_stops_the_charge(tmp_path: Path) -> None:
    port, stub = free_port(), StubOperator(verdict="Blocked")
    with relaying(tmp_path, f"ws://127.0.0.1:{port}/operator") as (_, address), dial(address) as pile:
        begun = start(pile)
        assert begun["idTagInfo"]["status"] == "Accepted"
        with operator(stub, port):
            asked = pile.next()
            assert asked[2:] == ["RemoteStopTransaction", {"transactionId": begun["transactionId"]}]


def test_a_step_that_the_pile_repeats_is_not_told_the_operator_again(tmp_path: Path) -> None:
    stub = StubOperator()
    with operator(stub) as (upstream, _):
        with relaying(tmp_path, upstream) as (_, address), dial(address) as pile:
            first = start(pile)
            assert start(pile) == first
        with relaying(tmp_path, upstream) as (_, address), dial(address) as pile:
            assert start(pile) == first
            for _ in range(2):
                stop(pile, first["transactionId"])
    assert [action for _, _, action, _ in stub.heard] == ["StartTransaction", "StopTransaction"]


def test_the_operator_alone_commands_unless_it_is_allowed(tmp_path: Path) -> None:
    stub = StubOperator()

    def asked_by_staff(sink: SpoolSink) -> CallAnswer:
        answers: list[CallAnswer] = []
        (caller,) = sink.desk._callers
        caller.carry_out(Ordered(do="reset", device="pile-1"), answers.append)
        return until(lambda: answers, "the answer")[0]

    with operator(stub) as (upstream, _):
        with relaying(tmp_path, upstream) as (sink, address), dial(address) as pile:
            pile.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
            assert asked_by_staff(sink)["trouble"] == "operator_commands"
            pile.call("Heartbeat", {})
            assert pile.refused == []
        with relaying(tmp_path, upstream, allow_calls=True) as (sink, address), dial(address) as pile:
            pile.call("Heartbeat", {})
            (caller,) = sink.desk._callers
            answers: list[CallAnswer] = []
            caller.carry_out(Ordered(do="reset", device="pile-1"), answers.append)
            asked = pile.next()
            assert asked[2] == "Reset"
            pile.say(json.dumps([3, asked[1], {"status": "Accepted"}]))
            assert until(lambda: answers)[0] == {"result": {"status": "Accepted"}}


def test_an_unknown_action_is_passed_on_too_and_its_words_stay_as_they_came(tmp_path: Path) -> None:
    stub = StubOperator()
    with operator(stub) as (upstream, _), relaying(tmp_path, upstream) as (_, address), dial(address) as pile:
        pile.say('[2, "x1" , "VendorThing", { "a" : 1.10, "b":[ 1 ] } ]')
        assert pile.next() == [3, "x1", {}]
        assert stub.said("VendorThing") == [{"a": 1.1, "b": [1]}]


def test_name_password_and_subprotocol_are_passed_on(tmp_path: Path) -> None:
    stub = StubOperator()
    header = {"Authorization": "Basic Q1AwMDE6dGhlIHBhc3N3b3Jk"}
    (tmp_path / "password").write_text("the password")
    devices = [TWO[0] | {"password_file": tmp_path / "password"}]
    with (
        operator(stub) as (upstream, _),
        relaying(tmp_path, upstream, devices=devices) as (_, address),
        dial(address, version="ocpp2.0.1", additional_headers=header) as pile,
    ):
        pile.call("Heartbeat", {})
        assert stub.headers[0]["authorization"] == header["Authorization"]
        assert stub.headers[0]["sec-websocket-protocol"] == "ocpp2.0.1"


def test_transactions_of_2_0_1_wait_and_are_delivered(tmp_path: Path) -> None:
    port, stub = free_port(), StubOperator()

    def event(kind: str, number: int, wh: float) -> dict[str, Any]:
        return {
            "eventType": kind, "timestamp": AT, "triggerReason": "Authorized", "seqNo": number,
            "transactionInfo": {"transactionId": "tx-9"}, "evse": {"id": 1, "connectorId": 1},
            "idToken": {"idToken": TAG, "type": "ISO14443"},
            "meterValue": [{"timestamp": AT, "sampledValue": [{"value": wh}]}],
        }  # fmt: skip

    upstream = f"ws://127.0.0.1:{port}/operator"
    with relaying(tmp_path, upstream) as (sink, address), dial(address, version="ocpp2.0.1") as pile:
        for kind, number, wh in (("Started", 0, 100.0), ("Updated", 1, 200.0), ("Ended", 2, 400.0)):
            assert pile.call("TransactionEvent", event(kind, number, wh))["idTokenInfo"]["status"] == "Accepted"
        with operator(stub, port):
            until(lambda: len(stub.heard) == 3, "all has come")
        assert [told["energy_wh"] for told in sink.transactions("pile-1")] == [300]
    assert [payload["seqNo"] for payload in stub.said("TransactionEvent")] == [0, 1, 2]


def test_another_key_delivers_nothing_and_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    port, stub = free_port(), StubOperator()
    upstream = f"ws://127.0.0.1:{port}/operator"
    with relaying(tmp_path, upstream) as (_, address), dial(address) as pile:
        start(pile)
    key_file(tmp_path).write_text("ef" * 32)
    with operator(stub, port), relaying(tmp_path, upstream) as (sink, address), dial(address) as pile:
        until(lambda: "put the former relay_key_file back" in caplog.text, "it is told")
        assert pile.call("Heartbeat", {}) == {}
        assert len(sink.spool.relay_next("CP001", 0, 9)) == 1
    assert stub.said("StartTransaction") == []
    key_file(tmp_path).write_text("cd" * 32)
    with operator(stub, port), relaying(tmp_path, upstream) as (_, address), dial(address):
        until(lambda: stub.said("StartTransaction"), "it is delivered")


def test_a_key_that_is_put_back_while_the_bridge_runs_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(operator_module, "SEALED_AGAIN_S", 0.1)
    port, stub = free_port(), StubOperator()
    upstream = f"ws://127.0.0.1:{port}/operator"
    with relaying(tmp_path, upstream) as (_, address), dial(address) as pile:
        given = start(pile)["transactionId"]
    key_file(tmp_path).write_text("ef" * 32)
    with relaying(tmp_path, upstream) as (sink, address), dial(address) as pile:
        stop(pile, given)  # sealed with the other key
        with operator(stub, port):
            until(lambda: "put the former relay_key_file back" in caplog.text, "it is told")
            key_file(tmp_path).write_text("cd" * 32)
            until(lambda: stub.said("StopTransaction"), "both are delivered")
            nothing_waits(sink, pile)
    assert [action for _, _, action, _ in stub.heard] == ["StartTransaction", "StopTransaction", "Heartbeat"]
    assert caplog.text.count("put the former relay_key_file back") == 1
