"""Frames of YKC (云快充) 1.5 and 1.6, between a pile and its platform over TCP.

68 · length u8 (sequence … body) · sequence 2 · encryption flag (00 none) · type · body · CRC-16/MODBUS over sequence …
body. Piles send the CRC low byte first or high byte first, platforms low byte first. Numbers are low byte first, names
are BCD: pile 7 bytes, gun 1, trade 16. Odd types come from the pile, even ones from the platform.
Source: the V1.6 specification of 2020-10-29; the layouts that nobody's examples confirm are passed over.
Cards and VINs (31, 33, 3B) are not read.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from firmware_bridge.frames.checks import crc16_modbus
from firmware_bridge.frames.scanner import MORE, NOT_A_FRAME, Scanner
from gateway.base import bounds
from gateway.model import Millis

START: Final = b"\x68"
HEAD, LONGEST = 6, 200
LOGIN, HEARTBEAT, TARIFF_CHECK, TARIFF, REALTIME = 0x01, 0x03, 0x05, 0x09, 0x13
STARTED, STOPPED, RECORD = 0x33, 0x35, 0x3B
LOGIN_ANSWER, HEARTBEAT_ANSWER, TARIFF_CHECK_ANSWER, TARIFF_ANSWER = 0x02, 0x04, 0x06, 0x0A
READ_REALTIME, RECORD_ANSWER, SET_TIME = 0x12, 0x40, 0x56
OFFLINE, FAULT, IDLE, CHARGING = 0, 1, 2, 3
FAULTS: Final = (
    "emergency_stop", "no_rectifier", "outlet_temperature", "surge_arrester", "dc20_communication",
    "insulation_communication", "meter_communication", "card_reader_communication", "rc10_communication", "fan",
    "dc_fuse", "contactor", "door_open",
)  # fmt: skip
"""By their bits."""
BEIJING: Final = timedelta(hours=8)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class YkcFrame:
    """`sequence` is echoed in an answer. `encrypted`: its body can't be read. `high_first`: so its CRC stands."""

    sequence: bytes
    encrypted: bool
    kind: int
    body: bytes
    high_first: bool = False


@dataclass(frozen=True, slots=True)
class YkcLogin:
    """`version` is 10 × the protocol's: 15, 16."""

    pile: str
    guns: int
    version: int
    program: str


@dataclass(frozen=True, slots=True)
class YkcGun:
    """Frame 13, the state of one gun. `power_w` and `energy_wh` (of this charge so far) are None where they can't
    be."""

    trade: str
    pile: str
    gun: int
    status: int
    plugged: bool
    power_w: float | None
    energy_wh: float | None
    minutes: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class YkcResult:
    """Frames 33 and 35: whether a start or a stop that somebody asked for was done, and the pile's code if not."""

    pile: str
    gun: int
    done: bool
    reason: int


@dataclass(frozen=True, slots=True)
class YkcRecord:
    """Frame 3B: one charge that is over. Times by the pile's clock; energies in Wh, meters None where it has none."""

    trade: str
    pile: str
    gun: int
    started_at: Millis | None
    ended_at: Millis | None
    meter_start: float | None
    meter_stop: float | None
    energy_wh: float | None
    reason: int


def build(kind: int, sequence: bytes, body: bytes) -> bytes:
    inner = sequence + bytes((0, kind)) + body
    return START + bytes((len(inner),)) + inner + crc16_modbus(inner).to_bytes(2, "little")


def _measure(window: bytes) -> int:
    if len(window) < 2:
        return MORE
    return 4 + window[1] if 4 <= window[1] <= LONGEST else NOT_A_FRAME


def _sound(frame: bytes) -> bool:
    """Both orders of the CRC are fine, and only flags that there are."""
    return frame[4] in (0, 1) and crc16_modbus(frame[2:-2]) in (
        int.from_bytes(frame[-2:], "little"),
        int.from_bytes(frame[-2:], "big"),
    )


def scanner() -> Scanner:
    return Scanner((START,), _measure, _sound, 4 + LONGEST)


def parse(frame: bytes) -> YkcFrame:
    """The parts of a sound frame."""
    high_first = crc16_modbus(frame[2:-2]) != int.from_bytes(frame[-2:], "little")
    return YkcFrame(frame[2:4], frame[4] != 0, frame[5], frame[HEAD:-2], high_first)


# ---- what piles say: None for a body that is too short ----


def login(body: bytes) -> YkcLogin | None:
    if len(body) < 18:
        return None
    program = body[10:18].decode("ascii", "replace").strip("\0 ")
    return YkcLogin(body[:7].hex(), body[8], body[9], program if program.isprintable() and program.isascii() else "")


def heartbeat(body: bytes) -> tuple[str, int, bool] | None:
    """(pile, gun, whether the gun is at fault)."""
    return (body[:7].hex(), bcd(body[7]), body[8] != 0) if len(body) >= 9 else None


def realtime(body: bytes) -> YkcGun | None:
    if len(body) < 60:
        return None
    power_w = _u16(body, 27) * _u16(body, 29) / 100
    bits = _u16(body, 58)
    return YkcGun(
        body[:16].hex(),
        body[16:23].hex(),
        bcd(body[23]),
        body[24],
        body[26] == 1,
        round(power_w, 1) if power_w <= bounds.POWER_W[1] else None,
        _uint(body[46:50]) / 10,
        _u16(body, 42),
        tuple(name for bit, name in enumerate(FAULTS) if bits >> bit & 1),
    )


def result(body: bytes, kind: int) -> YkcResult | None:
    """The result of a start or stop; that of a start stands behind its trade number."""
    at = 16 if kind == STARTED else 0
    if len(body) < at + 10:
        return None
    return YkcResult(body[at : at + 7].hex(), bcd(body[at + 7]), body[at + 8] == 1, body[at + 9])


def record(body: bytes) -> YkcRecord | None:
    if len(body) < 150:
        return None
    meter_start, meter_stop = _uint(body[102:107]) / 10, _uint(body[107:112]) / 10
    metered = 0 < meter_stop <= bounds.ENERGY_WH[1] and meter_start <= meter_stop
    return YkcRecord(
        body[:16].hex(),
        body[16:23].hex(),
        bcd(body[23]),
        time_in(body[24:31]),
        time_in(body[31:38]),
        meter_start if metered else None,
        meter_stop if metered else None,
        _uint(body[112:116]) / 10,
        body[149],
    )


def pile_in(frame: YkcFrame) -> str | None:
    """The pile that sent the frame, where its number comes first or after a trade number."""
    at = _PILE_AT.get(frame.kind)
    return None if at is None or len(frame.body) < at + 7 else frame.body[at : at + 7].hex()


_PILE_AT: Final = {
    **dict.fromkeys((LOGIN, HEARTBEAT, TARIFF_CHECK, TARIFF, STOPPED, 0x51, 0x55, 0x57, 0x91, 0x93), 0),
    **dict.fromkeys((REALTIME, STARTED, RECORD, 0x15, 0x17, 0x19, 0x1B, 0x1D, 0x21, 0x23, 0x25), 16),
}


# ---- what we say ----


def login_answer(frame: YkcFrame, *, ok: bool) -> bytes:
    return build(LOGIN_ANSWER, frame.sequence, frame.body[:7] + bytes((not ok,)))


def heartbeat_answer(frame: YkcFrame) -> bytes:
    return build(HEARTBEAT_ANSWER, frame.sequence, frame.body[:8] + b"\0")


def tariff_check_answer(frame: YkcFrame) -> bytes:
    """What it has is fine; one that has none is told so, and asks."""
    model = frame.body[7:9].ljust(2, b"\0")
    return build(TARIFF_CHECK_ANSWER, frame.sequence, frame.body[:7] + model + bytes((model == b"\0\0",)))


def tariff_answer(frame: YkcFrame) -> bytes:
    """Model 1: nothing costs anything, all day."""
    return build(TARIFF_ANSWER, frame.sequence, frame.body[:7] + b"\0\x01" + bytes(8 * 4 + 1 + 48))


def record_answer(frame: YkcFrame) -> bytes:
    return build(RECORD_ANSWER, frame.sequence, frame.body[:16] + b"\0")


def read_realtime(pile: str, gun: int, sequence: bytes) -> bytes:
    return build(READ_REALTIME, sequence, bytes.fromhex(pile) + to_bcd(gun))


def set_time(pile: str, sequence: bytes, now: Millis) -> bytes:
    return build(SET_TIME, sequence, bytes.fromhex(pile) + time_of(now))


# ---- values ----


def bcd(byte: int) -> int:
    """The number of two digits in a byte; some piles count in binary, which is the same up to 9."""
    return (byte >> 4) * 10 + (byte & 15)


def to_bcd(number: int) -> bytes:
    return bytes((number // 10 % 10 << 4 | number % 10,))


def time_in(raw: bytes) -> Millis | None:
    """CP56Time2a in Beijing time; None for what is no time."""
    try:
        minute = datetime(2000 + (raw[6] & 0x7F), raw[5] & 15, raw[4] & 31, raw[3] & 31, raw[2] & 63, tzinfo=UTC)
    except ValueError:
        return None
    ms = _u16(raw, 0)
    return (minute - BEIJING - _EPOCH) // timedelta(milliseconds=1) + ms if ms < 60_000 else None


def time_of(at: Millis) -> bytes:
    moment = _EPOCH + timedelta(milliseconds=at) + BEIJING
    ms = moment.second * 1000 + moment.microsecond // 1000
    return ms.to_bytes(2, "little") + bytes((moment.minute, moment.hour, moment.day, moment.month, moment.year % 100))


def _u16(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _uint(data: bytes) -> int:
    return int.from_bytes(data, "little")
