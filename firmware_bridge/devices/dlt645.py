"""DL/T 645-2007 electricity meters: read only, usually 2400 8E1.

Frame: 68, address (6 bytes BCD, low byte first), 68, control, length, data (each byte + 33 hex), sum mod 256, 16.
Wake-up bytes FE may stand before it. Sources: public walk-throughs of the standard's frames; esphome-component-dlt645.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firmware_bridge.devices.base import DeviceOrder, DeviceReading
from firmware_bridge.frames.scanner import MORE, NOT_A_FRAME, Scanner
from firmware_bridge.polled import Question
from gateway.model import Millis

LIMIT = 12 + 200
READ, READ_ADDRESS = 0x11, 0x13
ANYBODY = "AAAAAAAAAAAA"
WAKE = b"\xfe" * 4

ENERGY_KWH, VOLTS_A, AMPS_A, POWER_KW = 0x00010000, 0x02010100, 0x02020100, 0x02030000
_DECIMALS = {ENERGY_KWH: 2, VOLTS_A: 1, AMPS_A: 3, POWER_KW: 4}


@dataclass(frozen=True, slots=True)
class MeterFrame:
    """`address` as twelve digits in reading order, `data` without the 33 of the wire."""

    address: str
    control: int
    data: bytes

    @property
    def refused(self) -> bool:
        return self.control & 0x40 != 0


def build(address: str, control: int, data: bytes = b"") -> bytes:
    """A frame without wake-up bytes. ValueError for an address that is not twelve digits (or twelve A)."""
    if len(address) != 12 or not set(address) <= set("0123456789A"):
        raise ValueError(f"meter address {address!r}: write its twelve digits as on the label")
    raw = b"\x68" + bytes.fromhex(address)[::-1] + b"\x68" + bytes((control, len(data)))
    raw += bytes(byte + 0x33 & 0xFF for byte in data)
    return raw + bytes((sum(raw) & 0xFF, 0x16))


def _measure(window: bytes) -> int:
    if len(window) < 10:
        return MORE
    return 12 + window[9] if window[7] == 0x68 else NOT_A_FRAME


def _sound(frame: bytes) -> bool:
    return frame[-1] == 0x16 and sum(frame[:-2]) & 0xFF == frame[-2]


def scanner() -> Scanner:
    return Scanner((b"\x68",), _measure, _sound, LIMIT)


def parse(frame: bytes) -> MeterFrame:
    """The fields of a frame that the scanner found."""
    data = bytes(byte - 0x33 & 0xFF for byte in frame[10:-2])
    return MeterFrame(frame[1:7][::-1].hex().upper(), frame[8], data)


def value(frame: MeterFrame, identifier: int) -> float | None:
    """The number in a reply to `READ`; None when it answers something else or a digit is none."""
    wanted = identifier.to_bytes(4, "little")
    if frame.control != READ | 0x80 or frame.data[:4] != wanted or len(frame.data) < 6:
        return None
    digits = bytearray(frame.data[4:][::-1])
    sign = -1 if digits[0] & 0x80 else 1
    digits[0] &= 0x7F
    text = digits.hex()
    return sign * int(text) / 10 ** _DECIMALS[identifier] if text.isdigit() else None


class PolledMeter:
    """One meter: its energy and power."""

    ROUND = (ENERGY_KWH, POWER_KW)

    def __init__(self, device: str, address: str) -> None:
        self.device, self._address = device, address.upper().zfill(12)
        self._questions = tuple(self._question(identifier) for identifier in self.ROUND)

    def _question(self, identifier: int) -> Question:
        frame = WAKE + build(self._address, READ, identifier.to_bytes(4, "little"))
        return Question(frame, lambda heard: self._find(heard, identifier))

    def _find(self, heard: bytes, identifier: int) -> MeterFrame | None:
        for raw in scanner().feed(heard):
            frame = parse(raw)
            ours = self._address in (ANYBODY, frame.address)
            answers = frame.refused or frame.data[:4] == identifier.to_bytes(4, "little")
            if ours and frame.control & 0x9F == READ | 0x80 and answers:
                return frame
        return None

    def round(self) -> Sequence[Question]:
        return self._questions

    def read(self, answers: list[Any], now: Millis) -> tuple[DeviceReading, ...]:  # noqa: ARG002
        kwh, kw = (value(answer, identifier) for answer, identifier in zip(answers, self.ROUND, strict=True))
        signals = {"energy_wh": kwh, "power_w": kw}
        known = {name: round(number * 1000, 3) for name, number in signals.items() if number is not None}
        return (DeviceReading(self.device, dict(known)),) if known else ()

    def order(self, order: DeviceOrder) -> None:
        """Never: a gateway writes no meter."""
