"""AP3000 / "DNY" e-bike piles, over serial or dialling in over TCP. We answer; we never start or stop a charge.

Frame: "DNY", length u16, physical id u32, message id u16, command u8, data, checksum u16 (plain sum of every byte
before it), all low byte first; the length counts from the physical id to the checksum. A stream also carries 20 digits
of ICCID (they identify somebody's SIM) and the word `link`: passed over. Card numbers in 02, 03 and 06 are not read.
Source: electric bicycle device-server communication guide V8.6.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from firmware_bridge.devices.base import DeviceReading, Heard, Listener
from firmware_bridge.frames.scanner import MORE, NOT_A_FRAME, Scanner
from gateway.model import Millis, Signal

HEADER = b"DNY"
LIMIT = 5 + 256
SETTLEMENT, POWER, HEARTBEAT_OLD, REGISTER, HEARTBEAT, TIME = 0x03, 0x06, 0x01, 0x20, 0x21, 0x22
ANSWERED = frozenset((HEARTBEAT_OLD, SETTLEMENT, REGISTER, HEARTBEAT, TIME))

_STATUSES = {0: "Available", 1: "Charging", 2: "Preparing", 3: "Finishing", 5: "Charging"}
FULL = 1  # stop reason of a settlement


@dataclass(frozen=True, slots=True)
class DnyFrame:
    """`number` is what the label shows: the low 24 bits of the physical id; `kind` its recognition code."""

    physical_id: int
    message_id: int
    command: int
    data: bytes

    @property
    def number(self) -> int:
        return self.physical_id & 0xFFFFFF

    @property
    def kind(self) -> int:
        return self.physical_id >> 24


def build(physical_id: int, message_id: int, command: int, data: bytes = b"") -> bytes:
    body = physical_id.to_bytes(4, "little") + message_id.to_bytes(2, "little") + bytes((command,)) + data
    raw = HEADER + (len(body) + 2).to_bytes(2, "little") + body
    return raw + (sum(raw) & 0xFFFF).to_bytes(2, "little")


def _measure(window: bytes) -> int:
    if len(window) < 5:
        return MORE
    size = int.from_bytes(window[3:5], "little")
    return NOT_A_FRAME if not 9 <= size <= 256 else 5 + size


def _sound(frame: bytes) -> bool:
    return sum(frame[:-2]) & 0xFFFF == int.from_bytes(frame[-2:], "little")


def scanner() -> Scanner:
    return Scanner((HEADER,), _measure, _sound, LIMIT)


def parse(frame: bytes) -> DnyFrame:
    word = int.from_bytes
    return DnyFrame(word(frame[5:9], "little"), word(frame[9:11], "little"), frame[11], frame[12:-2])


@dataclass(frozen=True, slots=True)
class PileSocket:
    """One socket, counted from 0 as on the wire. Power in W, energy in Wh; None where the message has none."""

    index: int
    status: int | None
    power_w: float | None = None
    energy_wh: int | None = None


def ports(frame: DnyFrame) -> tuple[PileSocket, ...]:
    """What a message says of the sockets. Too short says nothing; longer is fine, for forks add at the end."""
    read = _READERS.get(frame.command)
    return read(frame.data) if read else ()


def _u16(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _heartbeat(data: bytes) -> tuple[PileSocket, ...]:
    if len(data) < 3 or len(data) < 3 + data[2]:
        return ()
    return tuple(PileSocket(index, status) for index, status in enumerate(data[3 : 3 + data[2]]))


def _heartbeat_old(data: bytes) -> tuple[PileSocket, ...]:
    count = data[4] if len(data) > 4 else 0
    if len(data) < 5 + 3 * count:
        return ()
    return tuple(
        PileSocket(index, data[5 + index], _u16(data, 5 + count + 2 * index) / 10) for index in range(count)
    )  # fmt: skip


def _power(data: bytes) -> tuple[PileSocket, ...]:
    if len(data) < 9:
        return ()
    return (PileSocket(data[0], data[1], _u16(data, 7) / 10, _u16(data, 4) * 10),)


def _settlement(data: bytes) -> tuple[PileSocket, ...]:
    """Seconds u16, highest power u16, energy u16, port u8, start mode u8, card u32, stop reason u8."""
    if len(data) < 13:
        return ()
    return (PileSocket(data[6], 3 if data[12] == FULL else None, 0.0, _u16(data, 4) * 10),)


_READERS: dict[int, Callable[[bytes], tuple[PileSocket, ...]]] = {
    HEARTBEAT: _heartbeat, HEARTBEAT_OLD: _heartbeat_old, POWER: _power, SETTLEMENT: _settlement,
}  # fmt: skip


def answer(frame: DnyFrame, now: Millis) -> bytes:
    """What the device waits for; nothing where it waits for nothing (or for a command that is not ours to give)."""
    if frame.command not in ANSWERED:
        return b""
    data = (now // 1000 & 0xFFFFFFFF).to_bytes(4, "little") if frame.command == TIME else b"\0"
    return build(frame.physical_id, frame.message_id, frame.command, data)


class Ap3000(Listener[Scanner]):
    """`names` maps the number on the label to a device; "" stands for any. Socket n of it is `device-n`, from 1."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self.reader = scanner()

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        heard = []
        for raw in self.reader.feed(data):
            frame = parse(raw)
            device = self._names.get(str(frame.number), self._names.get("", ""))
            if device and not (frame.command >> 7):
                heard.append(self._heard(device, frame, now))
        return heard

    def _heard(self, device: str, frame: DnyFrame, now: Millis) -> Heard:
        readings = tuple(
            DeviceReading(f"{device}-{port.index + 1}", signals)
            for port in ports(frame)
            if (signals := _signals(port))
        )  # fmt: skip
        mark = b"%d/%d" % (frame.command, frame.message_id) if frame.command == SETTLEMENT else None
        names = (device, *(reading.device for reading in readings))
        return Heard(readings, names, answer(frame, now), wire=None if mark is None else (device, mark))


def _signals(port: PileSocket) -> dict[str, Signal]:
    signals: dict[str, Signal] = {}
    if port.status is not None:
        signals["status"] = _STATUSES.get(port.status, "Faulted")
        signals["fault"] = "" if port.status in _STATUSES else f"port_{port.status:02x}"
    if port.power_w is not None:
        signals["power_w"] = port.power_w
    if port.energy_wh is not None:
        signals["energy_wh"] = port.energy_wh
    return signals
