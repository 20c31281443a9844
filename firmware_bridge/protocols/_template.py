"""Copy this file to `firmware_bridge/protocols/NAME.py`, change every line, and run `python -m config.schema_json`.

Say in the first lines what the frames look like and where that is written. `serial_card.py` is `protocol: serial-card`.
A protocol in which we ask is made of `Polled` and a slave (see modbus.py); one of some size has its frames in
`firmware_bridge/devices/NAME.py`. Its test feeds bytes by halves and with garbage between (tests/firmware_bridge/
test_vectors.py); docs/bridge.md says what its devices become.
`Steady` publishes what is another, and all again each 30 s, however often a device talks. Without a checksum one frame
proves nothing: `Steady(agree=2)` or more.
"""

from collections.abc import Sequence

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import DeviceReading, Heard, Listener, Steady, Talk
from firmware_bridge.door import Doors
from firmware_bridge.frames.checks import xor
from firmware_bridge.frames.scanner import MORE, Scanner
from firmware_bridge.protocols.base import BusProtocol, ProbeQuestion, only_device
from gateway.model import Millis

START, SIZE = b"\xf0", 3
"""A frame: F0, 0 or 1 (somebody is there), XOR of the two."""


def scanner() -> Scanner:
    """Finds whole frames among garbage."""

    def measure(window: bytes) -> int:
        return SIZE if len(window) >= SIZE else MORE

    def is_sound(frame: bytes) -> bool:
        return xor(frame[:2]) == frame[2]

    return Scanner((START,), measure, is_sound, SIZE)


class Toy(Listener[Scanner]):
    """A device that talks by itself: `feed` gets whatever came, in any pieces, and never raises."""

    def __init__(self, device: str) -> None:
        self._device = device
        self.reader = scanner()
        self._steady = Steady()

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        frames = self.reader.feed(data)
        said = [self._steady.take({"occupied": bool(frame[1])}, now) for frame in frames]
        readings = tuple(DeviceReading(self._device, signals) for signals in said if signals is not None)
        return (Heard(readings, (self._device,)),) if frames else ()


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    return Toy(only_device(bus).device)


def questions() -> tuple[ProbeQuestion, ...]:
    """For `yizhan bridge --probe`; leave it out where nothing can be told apart."""
    return (ProbeQuestion(9_600, b"", lambda heard: len(scanner().feed(heard))),)


PROTOCOL = BusProtocol(talk, questions=questions)
