"""The native dialect of contract section 3: topics, headers and payload checks. Shared with the firmware bridge.

Payload shapes of the kinds are in `gateway/kinds`; what all of them have in common is `Signals` here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any
from zlib import crc32

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from config.kinds import SPECS
from gateway.base import bounds
from gateway.model import Header, Millis, Observation, Signal, StoredTopic, Topic

MAX_PAYLOAD = 16_384
MAX_DEPTH = 32
TS_PAST_MS, TS_FUTURE_MS = 30 * 86_400_000, 300_000  # beyond this a device's clock is not believed

TOPICS: tuple[Topic, ...] = ("state", "event", "availability")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z")

Seq = Annotated[int, Meta(ge=0, le=2**53)]
Time = Annotated[datetime, Meta(tz=True)] | Annotated[int, Meta(ge=-(2**53), le=2**53)]
Boot = Annotated[str, Meta(min_length=1, max_length=64)]
Code = Annotated[str, Meta(max_length=200)]
Number = Annotated[float, Meta(ge=-1e12, le=1e12)]
Percent = Annotated[float, Meta(ge=bounds.BATTERY_PCT[0], le=bounds.BATTERY_PCT[1])]
Decibels = Annotated[float, Meta(ge=bounds.RSSI_DBM[0], le=bounds.RSSI_DBM[1])]
Watts = Annotated[float, Meta(ge=bounds.POWER_W[0], le=bounds.POWER_W[1])]
WattHours = Annotated[float, Meta(ge=bounds.ENERGY_WH[0], le=bounds.ENERGY_WH[1])]
Celsius = Annotated[float, Meta(ge=bounds.TEMPERATURE_C[0], le=bounds.TEMPERATURE_C[1])]
Hold = Annotated[float, Meta(ge=bounds.HOLD_S[0], le=bounds.HOLD_S[1])]
Count = Annotated[int, Meta(ge=bounds.COUNT[0], le=bounds.COUNT[1])]


Bad = tuple[str, str]
"""A field, and why its value can't be read: a short word as in `UnreadableError`."""

_TELL_A_VALUE = frozenset(name for spec in SPECS.values() for name in spec.value_signals)
_OF_ALL_KINDS = ("battery_pct", "rssi_dbm", "fault", "firmware", "hold_s")
_ONE_OF_SEVERAL = ("temperature_c", "humidity_pct", "co2_ppm", "pm25_ugm3", "illuminance_lx")
AUXILIARY = frozenset(
    (*_OF_ALL_KINDS, *_ONE_OF_SEVERAL, *(signal.name for spec in SPECS.values() for signal in spec.signals))
) - (_TELL_A_VALUE - {*_ONE_OF_SEVERAL})
"""Signals beside those that tell a kind's value, or one of several: a value of theirs that can't be read costs itself,
not the message."""


class UnreadableError(Exception):
    """A message that goes to quarantine; `reason` is one short word for counters and logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Signals(Struct, gc=False, forbid_unknown_fields=True):
    """Header and the signals that any device may send."""

    ts: Time | None = None
    boot: Boot | None = None
    seq: Seq | None = None
    oldest: Seq | None = None
    battery_pct: Percent | UnsetType = UNSET
    rssi_dbm: Decibels | UnsetType = UNSET
    fault: Code | UnsetType = UNSET
    firmware: Code | UnsetType = UNSET


class Event(Struct, gc=False):
    """A message on the event topic. `card` is a pseudonym, no number that somebody carries; `n`: how many passed."""

    type: Annotated[str, Meta(min_length=1, max_length=64)]
    ts: Time | None = None
    boot: Boot | None = None
    seq: Seq | None = None
    oldest: Seq | None = None
    card: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{1,128}$")] | UnsetType = UNSET
    granted: bool | UnsetType = UNSET
    direction: Annotated[str, Meta(pattern="^(in|out)$")] | UnsetType = UNSET
    n: Annotated[int, Meta(ge=1, le=bounds.COUNT[1])] | UnsetType = UNSET


class Availability(Struct, gc=False):
    """The JSON form of an availability message; the plain words are read without it."""

    state: str
    boot: Boot | None = None
    sleeps: bool = False


def topic(station: str, device: str, which: StoredTopic) -> str:
    return f"yz/{station}/{device}/{which}"


def station_in(raw: bytes) -> str:
    """The station that a topic names, for counting: whatever stands there, empty where nothing does."""
    return (*raw.split(b"/", 2), b"", b"")[1].decode("ascii", "replace")


def parse_topic(raw: bytes) -> tuple[str, str, Topic]:
    """(station, device, state | event | availability). UnreadableError for anything else."""
    try:
        parts = raw.decode().split("/")
    except UnicodeDecodeError:
        raise UnreadableError("topic_encoding") from None
    if len(parts) != 4 or parts[0] != "yz" or not (NAME.match(parts[1]) and NAME.match(parts[2])):
        raise UnreadableError("topic")
    for which in TOPICS:
        if parts[3] == which:
            return parts[1], parts[2], which
    raise UnreadableError("topic")


def parse_stored(raw: bytes) -> tuple[str, str, StoredTopic]:
    """The same for a topic of the journal, where checks by people stand too: (station, the check's id, check)."""
    head, _, which = raw.rpartition(b"/")
    if which != b"check":
        return parse_topic(raw)
    station, check, _ = parse_topic(head + b"/state")
    return station, check, "check"


def millis(ts: datetime | int | None) -> Millis | None:
    """A header's `ts` as ms since 1970."""
    if ts is None or isinstance(ts, int):
        return ts
    return round((ts - _EPOCH).total_seconds() * 1000)


HEADER_FIELDS = frozenset(("ts", "boot", "seq", "oldest", "via", "late"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Header(Struct, gc=False):
    ts: Time | None = None
    boot: Boot | None = None
    seq: Seq | None = None
    oldest: Seq | None = None


_decode_event = msgspec.json.Decoder(Event).decode
_decode_availability = msgspec.json.Decoder(Availability).decode
_decode_header = msgspec.json.Decoder(_Header).decode
_ERRORS = (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError)


def _reason(error: Exception) -> str:
    """The counter's word for why a payload could not be decoded."""
    if isinstance(error, RecursionError):
        return "too_deep"
    if not isinstance(error, msgspec.ValidationError):
        return "not_json"
    text = str(error)
    if text.startswith("Expected `object`") and "at `$" not in text:
        return "not_object"
    beyond = any(sign in text for sign in ("<=", ">=", "length", "out of range"))
    return "out_of_range" if beyond else "wrong_type"


def read(decode: Callable[[bytes], Any], payload: bytes) -> tuple[Any, int, tuple[Bad, ...]]:
    """Signals of a state message, how many fields were ignored, and those whose value nobody can read.

    A field that is null says nothing, and a bad one beside the kind's main signal costs itself. UnreadableError with
    the reason for the rest.
    """
    try:
        return decode(payload), 0, ()
    except msgspec.ValidationError:
        pass
    except _ERRORS as error:
        raise UnreadableError(_reason(error)) from None
    return _read_known(decode, payload)


def _read_known(decode: Callable[[bytes], Any], payload: bytes) -> tuple[Any, int, tuple[Bad, ...]]:
    """Again without the fields that the kind does not know, and without those that say nothing or can't be read."""
    try:
        fields = _decode_fields(payload)
        known = _fields_of(decode)
        kept = {name: value for name, value in fields.items() if name in known}
        said = {name: value for name, value in kept.items() if bytes(value) != b"null"}
        bad = [] if len(said) == 0 else list(_bad(decode, said))
        for name, _ in bad:
            del said[name]
        return decode(msgspec.json.encode(said)), len(fields) - len(kept), tuple(bad)
    except _ERRORS as error:
        raise UnreadableError(_reason(error)) from None


def without(payload: bytes, bad: Iterable[Bad]) -> bytes:
    """The payload of a state message without the fields that nobody can read."""
    fields = _decode_fields(payload)
    for name, _ in bad:
        del fields[name]
    return _encode_json(fields)


def _bad(decode: Callable[[bytes], Any], fields: Mapping[str, msgspec.Raw]) -> Iterator[Bad]:
    """Each field that is neither header nor main signal and that can't be read, with the reason."""
    for name, value in fields.items():
        if name in AUXILIARY:
            try:
                decode(msgspec.json.encode({name: value}))
            except _ERRORS as error:
                yield name, _reason(error)


_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _fields_of(decode: Callable[[bytes], Any]) -> frozenset[str]:
    shape = decode.__self__.type  # type: ignore[attr-defined]
    return frozenset(shape.__struct_encode_fields__)


def read_event(payload: bytes) -> Event:
    try:
        return _decode_event(payload)
    except _ERRORS as error:
        raise UnreadableError(_reason(error)) from None


def read_availability(payload: bytes) -> tuple[bool, str | None]:
    """(online, boot or None) from a plain word or an object."""
    if payload in (b"online", b"offline"):
        return payload == b"online", None
    try:
        message = _decode_availability(payload)
    except _ERRORS as error:
        raise UnreadableError(_reason(error)) from None
    if message.state not in ("online", "offline"):
        raise UnreadableError("wrong_type")
    return message.state == "online", message.boot


GOOD_NIGHT = b'{"state":"offline","sleeps":true}'
"""The goodbye of a device that sleeps between its reports: what it said stays good for as long as it was meant to."""


def is_good_night(payload: bytes) -> bool:
    """Whether an availability message says `offline` and `sleeps`."""
    if payload[:1] != b"{":
        return False
    try:
        return _decode_availability(payload).sleeps is True
    except _ERRORS:
        return False


def header_of(payload: bytes) -> Header | None:
    """The header alone, of a message that may be unreadable otherwise."""
    try:
        header = _decode_header(payload)
    except _ERRORS:
        return None
    return Header(millis(header.ts), header.boot, header.seq, header.oldest)


def fingerprint(topic: bytes, payload: bytes) -> int:
    """The same for the same message in every process."""
    return int.from_bytes(blake2b(payload, key=topic[:64], digest_size=8).digest(), "big") >> 1


def trace(topic: bytes, payload: bytes, ts: Millis | None) -> int:
    """Tells messages of one device apart that have no identity. The same in every process; 63 bits, half of them `ts`,
    without which a repeat is only known where the broker marks it as one."""
    return ((ts or 0) & 0x7FFF_FFFF) << 32 | crc32(payload, crc32(topic))


def _header_fields(header: Header) -> dict[str, Signal]:
    fields: dict[str, Signal] = {}
    if header.ts is not None:
        fields["ts"] = header.ts
    if header.boot is not None:
        fields["boot"] = header.boot
    if header.seq is not None:
        fields["seq"] = header.seq
    if header.oldest is not None:
        fields["oldest"] = header.oldest
    return fields


def encode_header(header: Header) -> bytes:
    """A header alone, as JSON."""
    return msgspec.json.encode(_header_fields(header))


_encode_json = msgspec.json.Encoder().encode


def encode_state(header: Header, signals: Mapping[str, Signal]) -> bytes:
    """The payload of a state message."""
    fields = _header_fields(header)
    fields.update(signals)
    return _encode_json(fields)


def encode(observation: Observation) -> tuple[str, bytes]:
    """Topic and payload of an observation in the native dialect: what devices and the bridge publish."""
    header = observation.header
    if observation.topic == "availability":
        body: dict[str, Signal] = {"state": "online" if observation.signals.get("online") else "offline"}
        if header.boot is not None:
            body["boot"] = header.boot
        payload = _encode_json(body)
    elif observation.event is not None:
        payload = _encode_json({**_header_fields(header), "type": observation.event, **observation.signals})
    else:
        payload = encode_state(header, observation.signals)
    return topic(observation.station, observation.device, observation.topic), payload


# ---- a raw resident identity number must never be stored ----

_DIGITS = bytes(48 if 48 <= byte <= 57 or byte in b"Xx" else 32 for byte in range(256))
_RUN = b"0" * 18
_IDENTITY = re.compile(rb"(?<![0-9A-Za-z])([1-9]\d{5})((?:18|19|20)\d{2})(\d{2})(\d{2})(\d{3})([\dXx])(?![0-9A-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def has_long_digits(data: bytes) -> bool:
    """Cheap, never misses: whether `data` could hold an identity number. Also true for escaped text."""
    return _RUN in data.translate(_DIGITS) or b"\\u" in data


def carries_identity(data: bytes) -> bool:
    """True when a resident identity number (GB 11643: 18 characters, valid date and check digit) stands in it."""
    plain = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)).encode("utf-8", "replace") if escape[1] else b" ", data)
    return any(_is_identity(match) for match in _IDENTITY.finditer(plain))


def _is_identity(match: re.Match[bytes]) -> bool:
    try:
        datetime(int(match[2]), int(match[3]), int(match[4]), tzinfo=UTC)
    except ValueError:
        return False
    number = match[0]
    rest = sum(weight * (digit - 48) for weight, digit in zip(_WEIGHTS, number, strict=False)) % 11
    return number[17:].upper() == b"10X98765432"[rest : rest + 1]


def too_deep(payload: bytes) -> bool:
    """True when objects and arrays nest beyond MAX_DEPTH. Brackets inside strings do not count."""
    if payload.count(b"{") + payload.count(b"[") <= MAX_DEPTH:
        return False
    depth, quoted, skip = 0, False, False
    for byte in payload:
        if skip:
            skip = False
        elif quoted:
            skip, quoted = byte == 0x5C, byte != 0x22
        elif byte == 0x22:
            quoted = True
        elif byte in b"{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif byte in b"}]":
            depth -= 1
    return False
