"""Level 2 of our own framing: COBS packets ended by a zero byte, for noise, speed and batteries. See docs/framing.md.

Packet = version u8 (1), type u8, seq u8, payload, CRC-16/MODBUS little-endian over all before it; at most 128 bytes.
"""

from dataclasses import dataclass

from firmware_bridge.frames import cobs
from firmware_bridge.frames.checks import crc16_modbus

VERSION = 1
LIMIT = 128  # bytes of a decoded packet

HELLO, ACK, HEARTBEAT, POLL, TIME, PULSE = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
STATE, WIDE, JSON = 0x10, 0x11, 0x12


@dataclass(frozen=True, slots=True)
class Packet:
    type: int
    seq: int
    payload: bytes = b""


def seal(packet: Packet) -> bytes:
    """The packet as it goes on the wire. ValueError when it is too long."""
    raw = bytes((VERSION, packet.type, packet.seq)) + packet.payload
    raw += crc16_modbus(raw).to_bytes(2, "little")
    if len(raw) > LIMIT:
        raise ValueError(f"a packet of {len(raw)} bytes; the limit is {LIMIT}: send less at once")
    return cobs.encode(raw) + b"\0"


def unseal(encoded: bytes) -> Packet | None:
    """One packet without its delimiter; None when it is damaged, too long or of another version."""
    raw = cobs.decode(encoded)
    if raw is None or not 5 <= len(raw) <= LIMIT or raw[0] != VERSION or crc16_modbus(raw) != 0:
        return None
    return Packet(raw[1], raw[2], raw[3:-2])


class PacketReader:
    """Bytes in, packets out. A leading zero is legal: senders use it to flush noise out of the receiver."""

    def __init__(self) -> None:
        self._rest = b""
        self._skip = False
        self.frames = 0
        self.bad = 0
        self.junk = 0

    def reset(self) -> None:
        self._rest, self._skip = b"", False

    def feed(self, data: bytes) -> list[Packet]:
        *packets, rest = (self._rest + data).split(b"\0")
        whole = []
        for encoded in packets:
            skip, self._skip = self._skip, False
            if skip or not encoded:
                continue
            packet = unseal(encoded)
            if packet is None:
                self.bad += 1
                self.junk += len(encoded)
            else:
                whole.append(packet)
        if len(rest) > LIMIT + 2:
            self.bad += not self._skip
            self.junk += len(rest)
            self._skip, rest = True, b""
        self._rest = rest if not self._skip else b""
        self.frames += len(whole)
        return whole
