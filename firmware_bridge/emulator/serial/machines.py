"""Devices of each protocol, small and honest: built on the wire formats alone, not on the bridge's own readers."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from firmware_bridge.devices import ap3000, dlt645, ebike_board, ld2410, ld2450, sdt
from firmware_bridge.emulator.serial.wire import Talker
from firmware_bridge.frames.checks import crc16_modbus, xor


def ld2410_report(target: int, moving_cm: int = 80, still_cm: int = 70) -> bytes:
    data = b"\x02\xaa" + struct.pack("<BHBHBH", target, moving_cm, 60, still_cm, 55, 0) + b"\x55\x00"
    return ld2410.REPORT + len(data).to_bytes(2, "little") + data + bytes.fromhex("F8F7F6F5")


def ld2450_report(places: list[tuple[int, int]]) -> bytes:
    """Up to three targets at (x, y) in mm, standing still."""

    def magnitude(value: int) -> int:
        return abs(value) | (0x8000 if value >= 0 else 0)

    slots = [struct.pack("<HHHH", magnitude(x), magnitude(y), 0x8000, 320) for x, y in places[:3]]
    return ld2450.HEADER + b"".join(slots) + bytes(8 * (3 - len(slots))) + ld2450.FOOTER


class Radar(Talker):
    """LD2410; set `target`."""

    def __init__(self, interval_s: float = 0.1) -> None:
        self.target = 0
        super().__init__(interval_s, lambda: ld2410_report(self.target))


class Tracker(Talker):
    """LD2450; set `places`."""

    def __init__(self, interval_s: float = 0.1) -> None:
        self.places: list[tuple[int, int]] = []
        super().__init__(interval_s, lambda: ld2450_report(self.places))


class _Asked:
    """Answers whole questions and nothing else."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer, self._heard = answer, b""

    def hear(self, data: bytes, now_s: float) -> bytes:  # noqa: ARG002
        self._heard = (self._heard + data)[-64:]
        said = self._answer(self._heard)
        if said:
            self._heard = b""
        return said

    def tick(self, now_s: float) -> bytes:  # noqa: ARG002
        return b""


@dataclass(slots=True)
class Unit:
    """A Modbus slave. `polled_at` collects when it was asked."""

    bits: dict[int, bool] = field(default_factory=dict)
    registers: dict[int, int] = field(default_factory=dict)
    dead: bool = False
    polled_at: list[float] = field(default_factory=list)


class ModbusBus:
    """Several slaves on one line; each answers functions 1 to 5, a missing register with exception 2."""

    def __init__(self, units: Mapping[int, Unit]) -> None:
        self.units, self._heard = units, b""

    def tick(self, now_s: float) -> bytes:  # noqa: ARG002
        return b""

    def hear(self, data: bytes, now_s: float) -> bytes:
        self._heard = (self._heard + data)[-64:]
        for at in range(len(self._heard) - 7):
            frame = self._heard[at : at + 8]
            if frame[1] in (1, 2, 3, 4, 5) and crc16_modbus(frame) == 0:
                self._heard = b""
                return self._answer(frame, now_s)
        return b""

    def _answer(self, frame: bytes, now_s: float) -> bytes:
        unit = self.units.get(frame[0])
        if unit is None:
            return b""
        unit.polled_at.append(now_s)
        if unit.dead:
            return b""
        function, address, count = frame[1], *struct.unpack(">HH", frame[2:6])
        if function == 5:
            unit.bits[address] = count == 0xFF00
            return frame
        return _sealed(frame[:1] + self._data(unit, function, address, count))

    @staticmethod
    def _data(unit: Unit, function: int, address: int, count: int) -> bytes:
        wanted = range(address, address + count)
        if function in (1, 2):
            packed = sum(unit.bits.get(bit, False) << at for at, bit in enumerate(wanted))
            size = (count + 7) // 8
            return bytes((function, size)) + packed.to_bytes(size, "little")
        if not all(register in unit.registers for register in wanted):
            return bytes((function | 0x80, 2))
        return bytes((function, 2 * count)) + b"".join(
            unit.registers[register].to_bytes(2, "big") for register in wanted
        )


def _sealed(body: bytes) -> bytes:
    return body + crc16_modbus(body).to_bytes(2, "little")


class VirtualMeter(_Asked):
    """A DL/T 645 meter; set `kwh` and `kw`."""

    def __init__(self, address: str) -> None:
        self.address, self.kwh, self.kw = address, 0.0, 0.0
        super().__init__(self._reply)

    def _reply(self, heard: bytes) -> bytes:
        for raw in dlt645.scanner().feed(heard):
            asked = dlt645.parse(raw)
            if asked.address in (self.address, dlt645.ANYBODY):
                return b"\xfe\xfe" + self._data(asked)
        return b""

    def _data(self, asked: dlt645.MeterFrame) -> bytes:
        if asked.control == dlt645.READ_ADDRESS:
            return dlt645.build(self.address, 0x93, bytes.fromhex(self.address)[::-1])
        digits = {dlt645.ENERGY_KWH: f"{self.kwh * 100:08.0f}", dlt645.POWER_KW: f"{self.kw * 10000:06.0f}"}
        shown = digits.get(int.from_bytes(asked.data[:4], "little"))
        if shown is None:
            return dlt645.build(self.address, 0xD1, b"\x02")
        return dlt645.build(self.address, 0x91, asked.data[:4] + bytes.fromhex(shown)[::-1])


class VirtualIdReader(_Asked):
    """An SDT reader; set `card`. `asked` collects each command it was given."""

    def __init__(self) -> None:
        self.card, self.asked = False, list[bytes]()
        super().__init__(self._reply)

    def _reply(self, heard: bytes) -> bytes:
        for raw in sdt.scanner().feed(heard):
            self.asked.append(raw[7:9])
            body = b"\x00\x08\x00\x00\x9f\x00\x00\x00\x00" if self.card else b"\x00\x04\x00\x00\x80"
            return sdt.PREAMBLE + body + bytes((xor(body),))
        return b""


class PileBoard(_Asked):
    """A Dongjun board; set `states`."""

    def __init__(self, ports: int) -> None:
        self.states = [1] * ports
        super().__init__(self._reply)

    def _reply(self, heard: bytes) -> bytes:
        for raw in ebike_board.scanner().feed(heard):
            if raw[0] == ebike_board.REQUEST:
                data = bytes((len(self.states), *self.states))
                return ebike_board.build(ebike_board.REPLY, raw[2], raw[3:9], data)
        return b""


class Pile:
    """An AP3000 pile: its ICCID, then heartbeats. `answers` collects what came back."""

    def __init__(self, physical_id: int, ports: int, interval_s: float = 180.0) -> None:
        self.physical_id, self.states, self._interval_s, self._next = physical_id, [0] * ports, interval_s, 0.0
        self.answers: list[bytes] = []
        self._message = 0
        self._scanner = ap3000.scanner()

    def hear(self, data: bytes, now_s: float) -> bytes:  # noqa: ARG002
        self.answers += self._scanner.feed(data)
        return b""

    def tick(self, now_s: float) -> bytes:
        if now_s < self._next:
            return b""
        self._next = now_s + self._interval_s
        return (b"" if self._message else b"89860012345678901234") + self.heartbeat() + b"link"

    def heartbeat(self) -> bytes:
        self._message += 1
        data = b"\x98\x08" + bytes((len(self.states), *self.states, 9, 85))
        return ap3000.build(self.physical_id, self._message, ap3000.HEARTBEAT, data)
