"""A central system on a real port over a real spool, and charge points of the package `ocpp` or of bare frames."""

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from config.schema.bridge import Bridge
from firmware_bridge.calls import CallDesk
from firmware_bridge.cards import Cards, read_allow_list
from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.ocpp.central import OcppBus
from firmware_bridge.ocpp.configured import central_of, parts_of
from firmware_bridge.spool import HeldReading, Spool
from tests.patience import until

CARD_KEY = bytes(range(32))
COMMAND_KEY = b"k" * 64
TWO = [
    {"device": "pile-1", "charge_point": "CP001", "connector": 1},
    {"device": "pile-2", "charge_point": "CP001", "connector": 2},
]


class SpoolSink:
    """The spool behind a bus, as the bridge has it, and who is there."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder, 1 << 26)
        self.online: set[str] = set()
        self.stores = 0
        self.told: list[DeviceReading] = []
        self.desk: CallDesk

    def watch(self, heard: Sequence[Heard], now: int) -> Sequence[Heard]:
        return heard

    def store(self, heard: Sequence[Heard], now: int) -> None:
        self.stores += 1
        self.spool.put(heard, now)

    def order(self, order: Any) -> None:
        raise AssertionError(order)

    def present(self, devices: Iterable[str], silent_ms: int) -> None:
        self.online |= set(devices)

    def lost(self, devices: Iterable[str]) -> None:
        self.online -= set(devices)

    def held(self, device: str) -> Sequence[HeldReading]:
        return self.spool.after(device, 0, 100_000)

    def signals(self, device: str) -> dict[str, Any]:
        """The latest of each."""
        merged: dict[str, Any] = {}
        for reading in self.held(device):
            if reading.event is None:
                merged |= reading.signals
        return merged

    def transactions(self, device: str, phase: str = "ended") -> list[dict[str, Any]]:
        return [
            reading.signals
            for reading in self.held(device)
            if reading.event == "transaction" and reading.signals["phase"] == phase
        ]


@contextlib.contextmanager
def central(
    folder: Path, devices: Sequence[dict[str, Any]] = TWO, *, allowed: Path | None = None, **bus: Any
) -> Iterator[tuple[OcppBus, SpoolSink, str]]:
    """A running bus, its sink, and the address that piles dial, without their name."""
    settings = {"id": "piles", "port": "ws://127.0.0.1:0/ocpp", "protocol": "ocpp", "devices": list(devices)} | bus
    bridge = Bridge.model_validate({"station": "s1", "buses": [settings]})
    sink, stop = SpoolSink(folder), threading.Event()
    desk = CallDesk("s1", "box-1", lambda: COMMAND_KEY, lambda: None, sink.told.append)
    listed = read_allow_list(allowed) if allowed is not None else None
    running = central_of(parts_of(bridge.buses[0], Cards(CARD_KEY, "day"), listed), sink, sink.spool, desk, stop)
    sink.desk = desk
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        _, port = until(lambda: running.bound, "listening")
        scheme = settings["port"].partition("://")[0]
        yield running, sink, f"{scheme}://127.0.0.1:{port}/ocpp"
    finally:
        stop.set()
        thread.join(60)
        sink.spool.close()
        assert not thread.is_alive()


class RawPile:
    """A pile that sends what the test says, answers nothing by itself, and reads one message after another."""

    def __init__(self, line: ClientConnection) -> None:
        self.line, self._number = line, 0
        self.refused: list[list[Any]] = []
        """Calls of the central system that came before the answer to one of ours."""

    def say(self, raw: str) -> None:
        self.line.send(raw)

    def next(self) -> Any:
        return json.loads(self.line.recv(60))

    def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload of the answer. AssertionError for a refusal."""
        answer = self.asked(action, payload)
        assert answer[0] == 3, answer
        result: dict[str, Any] = answer[2]
        return result

    def asked(self, action: str, payload: dict[str, Any]) -> list[Any]:
        """The whole answer, refusal or not; calls of the central system in between are refused."""
        self._number += 1
        name = f"m{self._number}"
        self.say(json.dumps([2, name, action, payload]))
        while True:
            message: list[Any] = self.next()
            if message[0] in (3, 4) and message[1] == name:
                return message
            if message[0] == 2:
                self.refused.append(message)
                self.say(json.dumps([4, message[1], "NotSupported", "", {}]))


@contextlib.contextmanager
def dial(address: str, name: str = "CP001", version: str = "ocpp1.6", **more: Any) -> Iterator[RawPile]:
    with connect(f"{address}/{name}", subprotocols=[version], compression=None, **more) as line:  # type: ignore[list-item]
        yield RawPile(line)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2].partition("/")[0])
