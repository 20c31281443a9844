"""HLK-LD2450 multi-target radar: 256000 baud 8N1, ten frames a second with up to three targets.

Source: Hi-Link HLK-LD2450 instruction manual V1.00 chapter 6. No checksum. It sees movement: a person who sits still
fades after some seconds, so the last count is held for `HOLD_MS`. Slots swap identities; only the count is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.devices.base import DeviceReading, Heard, Listener, Steady
from firmware_bridge.frames.scanner import Scanner
from gateway.model import Millis

HEADER, FOOTER, SIZE = bytes.fromhex("AAFF0300"), bytes.fromhex("55CC"), 30
RANGE_MM, RESOLUTION_MM = 12_000, 1_000
HOLD_MS = 30_000


@dataclass(frozen=True, slots=True)
class RadarTarget:
    """Place in mm (x to the right of the module, y ahead), speed in cm/s (negative: approaching)."""

    x_mm: int
    y_mm: int
    speed_cm_s: int
    resolution_mm: int


def _signed(low: int, high: int) -> int:
    """Sign and magnitude, with the sign bit set for positive."""
    value = low | (high & 0x7F) << 8
    return value if high & 0x80 else -value


def parse(frame: bytes) -> tuple[RadarTarget, ...] | None:
    """The targets of one frame; None when it is none, or a target stands where the module cannot see."""
    if len(frame) != SIZE or frame[:4] != HEADER or frame[-2:] != FOOTER:
        return None
    targets = []
    for slot in (frame[4:12], frame[12:20], frame[20:28]):
        if not any(slot):
            continue
        target = RadarTarget(
            _signed(slot[0], slot[1]), _signed(slot[2], slot[3]), _signed(slot[4], slot[5]), slot[6] | slot[7] << 8
        )
        if abs(target.x_mm) > RANGE_MM or not 0 <= target.y_mm <= RANGE_MM or target.resolution_mm > RESOLUTION_MM:
            return None
        targets.append(target)
    return tuple(targets)


def scanner() -> Scanner:
    return Scanner((HEADER,), lambda _window: SIZE, lambda frame: parse(frame) is not None, SIZE)


class Ld2450(Listener[Scanner]):
    """A room: how many people. Three equal counts running make one, and a lower one shows only after `HOLD_MS`."""

    def __init__(self, device: str) -> None:
        self._device = device
        self.reader = scanner()
        self._counted = Steady(agree=3, heartbeat_ms=0)
        self._shown = Steady()
        self._people = 0
        self._until: Millis = 0

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        readings = []
        frames = self.reader.feed(data)
        for frame in frames:
            count = len(parse(frame) or ())
            if self._counted.take({"people": count}, now) is None:
                continue
            if (signals := self._shown.take({"people": self._held(count, now)}, now)) is not None:
                readings.append(DeviceReading(self._device, signals))
        return (Heard(tuple(readings), (self._device,)),) if frames else ()

    def _held(self, count: int, now: Millis) -> int:
        if count >= self._people or not 0 <= self._until - now <= HOLD_MS:
            self._people, self._until = count, now + HOLD_MS
        return self._people
