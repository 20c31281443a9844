"""Staff are told that a pile's operator hears nothing, and when he does again."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.commands import doctor_buses
from config.schema import Settings
from firmware_bridge.devices.base import DeviceReading
from firmware_bridge.ocpp.relay import desk, hearing, operator
from firmware_bridge.ocpp.relay.hearing import AWAY, BACK, TELL_S, Hearing, HearingWatch
from tests.firmware_bridge.ocpp import upstream
from tests.firmware_bridge.ocpp.rig import SpoolSink, dial
from tests.firmware_bridge.ocpp.test_relay import TAG, hasty, key_file, nothing_waits, relaying, start
from tests.patience import until
from tests.ports import free_port

__all__ = ["hasty"]


class Piles(dict[str, Hearing]):
    """Of a bus, and what is told."""

    def __init__(self, *names: str) -> None:
        super().__init__((name, Hearing()) for name in names)
        self.watch = HearingWatch("pile-1")

    def told(self, now_s: float) -> DeviceReading | None:
        return self.watch.look(now_s, self.items())


def test_it_is_told_once_after_a_quarter_of_an_hour_and_once_when_all_hear_again() -> None:
    piles = Piles("CP001", "CP002")
    assert piles.told(0.0) == DeviceReading("pile-1", {}, BACK)  # an earlier run may have said that he is away
    piles["CP002"].missed(10.0, "can't be reached")
    piles["CP001"].missed(500.0, "can't be reached")
    assert piles.told(10.0 + TELL_S - 1) is None
    away = DeviceReading("pile-1", {"reason": "CP002: can't be reached", "piles": 2}, AWAY)
    assert [piles.told(10.0 + TELL_S), piles.told(20.0 + TELL_S)] == [away, None]
    piles["CP002"].heard()
    assert piles.told(30.0 + TELL_S) is None  # CP001's does not
    piles["CP001"].heard()
    assert [piles.told(40.0 + TELL_S), piles.told(50.0 + TELL_S)] == [DeviceReading("pile-1", {}, BACK), None]


def test_a_connection_made_anew_now_and_then_is_nobodys_trouble() -> None:
    piles = Piles("CP001")
    piles.told(0.0)
    for minute in range(60):
        piles["CP001"].missed(minute * 60.0, "closes: 1006")
        assert piles.told(minute * 60.0 + 30) is None
        piles["CP001"].heard()


def test_nothing_is_told_while_no_operator_was_ever_heard_of() -> None:
    assert Piles().told(0.0) is None
    piles = Piles("CP001")
    piles["CP001"].missed(0.0, "nobody has answered yet")
    assert piles.told(2.0) is None


def events(sink: SpoolSink) -> list[tuple[str | None, Any]]:
    return [
        (reading.event, reading.signals.get("reason"))
        for reading in sink.held("pile-1")
        if reading.event in (AWAY, BACK)
    ]


def about(sink: SpoolSink) -> Any:
    return json.loads(sink.desk._there["CP001"]).get("operator")


@pytest.mark.parametrize("mode", ["not there", "silent"])
def test_who_is_away_or_answers_nothing_is_told_of_until_he_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(hearing, "TELL_S", 0.5)
    monkeypatch.setattr(hearing, "SHOWN_S", 0.2)
    monkeypatch.setattr(desk, "SHOWN_S", 0.2)
    monkeypatch.setattr(operator, "ANSWER_S", 0.1)
    monkeypatch.setattr(operator, "GIVE_UP_S", 0.3)
    port, stub = free_port(), upstream.StubOperator(mode=mode)
    with relaying(tmp_path, f"ws://127.0.0.1:{port}/operator") as (sink, address), dial(address) as pile:
        if mode == "silent":
            with upstream.operator(stub, port):
                start(pile)
                until(lambda: events(sink), "it is told")
                assert about(sink) == "away"
                stub.mode = "answers"
                until(lambda: len(events(sink)) == 2, "and that he is back")
        else:
            start(pile)
            until(lambda: events(sink), "it is told")
            assert about(sink) == "away"
            with upstream.operator(stub, port):
                stub.mode = "answers"
                until(lambda: len(events(sink)) == 2, "and that he is back")
                nothing_waits(sink, pile)
        until(lambda: about(sink) == "there", "shown with the pile")
        (away, reason), (back, _) = events(sink)
    assert (away, back) == (AWAY, BACK)
    assert reason.startswith("CP001: ")
    assert TAG not in reason


def test_the_doctor_says_what_waits_for_an_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [{"device": "pile-1", "charge_point": "CP001", "connector": 1}]
    bus = {
        "id": "piles", "port": "ws://127.0.0.1:9000/ocpp", "protocol": "ocpp", "devices": devices,
        "upstream": "wss://operator.example/ocpp", "relay_key_file": str(key_file(tmp_path)),
    }  # fmt: skip
    bridge = {"station": "s", "spool": {"path": str(tmp_path)}, "buses": [bus]}
    settings = Settings.model_validate({"bridge": bridge, "stations": [{"id": "s"}]})

    def finding() -> tuple[str, str]:
        (line,) = doctor_buses.serial_ports(settings)
        return line.mark, line.text

    assert finding() == ("ok", "piles are relayed to operator.example; 0 messages wait for it")
    with relaying(tmp_path, f"ws://127.0.0.1:{free_port()}/x") as (_, address), dial(address) as pile:
        start(pile)
        assert finding() == ("ok", "piles are relayed to operator.example; 1 messages wait for it")
        monkeypatch.setattr(doctor_buses, "RELAY_BEHIND_MIN", 0)
        mark, text = finding()
        assert mark == "warn"
        assert text.startswith("1 messages of 1 piles wait for operator.example, the first for 0 min")
