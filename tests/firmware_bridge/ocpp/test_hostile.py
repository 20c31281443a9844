"""Hostile callers cost themselves: floods, half handshakes, slow readers, frames too large, nonsense."""

import contextlib
import json
import random
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from firmware_bridge.ocpp import attending
from firmware_bridge.ocpp import entrance as entrance_in
from firmware_bridge.ocpp.link import BURST, MAX_MESSAGE, RATE_PER_S
from tests.firmware_bridge.ocpp.rig import central, dial, port_of
from tests.patience import promptly, until

CROWD = [{"device": f"pile-{number}", "charge_point": f"CP{number:03}"} for number in range(1, 4)]


def test_a_pile_that_floods_starves_nobody(tmp_path: Path) -> None:
    with central(tmp_path, CROWD) as (_, _, address), dial(address, "CP001") as flood, dial(address, "CP002") as calm:
        begin = time.monotonic()
        for number in range(3_000):
            flood.say(json.dumps([2, f"f{number}", "Heartbeat", {}]))
        for _ in range(20):
            assert calm.call("Heartbeat", {})
        assert promptly(begin, 1.0)
        answered = 0
        while answered < BURST + 20:
            flood.next()
            answered += 1
        assert answered <= BURST + RATE_PER_S * (time.monotonic() - begin) + 1


def test_small_frames_in_one_piece_cost_their_sender_only(tmp_path: Path) -> None:
    with central(tmp_path, CROWD) as (_, _, address), dial(address, "CP001") as flood, dial(address, "CP002") as calm:
        piece = b"\x81\x82\0\0\0\0{}" * 50_000  # masked text frames of two bytes
        flood.line.socket.settimeout(1)
        try:
            flood.line.socket.sendall(piece)
        except TimeoutError:
            pass  # it is not read any faster
        begin = time.monotonic()
        assert calm.call("Heartbeat", {})
        assert promptly(begin, 0.2)


def test_half_handshakes_are_dropped_and_keep_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance_in, "UNPROVEN", 50)
    monkeypatch.setattr(entrance_in, "UNPROVEN_MOST", 150)
    monkeypatch.setattr(entrance_in, "IDLE_S", 0.5)
    with central(tmp_path, CROWD) as (bus, _, address):
        silent = []
        for number in range(200):
            caller = socket.create_connection(("127.0.0.1", port_of(address)))
            caller.sendall((b"", b"GET /ocpp/CP001 HTTP/1.1\r\nHost: x\r\n", b"\x16\x03\x01")[number % 3])
            silent.append(caller)
        until(lambda: len(bus.entrance.crowd) <= 151, "no more are taken")
        time.sleep(0.6)  # now they are idle
        for _ in range(100):
            with dial(address, "CP001") as pile:
                assert pile.call("Heartbeat", {})
        until(lambda: len(bus.entrance.crowd) <= 51, "the idle ones were let go")
        for caller in silent:
            caller.close()


def test_who_says_nothing_is_let_go_after_the_time_for_a_handshake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance_in, "HANDSHAKE_S", 0.5)
    with (
        central(tmp_path, CROWD) as (_, _, address),
        socket.create_connection(("127.0.0.1", port_of(address))) as caller,
    ):
        caller.settimeout(60)
        assert caller.recv(1) == b""


def test_a_pile_that_is_silent_is_asked_and_one_that_does_not_answer_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "SILENT_S", 0.2)
    monkeypatch.setattr(attending, "GONE_S", 8.0)
    greeting = (
        b"GET /ocpp/CP002 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
    )
    with central(tmp_path, CROWD) as (bus, sink, address), dial(address, "CP001") as pile:
        pile.call("Heartbeat", {})
        with socket.create_connection(("127.0.0.1", port_of(address))) as dumb:
            dumb.sendall(greeting)
            until(lambda: "pile-2" in sink.online, "it is there")
            until(lambda: "pile-2" not in sink.online, "the one that does not answer is let go")
        assert "pile-1" in sink.online
        assert bus.is_there("CP001")


def test_a_message_beyond_the_bound_ends_its_connection(tmp_path: Path) -> None:
    with central(tmp_path, CROWD) as (_, _, address):
        with dial(address, "CP001") as pile:
            fits = json.dumps([2, "1", "DataTransfer", {"vendorId": "x", "data": "y" * (MAX_MESSAGE - 100)}])
            pile.say(fits)
            assert pile.next()[2] == {"status": "UnknownVendorId"}
            with contextlib.suppress(ConnectionClosed):
                pile.say(json.dumps([2, "2", "DataTransfer", {"vendorId": "x", "data": "y" * MAX_MESSAGE}]))
            with pytest.raises(ConnectionClosed):
                pile.next()
            assert pile.line.close_code == 1009
        with dial(address, "CP002") as pile:
            pile.line.send(b"bytes")
            with pytest.raises(ConnectionClosed):
                pile.next()
            assert pile.line.close_code == 1003


def test_a_message_in_fragments_is_one(tmp_path: Path) -> None:
    with central(tmp_path, CROWD) as (_, _, address), dial(address, "CP001") as pile:
        pile.line.send(iter(['[2,"a"', ',"Heart', 'beat",{}]']))
        assert pile.next()[:2] == [3, "a"]


def mutated(rng: random.Random, raw: str) -> str:
    """Something that nearly is a message."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) + 1)
        match rng.randrange(5):
            case 0:
                raw = (
                    raw[:at]
                    + rng.choice(['"', "{", "}", "[", "]", ",", "null", "1e999", "-", "\\u0000", "🔌"])
                    + raw[at:]
                )
            case 1:
                raw = raw[:at] + raw[at + rng.randint(1, 8) :]
            case 2:
                raw = raw[:at] + raw[max(0, at - 20) :]
            case 3:
                raw = raw.replace("1", str(rng.choice([0, -1, 2**31, 2**63, 10**30, 0.5])), 1)
            case _:
                raw = raw.replace("2026", rng.choice(["1970", "9999", "0000", "-2026", "x"]), 1)
    return raw


AT = "2026-11-21T00:00:02Z"
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}),
    ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": AT}),
    ("StartTransaction", {"connectorId": 1, "idTag": "A1", "meterStart": 1, "timestamp": AT}),
    ("StopTransaction", {"transactionId": 1, "meterStop": 11, "timestamp": AT}),
    ("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "1"}]}]}),
    ("Authorize", {"idTag": "A1"}),
    ("SecurityEventNotification", {"type": "X", "timestamp": AT}),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_fuzzed_messages_are_answered_or_left_and_never_break_the_line(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware_bridge.ocpp.link.RATE_PER_S", 1e6)
    monkeypatch.setattr("firmware_bridge.ocpp.link.BURST", 1e6)
    rng = random.Random(seed)
    with central(tmp_path) as (bus, sink, address), dial(address) as pile:
        for number in range(400):
            action, payload = rng.choice(CALLS)
            pile.say(mutated(rng, json.dumps([2, f"f{number}", action, payload])))
        pile.say('[2,"last","Heartbeat",{}]')
        while pile.next()[1] != "last":
            pass
        assert bus.mishaps.count == 0
        assert all(reading.signals.get("status") != "" for reading in sink.held("pile-1"))
