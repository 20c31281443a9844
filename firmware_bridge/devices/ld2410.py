"""HLK-LD2410, LD2410B, LD2410C presence radar: 256000 baud 8N1, reports pushed about ten times a second.

Source: Hi-Link "LD2410 Serial Communication Protocol V1.02"; vectors from aio-ld2410's tests. That library's codec is
not used here: its stream waits for whatever length a false header claims (up to 64 KiB, so noise silences it for
seconds), keeps what it has parsed, logs raw bytes, and pulls asyncio serial I/O in. Tests compare ours with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.devices.base import DeviceReading, Heard, Listener, Steady
from firmware_bridge.frames.scanner import MORE, NOT_A_FRAME, Scanner
from gateway.model import Millis

REPORT, COMMAND = bytes.fromhex("F4F3F2F1"), bytes.fromhex("FDFCFBFA")
_FOOTERS = {REPORT: bytes.fromhex("F8F7F6F5"), COMMAND: bytes.fromhex("04030201")}
LIMIT = 74  # the longest report has 45 bytes, the longest command reply fewer than 64

OPEN_CONFIG, CLOSE_CONFIG, READ_FIRMWARE = 0xFF, 0xFE, 0xA0
NOBODY, MOVING, STILL, BOTH = range(4)


@dataclass(frozen=True, slots=True)
class RadarReport:
    """One report: distances in cm, energies as sent (above 100 happens). `light` and `out` only from newer firmware."""

    target: int
    moving_cm: int
    moving_energy: int
    still_cm: int
    still_energy: int
    distance_cm: int
    moving_gates: tuple[int, ...] = ()
    still_gates: tuple[int, ...] = ()
    light: int | None = None
    out: bool | None = None


def _measure(window: bytes) -> int:
    if len(window) < 6:
        return MORE
    size = 10 + int.from_bytes(window[4:6], "little")
    return NOT_A_FRAME if size > LIMIT or size < 12 else size


def _sound(frame: bytes) -> bool:
    if frame[-4:] != _FOOTERS[frame[:4]]:
        return False
    return frame[:4] == COMMAND or parse_report(frame) is not None


def scanner() -> Scanner:
    """Frames of both kinds; there is no checksum, so a report must also be plausible in every field."""
    return Scanner((REPORT, COMMAND), _measure, _sound, LIMIT)


def parse_report(frame: bytes) -> RadarReport | None:
    """None when the frame is no report or says what no module says."""
    data = frame[6:-4]
    if frame[:4] != REPORT or len(data) < 13 or data[1] != 0xAA or data[-2:] != b"\x55\x00" or data[2] > BOTH:
        return None
    word = int.from_bytes
    basic = (
        data[2],
        word(data[3:5], "little"),
        data[5],
        word(data[6:8], "little"),
        data[8],
        word(data[9:11], "little"),
    )
    if max(basic[1], basic[3], basic[5]) > 2_000:
        return None
    rest = data[11:-2]
    if data[0] == 0x02:
        return RadarReport(*basic) if not rest else None
    if data[0] != 0x01 or len(rest) not in (20, 22) or max(rest[:2]) > 8:
        return None
    light, out = (rest[20], bool(rest[21])) if len(rest) == 22 else (None, None)
    return RadarReport(*basic, tuple(rest[2:11]), tuple(rest[11:20]), light, out)


def command(code: int, value: bytes = b"") -> bytes:
    body = code.to_bytes(2, "little") + value
    return COMMAND + len(body).to_bytes(2, "little") + body + _FOOTERS[COMMAND]


def parse_firmware(frame: bytes) -> str | None:
    """`V1.02.22062416` from the reply to `READ_FIRMWARE`."""
    data = frame[6:-4]
    if frame[:4] != COMMAND or data[:4] != b"\xa0\x01\0\0" or len(data) != 12:
        return None
    return f"V{data[7]}.{data[6]:02x}.{int.from_bytes(data[8:12], 'little'):08x}"


class Ld2410(Listener[Scanner]):
    """A seat: occupied while anything is seen. Three equal reports running make a value (0.3 s)."""

    def __init__(self, device: str) -> None:
        self._device = device
        self.reader = scanner()
        self._steady = Steady(agree=3)

    def opened(self, now: Millis) -> bytes:
        """Close a configuration mode that a crash may have left open: while it is, no reports come."""
        super().opened(now)
        return command(CLOSE_CONFIG)

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        reports = [report for frame in self.reader.feed(data) if (report := parse_report(frame)) is not None]
        values = [self._steady.take({"occupied": report.target != NOBODY}, now) for report in reports]
        readings = tuple(DeviceReading(self._device, signals) for signals in values if signals is not None)
        return (Heard(readings, (self._device,)),) if reports else ()
