"""OSDP frames as bytes, for the probe and the vectors; on the bus libosdp reads and writes its own.

Source: SIA OSDP v2.2 with its Annex E; frame: 53, address, length u16 low byte first, control, ..., CRC-16 or sum.
"""

from firmware_bridge.frames.checks import crc16_aug_ccitt
from firmware_bridge.frames.scanner import MORE, NOT_A_FRAME, Scanner

LIMIT = 1_440
REPLY, WITH_CRC = 0x80, 0x04


def _measure(window: bytes) -> int:
    if len(window) < 4:
        return MORE
    size = int.from_bytes(window[2:4], "little")
    return size if 7 <= size <= LIMIT else NOT_A_FRAME


def _sound(frame: bytes) -> bool:
    if frame[4] & WITH_CRC:
        return crc16_aug_ccitt(frame[:-2]) == int.from_bytes(frame[-2:], "little")
    return sum(frame) & 0xFF == 0


def scanner() -> Scanner:
    return Scanner((b"\x53",), _measure, _sound, LIMIT)


def is_reply(frame: bytes) -> bool:
    return frame[1] & REPLY != 0


def build(address: int, command: int, data: bytes = b"") -> bytes:
    """A command with CRC and sequence 0, which any reader answers."""
    raw = bytes((0x53, address)) + (8 + len(data)).to_bytes(2, "little") + bytes((WITH_CRC, command)) + data
    return raw + crc16_aug_ccitt(raw).to_bytes(2, "little")
