"""Our own firmware framing, both levels: docs/framing.md. Every frame is acknowledged once it is on disk."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from firmware_bridge.devices import yizhan_keys as keys
from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard, Listener, R
from firmware_bridge.door import Doors
from firmware_bridge.frames import line, packet
from firmware_bridge.frames.checks import crc16_modbus
from firmware_bridge.frames.packet import Packet
from gateway.model import Millis

VERSION = 1
_OURS = frozenset(("ack", "poll", "time", "pulse"))  # what only the host says: some adapters echo it


class _Spoken(Listener[R]):
    """What both levels do with the fields of a frame, once they have them."""

    def __init__(self, known: frozenset[str], doors: Doors) -> None:
        self._known, self._doors = known, doors

    def _heard(self, device: str, seq: int | None, fields: Mapping[str, Any], check: int, now: Millis) -> Heard:
        """`check` tells this message from another with the same `seq`; without a `seq` there is nothing to answer."""
        reply = b"" if seq is None else self._ack(device, seq)
        wire = None if seq is None else (device, b"%d/%04X" % (seq, check))
        event, signals = keys.event(fields), keys.signals(fields)
        if event == "card":
            return self._card(device, seq, fields, reply, now)
        said = keys.passage(fields) if event == "passage" else {} if event else signals
        readings = (DeviceReading(device, said, event),) if event or signals else ()
        return Heard(readings, (device,), reply, wire=wire)

    def _card(self, device: str, seq: int | None, fields: Mapping[str, Any], reply: bytes, now: Millis) -> Heard:
        """The mark of a card is its seq alone: a check would put sixteen bits of the number on the disk.

        The pulse names the message it answers, so that a board which had to repeat it for long does not open late.
        """
        wire = None if seq is None else (device, b"%d/card" % seq)
        card, door = keys.card(fields), self._doors[device]
        if card is None:
            return Heard((), (device,), reply, wire=wire)
        decision = door.card(card, now, keys.direction(fields), keys.granted(fields))
        if decision.opens and door.rules.pulse_ms and seq is not None:
            reply += self._pulse(device, door.rules.pulse_ms, seq)
        return Heard(decision.readings, (device,), reply, wire=wire)

    def _ack(self, device: str, seq: int) -> bytes:
        raise NotImplementedError

    def _pulse(self, device: str, pulse_ms: Millis, seq: int | None) -> bytes:
        raise NotImplementedError

    def order(self, order: DeviceOrder, now: Millis) -> bytes | None:
        if not self._knows(order.device):
            return None
        self._doors[order.device].expect(now)
        return self._pulse(order.device, order.pulse_ms, None)

    def _knows(self, device: str) -> bool:
        return not self._known or device in self._known


class YizhanLines(_Spoken[line.LineReader]):
    """Level 1. Several devices may share the line; each names itself in every frame."""

    def __init__(self, known: frozenset[str], doors: Doors) -> None:
        super().__init__(known, doors)
        self.reader = line.LineReader()

    def opened(self, now: Millis) -> bytes:
        """Ends a half line of ours, tells the time, asks everybody for a state."""
        self.reader.reset()
        return b"\n" + line.seal(b'{"v":1,"time":%d}' % (now // 1000)) + line.seal(b'{"v":1,"poll":1}')

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        return [
            heard
            for fields, body in self.reader.feed(data)
            if (heard := self._frame(fields, body, now)) is not None
        ]  # fmt: skip

    def _frame(self, fields: Mapping[str, Any], body: bytes, now: Millis) -> Heard | None:
        if not _OURS.isdisjoint(fields):
            return None
        device, seq = keys.name(fields.get("id")), fields.get("seq")
        if fields.get("v") != VERSION or device is None or not self._knows(device):
            self.reader.bad += 1
            return None
        if type(seq) is not int or not 0 <= seq <= 255:
            seq = None
        return self._heard(device, seq, fields, crc16_modbus(body), now)

    def _ack(self, device: str, seq: int) -> bytes:
        return line.seal(b'{"v":1,"id":"%b","ack":%d}' % (device.encode(), seq))

    def _pulse(self, device: str, pulse_ms: Millis, seq: int | None) -> bytes:
        answers = b"" if seq is None else b',"for":%d' % seq
        return line.seal(b'{"v":1,"id":"%b","pulse":%d%b}' % (device.encode(), pulse_ms, answers))


# Signals of the binary state packets: key, short key of level 1, units of one.
BINARY: dict[int, tuple[str, float]] = {
    1: ("occ", 1), 2: ("n", 1), 3: ("w", 0.1), 4: ("wh", 1), 5: ("bat", 1), 6: ("open", 1), 7: ("in", 1), 8: ("out", 1),
    9: ("alm", 1), 10: ("tst", 1), 11: ("tmp", 0.1), 12: ("hum", 1), 13: ("co2", 1), 14: ("pm25", 0.1), 15: ("lux", 1),
    16: ("cnt", 1),
}  # fmt: skip

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def unpack(frame: Packet) -> dict[str, Any] | None:
    """The short keys of a packet from a device; None when its payload is not what its type says."""
    payload = frame.payload
    if frame.type in (packet.HELLO, packet.HEARTBEAT, packet.JSON):
        try:
            return _decode(payload) if payload else {}
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None
    if frame.type == packet.STATE and payload and len(payload) % 2 == 0:
        pairs = [(payload[at], payload[at + 1]) for at in range(0, len(payload), 2)]
    elif frame.type == packet.WIDE and payload and len(payload) % 4 == 0:
        pairs = [
            (payload[at], int.from_bytes(payload[at + 1 : at + 4], "little", signed=True))
            for at in range(0, len(payload), 4)
        ]
    else:
        return None
    return {BINARY[key][0]: _scaled(value, BINARY[key][1]) for key, value in pairs if key in BINARY}


def _scaled(value: int, unit: float) -> int | float:
    return value if unit == 1 else round(value * unit, 3)


class YizhanPackets(_Spoken[packet.PacketReader]):
    """Level 2. One device on the line: its name is configured, or told in its hello."""

    def __init__(self, device: str | None, doors: Doors) -> None:
        super().__init__(frozenset((device,)) if device else frozenset(), doors)
        self._device = device
        self.reader = packet.PacketReader()

    def opened(self, now: Millis) -> bytes:
        self.reader.reset()
        time = (now // 1000 & 0xFFFFFFFF).to_bytes(4, "little")
        return b"\0" + packet.seal(Packet(packet.TIME, 0, time)) + packet.seal(Packet(packet.POLL, 0))

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        return [heard for frame in self.reader.feed(data) if (heard := self._frame(frame, now)) is not None]

    def _frame(self, frame: Packet, now: Millis) -> Heard | None:
        fields = unpack(frame)
        if fields is None:
            self.reader.bad += 1
            return None
        if frame.type == packet.HELLO and not self._known:
            self._device = keys.name(fields.get("id")) or self._device
        if self._device is None:
            return None
        return self._heard(self._device, frame.seq, fields, crc16_modbus(bytes((frame.type,)) + frame.payload), now)

    def _knows(self, device: str) -> bool:
        return device == self._device

    def _ack(self, device: str, seq: int) -> bytes:  # noqa: ARG002  one board a line
        return packet.seal(Packet(packet.ACK, seq))

    def _pulse(self, device: str, pulse_ms: Millis, seq: int | None) -> bytes:  # noqa: ARG002
        answers = b"" if seq is None else bytes((seq,))
        return packet.seal(Packet(packet.PULSE, 0, min(pulse_ms, 0xFFFF).to_bytes(2, "little") + answers))
