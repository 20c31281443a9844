"""A bus lives through pulled cables, noise, wrong speeds, other programs and full disks."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware_bridge.devices.base import DeviceOrder
from firmware_bridge.emulator.serial.board import Board
from firmware_bridge.emulator.serial.machines import ModbusBus, Radar, Unit
from firmware_bridge.emulator.serial.wire import Cable
from firmware_bridge.port import Port, PortError, SerialLine, find, hint, usb_name
from firmware_bridge.spool import Spool
from firmware_bridge.spool_file import SpoolError
from tests.patience import promptly, until

from .rig import Collected, bus


class Spooled(Collected):
    """The real spool behind the collecting sink."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.spool = Spool(folder / "spool", 1 << 24)

    def store(self, heard: Any, now: int) -> None:
        self.spool.put(heard, now)

    def stored(self, device: str) -> list[Any]:
        return [row.signals["people"] for row in self.spool.after(device, 0, 1 << 20) if "people" in row.signals]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_bridge.bus.REOPEN_S", 0.01)


@pytest.mark.parametrize("times", [8, pytest.param(50, marks=pytest.mark.soak)])
def test_over_many_unpluggings_every_frame_that_was_confirmed_is_stored_once(tmp_path: Path, times: int) -> None:
    board = Board("seat-01")
    sink = Spooled(tmp_path)
    with bus(tmp_path, board, "yizhan", baud=115200, sink=sink) as (_, cable, _):
        for _ in range(times):
            before = len(board.confirmed)
            until(lambda before=before: len(board.confirmed) >= before + 2)
            cable.unplug()
            cable.plug()
        board.limit = board.count
        until(board.link.idle)
    assert len(board.confirmed) >= 2 * times
    assert sink.stored("seat-01") == list(range(1, board.count + 1))
    sink.spool.close()


def test_noise_flips_and_cuts_lose_and_invent_nothing(tmp_path: Path) -> None:
    board = Board("seat-01", limit=30)
    sink = Spooled(tmp_path)
    with bus(tmp_path, board, "yizhan", baud=115200, sink=sink) as (_, cable, _):
        cable.faults.flip = cable.faults.cut = cable.faults.noise = 0.05
        until(lambda: len(board.confirmed) == 30)
    assert sink.stored("seat-01") == list(range(1, 31))
    sink.spool.close()


def test_a_pulled_cable_takes_its_devices_offline_at_once(tmp_path: Path) -> None:
    with bus(tmp_path, Radar(0.02), "ld2410", device="seat-03") as (_, cable, sink):
        until(lambda: sink.online == {"seat-03"})
        cable.unplug()
        until(lambda: sink.online == set())
        cable.plug()
        until(lambda: sink.online == {"seat-03"})


def test_an_order_while_the_cable_is_out_is_dropped_and_not_done_later(tmp_path: Path) -> None:
    unit = Unit(bits={0: False})
    from firmware_bridge.devices.modbus_map import READY

    door = [{"device": "door-1", "unit": 1, "map": str(READY / "door-board.yaml")}]
    with bus(tmp_path, ModbusBus({1: unit}), "modbus", poll_s=0.4, devices=door) as (running, cable, sink):
        until(lambda: sink.online)
        cable.unplug()
        until(lambda: not sink.online)
        running.order(DeviceOrder("door-1", "unlock", 500))
        until(running._orders.empty)
        cable.plug()
        until(lambda: sink.online)
        assert unit.bits == {0: False}


def test_a_second_program_is_refused_with_a_clear_word(tmp_path: Path) -> None:
    cable = Cable(tmp_path / "tty", Radar(1.0)).start()
    first, second = Port(SerialLine(str(cable.path))), Port(SerialLine(str(cable.path)))
    first.open()
    with pytest.raises(PortError, match="another program uses it"):
        second.open()
    first.close()
    second.open()
    second.close()
    cable.stop()
    with pytest.raises(PortError, match="tty"):
        first.open()


def test_a_usb_port_is_found_again_under_another_name() -> None:
    def usb_port(device: str, serial: str | None) -> Any:
        return SimpleNamespace(device=device, vid=0x1A86, pid=0x7523, serial_number=serial, description="")

    plain: Any = SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None, description="")
    assert (
        find("usb:1a86:7523:B", [plain, usb_port("/dev/ttyUSB0", "A"), usb_port("/dev/ttyUSB1", "B")]) == "/dev/ttyUSB1"
    )
    assert find("usb:1a86:7523", [plain]) is None
    assert usb_name("/dev/ttyUSB0", [plain, usb_port("/dev/ttyUSB0", "A")]) == "usb:1a86:7523:A"
    assert usb_name("/dev/ttyS0", [plain]) is None


def test_a_port_comes_back_by_its_usb_identity_when_its_path_has_gone(tmp_path: Path) -> None:
    cable = Cable(tmp_path / "ttyUSB0", Radar(1.0)).start()
    there: list[Any] = [
        SimpleNamespace(device=str(cable.path), vid=1, pid=2, serial_number="S", description=""),
    ]
    port = Port(SerialLine(str(cable.path)), lambda: there)
    port.open()
    port.close()
    moved = tmp_path / "ttyUSB7"
    moved.symlink_to(cable.path.readlink())
    cable.path.unlink()
    there[0].device = str(moved)
    port.open()
    port.close()
    there.clear()
    with pytest.raises(PortError, match="not plugged in"):
        port.open()
    cable.stop()


def test_bytes_without_a_frame_are_told_once_with_the_speeds_to_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("firmware_bridge.bus.HINT_AFTER_MS", 200)
    assert "try 57600/230400/" in hint(SerialLine("/dev/x", 115_200), 99)

    @dataclass
    class Wrong:
        """What a device at another speed looks like."""

        def hear(self, data: bytes, now_s: float) -> bytes:
            return b""

        def tick(self, now_s: float) -> bytes:
            return bytes(range(1, 90))

    caplog.set_level(logging.WARNING)
    with bus(tmp_path, Wrong(), "yizhan-cobs", baud=115200, device="x"):
        until(lambda: "no valid frame at 115200 baud" in caplog.text)
    assert caplog.text.count("no valid frame") == 1


def test_a_full_disk_holds_the_bus_up_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_bridge.bus.STORE_AGAIN_S", 0.02)

    class Full(Spooled):
        refused = 0

        def store(self, heard: Any, now: int) -> None:
            if self.refused < 5:
                self.refused += 1
                raise SpoolError("database or disk is full")
            super().store(heard, now)

    board, sink = Board("seat-01", limit=10), Full(tmp_path)
    with bus(tmp_path, board, "yizhan", baud=115200, sink=sink):
        until(lambda: len(board.confirmed) == 10)
    assert sink.refused == 5
    assert sink.stored("seat-01") == list(range(1, 11))
    sink.spool.close()


def test_a_bus_stops_within_a_second_whatever_it_waits_for(tmp_path: Path) -> None:
    import time

    begin = time.monotonic()
    with bus(tmp_path, Radar(0.02), "ld2410", device="s") as (_, cable, _):
        cable.unplug()
        begin = time.monotonic()
    assert promptly(begin, 1)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("cable")]
