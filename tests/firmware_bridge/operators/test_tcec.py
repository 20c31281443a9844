"""A real bus against a made-up operator who is strict about T/CEC 102; the envelope against the standard's example."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from firmware_bridge.emulator.operators.tcec import VirtualTcecOperator
from firmware_bridge.emulator.operators.web import WebFault
from firmware_bridge.emulator.operators.world import OperatedPlugs
from firmware_bridge.operators.tcec import envelope
from firmware_bridge.operators.tcec.envelope import EnvelopeError, TcecKeys, key_of, stamp_of, time_in
from firmware_bridge.operators.tcec.words import ConnectorStatus, pushed_in, word_of
from gateway.base.clock import now_ms
from tests.firmware_bridge.ocpp.rig import SpoolSink
from tests.firmware_bridge.operators.rig import PARTY, asking, status, tcec_settings
from tests.patience import until

VECTORS = Path(__file__).parents[2] / "vectors" / "tcec"
NAMES = [f"44030100{number:02d}" for number in range(1, 8)]


def test_the_standards_own_example_is_opened_signed_and_sealed() -> None:
    told = json.loads((VECTORS / "envelope.json").read_text("utf-8"))
    keys = TcecKeys(key_of(told["key"], "key"), key_of(told["iv"], "iv"), told["sig_secret"].encode())
    asked, data = keys.asked(json.dumps(told["question"]).encode())
    assert (asked.operator_id, data.decode()) == ("123456789", told["opened"])
    assert keys.signature("123456789", asked.data, asked.time_stamp, asked.seq) == told["question"]["Sig"]
    assert keys.opened(keys.sealed({"a": 1})) == b'{"a":1}'
    for name in ("Sig", "Data", "Seq"):
        broken = told["question"] | {name: told["question"][name][:-1] + "0"}
        if broken != told["question"]:
            with pytest.raises(EnvelopeError) as refused:
                keys.asked(json.dumps(broken).encode())
            assert refused.value.ret == envelope.BAD_SIGNATURE


@pytest.mark.parametrize(("said", "becomes"), json.loads((VECTORS / "statuses.json").read_text("utf-8"))["words"])
def test_every_status_becomes_a_word_of_a_charger(said: dict[str, Any], becomes: dict[str, str]) -> None:
    word = word_of(msgspec.json.decode(json.dumps(said), type=ConnectorStatus))
    assert {"status": word.status, "error": word.error} == becomes
    assert pushed_in(json.dumps({"ConnectorStatusInfo": said}).encode()) == [word]
    assert pushed_in(json.dumps({"ConnectorStatusInfo": [said, said]}).encode()) == [word, word]


def test_times_are_those_of_beijing() -> None:
    assert stamp_of(1_795_262_400_000) == "20261121200000"
    assert time_in("20261121200000") == 1_795_262_400_000
    assert [time_in(text) for text in ("", "2026112120000", "20261321200000", "x" * 14)] == [None] * 4


def test_keys_are_sixteen_bytes() -> None:
    assert key_of("1234567890abcdef", "k") == b"1234567890abcdef"
    assert key_of("00112233445566778899aabbccddeeff", "k") == bytes.fromhex("00112233445566778899aabbccddeeff")
    for text in ("", "1234567890abcde", "g" * 32, "汉" * 16):
        with pytest.raises(ValueError, match="AES-128 needs 16"):
            key_of(text, "k")


@pytest.fixture
def operator() -> Iterator[VirtualTcecOperator]:
    made = VirtualTcecOperator(OperatedPlugs(NAMES, now_ms(), speed=0), now_ms, PARTY)
    made.start()
    yield made
    made.end()


def test_it_gets_a_token_finds_its_stations_and_tells_each_status(
    tmp_path: Path, sink: SpoolSink, operator: VirtualTcecOperator
) -> None:
    for name, word in zip(NAMES, ("0", "1", "2", "3", "4", "255"), strict=False):
        operator.plugs.set(name, word, now_ms())
    with asking(tmp_path, sink, tcec_settings(tmp_path, operator.base, NAMES)):
        until(lambda: status(sink, f"pile-{NAMES[-1]}"), "all of them")
    assert [status(sink, f"pile-{name}") for name in NAMES] == [
        "Unknown", "Available", "Occupied", "Charging", "Reserved", "Faulted", "Available",
    ]  # fmt: skip
    assert operator.asked[:5] == ["query_token", *["query_stations_info"] * 3, "query_station_status"]
    assert operator.given == 1


def test_a_connector_without_quotes_is_found(tmp_path: Path, sink: SpoolSink, operator: VirtualTcecOperator) -> None:
    settings = tcec_settings(tmp_path, operator.base, [])
    settings["devices"] = [{"device": "pile", "connector": int(NAMES[0])}]
    with asking(tmp_path, sink, settings):
        until(lambda: status(sink, "pile") == "Available", "a word")


def test_a_token_is_renewed_before_it_ends_and_when_he_has_forgotten_it(
    tmp_path: Path, sink: SpoolSink, operator: VirtualTcecOperator
) -> None:
    operator.lasts_s = 1
    with asking(tmp_path, sink, tcec_settings(tmp_path, operator.base, NAMES[:1])):
        until(lambda: operator.given > 2, "renewed")
        operator.lasts_s = 7_200
        given = operator.given
        until(lambda: operator.given > given, "one that lasts")
        operator.token = "lost"
        operator.plugs.set(NAMES[0], "Charging", now_ms())
        until(lambda: status(sink, f"pile-{NAMES[0]}") == "Charging", "asked with a new one")


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("operator_secret_file", "operator_secret_file is wrong"),
        ("data_secret_file", "data_secret_file"),
        ("sig_secret_file", "sig_secret_file"),
    ],
)
def test_a_wrong_secret_is_named_and_a_right_one_taken_up(
    tmp_path: Path, sink: SpoolSink, operator: VirtualTcecOperator, file: str, told: str,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr("firmware_bridge.operators.bus.LONGEST_PAUSE_S", 0.1)
    settings = tcec_settings(tmp_path, operator.base, NAMES[:1])
    right = (tmp_path / file).read_text()
    (tmp_path / file).write_text("another-secret-x")
    with asking(tmp_path, sink, settings):
        until(lambda: told in caplog.text, "it is named")
        (tmp_path / file).write_text(right)
        until(lambda: status(sink, f"pile-{NAMES[0]}") == "Available", "a word")
    assert "another-secret-x" not in caplog.text


def test_what_he_pushes_is_on_disk_before_he_is_answered(
    tmp_path: Path, sink: SpoolSink, operator: VirtualTcecOperator
) -> None:
    settings = tcec_settings(tmp_path, operator.base, NAMES[:2], poll_s=3_600)
    first, two = (f"pile-{name}" for name in NAMES[:2])
    with asking(tmp_path, sink, settings):
        until(lambda: status(sink, two) == "Available", "the first word")
        operator.plugs.set(NAMES[0], "Charging", now_ms())
        told = {"ConnectorStatusInfo": operator.connector(NAMES[0])}
        assert operator.push(settings["listen"], told) == (0, {"Status": 0})
        assert status(sink, first) == "Charging"
        stranger = {"ConnectorStatusInfo": {"ConnectorID": "nobody's", "Status": 3}}
        assert operator.push(settings["listen"], stranger) == (0, {"Status": 0})


def test_what_he_told_long_ago_is_asked_for_anew(
    tmp_path: Path, sink: SpoolSink, operator: VirtualTcecOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware_bridge.operators.bus.HURRY_S", 0.0)
    settings = tcec_settings(tmp_path, operator.base, NAMES[:1], poll_s=3_600)
    with asking(tmp_path, sink, settings):
        until(lambda: status(sink, f"pile-{NAMES[0]}") == "Available", "the first word")
        operator.plugs.set(NAMES[0], "Faulted", now_ms())
        late = {"ConnectorStatusInfo": {"ConnectorID": NAMES[0], "Status": 3}}
        assert operator.push(settings["listen"], late, at=now_ms() - 600_000) == (0, {"Status": 0})
        until(lambda: status(sink, f"pile-{NAMES[0]}") == "Faulted", "he is asked")
    assert "Charging" not in {reading.signals.get("status") for reading in sink.held(f"pile-{NAMES[0]}")}


def test_strangers_get_the_codes_of_the_standard_and_change_nothing(
    tmp_path: Path, sink: SpoolSink, operator: VirtualTcecOperator
) -> None:
    settings = tcec_settings(tmp_path, operator.base, NAMES[:1], poll_s=3_600)
    here, told = settings["listen"], {"ConnectorStatusInfo": {"ConnectorID": NAMES[0], "Status": 3}}
    with asking(tmp_path, sink, settings):
        until(lambda: status(sink, f"pile-{NAMES[0]}") == "Available", "the first word")

        def ret(body: bytes, name: str = "notification_stationStatus", token: str | None = None) -> int:
            code: int = json.loads(operator.call(f"{here}/{name}", body, token)[1])["Ret"]
            return code

        right = PARTY.keys.question("MA5", told, stamp_of(now_ms()), "0001")
        forged = replace(PARTY.keys, sig_secret=b"guessed").question("MA5", told, stamp_of(now_ms()), "0001")
        assert ret(right, token="guessed") == 4002
        assert ret(forged) == 4001
        assert ret(b"{}") == ret(b"[" * 5_000) == ret(b"\xff") == 4003
        assert (
            ret(PARTY.keys.question("MA5", {"ConnectorStatusInfo": 7}, stamp_of(now_ms()), "1"), "query_token") == 4004
        )
        guess = {"OperatorID": "MA5", "OperatorSecret": "guessed"}
        assert operator.push(here, guess, name="query_token")[1]["SuccStat"] == 1
        assert operator.push(here, told, at=-62_000_000_000_000)[0] in (0, 4003)
        assert operator.push(here, {"ConnectorStatusInfo": {"ConnectorID": NAMES[0]}})[0] == 4004
        assert operator.push(here, told, name="query_anything")[0] == 4004
        assert operator.call(f"{here}/a/b", b"{}")[0] == 404
    assert {reading.signals.get("status") for reading in sink.held(f"pile-{NAMES[0]}")} == {"Available"}


@pytest.mark.parametrize("fault", [fault for fault in get_args(WebFault) if fault])
def test_a_hostile_operator_costs_his_bus_alone_and_only_as_long_as_he_is_one(
    tmp_path: Path, sink: SpoolSink, operator: VirtualTcecOperator, fault: WebFault, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("firmware_bridge.operators.web.ANSWER_S", 2.0)
    monkeypatch.setattr("firmware_bridge.operators.bus.LONGEST_PAUSE_S", 0.1)
    with asking(tmp_path, sink, tcec_settings(tmp_path, operator.base, NAMES[:1])):
        until(lambda: status(sink, f"pile-{NAMES[0]}") == "Available", "a word")
        operator.web.fault = fault
        until(lambda: "trying again" in caplog.text, "it is told")
        operator.plugs.set(NAMES[0], "Charging", now_ms())
        operator.web.fault = ""
        until(lambda: status(sink, f"pile-{NAMES[0]}") == "Charging", "he answers again")
    assert "a fault of this program" not in caplog.text
