"""A bus on a real pseudo-terminal, and a sink that is the real spool."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from config.schema.bridge import BusSettings
from firmware_bridge import protocols
from firmware_bridge.bus import Bus
from firmware_bridge.cards import AllowList, CardStanding
from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard
from firmware_bridge.door import Doors, Rules
from firmware_bridge.emulator.serial.wire import Cable, Machine
from firmware_bridge.port import Port, SerialLine


def allowing(*pseudonyms: str) -> AllowList:
    """A list of these and nobody else."""
    return AllowList(dict.fromkeys(pseudonyms, CardStanding("Accepted")))


class Collected:
    """A sink that only collects."""

    def __init__(self) -> None:
        self.readings: list[DeviceReading] = []
        self.orders: list[DeviceOrder] = []
        self.online: set[str] = set()
        self.carry_out: Callable[[DeviceOrder], None] = lambda _order: None

    def watch(self, heard: Sequence[Heard], now: int) -> Sequence[Heard]:
        return heard

    def store(self, heard: Sequence[Heard], now: int) -> None:
        self.readings += [reading for frame in heard for reading in frame.readings]

    def order(self, order: DeviceOrder) -> None:
        self.orders.append(order)
        self.carry_out(order)

    def present(self, devices: Iterable[str], silent_ms: int) -> None:
        self.online |= set(devices)

    def lost(self, devices: Iterable[str]) -> None:
        self.online -= set(devices)

    def signals(self, device: str) -> dict[str, Any]:
        """The latest of each signal."""
        merged: dict[str, Any] = {}
        for reading in list(self.readings):
            if reading.device == device and reading.event is None:
                merged |= reading.signals
        return merged

    def events(self, device: str) -> list[str | None]:
        return [reading.event for reading in list(self.readings) if reading.device == device and reading.event]


@contextlib.contextmanager
def bus(
    folder: Path,
    machine: Machine,
    protocol: str,
    *,
    baud: int = 9600,
    rules: Rules | None = None,
    sink: Any = None,
    **more: Any,
) -> Iterator[tuple[Bus, Cable, Any]]:
    """One running bus over a cable to `machine`."""
    cable = Cable(folder / f"tty-{protocol}", machine, baud=baud, tick_s=0.005).start()
    settings = BusSettings.model_validate(
        {"id": "b", "port": str(cable.path), "baud": baud, "protocol": protocol, **more}
    )
    sink = sink or Collected()
    stop = threading.Event()
    doors = Doors(rules or Rules())
    protocols.introduce(settings, rules or Rules(), doors)
    talk = protocols.build(settings, doors)
    running = Bus("b", Port(SerialLine(str(cable.path), baud)), talk, sink, 5_000, stop)
    sink.carry_out = running.order
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        yield running, cable, sink
    finally:
        stop.set()
        thread.join(60)
        cable.stop()
        assert not thread.is_alive()
