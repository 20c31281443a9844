"""What a dialect gets and gives: `Source` in, `Decoder` out, `Decoded` for each message. Pure: no I/O, no clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from datetime import datetime
from typing import Final, Protocol, TypeVar

import msgspec

from gateway.base.bounds import mended
from gateway.model import Header, Millis, Observation, Signal, Topic

MAX_BYTES: Final = 65_536  # a LoRaWAN uplink heard by many gateways outgrows the native 16 KiB
MAX_LIST_BYTES: Final = 1_000_000  # what lists or describes many devices: a Zigbee network's, Home Assistant's configs
NO_HEADER: Final = Header()

_EPOCH_S: Final = 1_000_000_000  # a smaller "Unix time" is seconds since boot: the device has no clock yet
_EPOCH_MS: Final = 100_000_000_000
_END_MS: Final = 253_402_300_799_000

_T = TypeVar("_T")
Bad = tuple[str, str]

decode_json: Final[Callable[[bytes], object]] = msgspec.json.Decoder().decode


class Unreadable(ValueError):  # noqa: N818 - a verdict on a payload, not a fault of ours
    """This payload goes to quarantine. `reason` is a short snake_case word: not_json, not_object, wrong_type,
    out_of_range, unknown_value, too_deep, too_long, encoding, unknown_version, other_device,
    several_devices."""

    def __init__(self, reason: str, *, main: bool = False, aside: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.main = main  # the resource's value stood in it, and can't be read
        self.aside = aside  # the resource's value never stands in such a message


class Elsewhere(Unreadable):
    """The message is another device's on a shared topic: nothing of ours, and no fault either."""

    def __init__(self) -> None:
        super().__init__("other_device", aside=True)


class BadSource(ValueError):  # noqa: N818 - read as "a bad source"
    """This `source:` can't feed this resource; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Source:
    """A resource's `source:` as configured; `config.schema.Source` has the same words.

    `topic` is the device's base topic (each dialect says which), `field` names what feeds the resource's main signal,
    `fields` maps signal → path, `values` maps a foreign word → ours (for all signals, or by signal), `scale` maps
    signal → factor, `ts` is the path of the time, `availability_topic` tells online and offline.
    """

    dialect: str
    topic: str
    field: str | None = None
    fields: Mapping[str, str] = default(default_factory=dict)
    values: Mapping[str, Signal | Mapping[str, Signal]] = default(default_factory=dict)
    scale: Mapping[str, float] = default(default_factory=dict)
    ts: str | None = None
    availability_topic: str | None = None

    def words(self, signal: str) -> dict[str, Signal]:
        """What foreign words mean for this signal: those for all, then its own."""
        own = self.values.get(signal)
        everybody = {word: value for word, value in self.values.items() if not isinstance(value, Mapping)}
        return everybody | dict(own) if isinstance(own, Mapping) else everybody


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """An `Observation`, and how many of the payload's fields nobody here has a use for.

    A Struct, since one is made for each message and a dataclass takes six times as long. No signals at all means: the
    device was heard, but said nothing about the resource. A state may carry an `event` that happened too. `bad` are
    signals whose value nobody can read, each with the reason.
    """

    station: str
    device: str
    topic: Topic
    header: Header
    signals: dict[str, Signal]
    event: str | None = None
    ignored: int = 0
    bad: tuple[Bad, ...] = ()

    @property
    def observation(self) -> Observation:
        """The same in the word of the house."""
        return Observation(self.station, self.device, self.topic, self.header, self.signals, self.event)


@dataclass(frozen=True, slots=True)
class Overheard:
    """A device overheard: the `topic` to configure, the facts it reports (words of `facts.FACTS`), the name it goes
    by, and the topics on which it speaks if they are others."""

    topic: str
    facts: tuple[str, ...] = ()
    name: str | None = None
    speaks_on: tuple[str, ...] = ()


class Decoder(Protocol):
    """One source bound to one resource.

    `filters` are the MQTT topics to subscribe to, plain ones without wildcards. A `decode` may replace the tuple (a
    device was renamed, or has described itself): compare with `is` after each call and subscribe anew.
    `valid_for_ms` is how long the device itself says its values hold, else None.
    """

    @property
    def filters(self) -> tuple[str, ...]: ...

    @property
    def valid_for_ms(self) -> Millis | None: ...

    def decode(self, topic: str, payload: bytes, received_at: Millis, /) -> Decoded | None:
        """The message as an observation; None if it is not for us. Raises Unreadable, nothing else."""
        ...


def longest(topic: bytes) -> int:
    """How many bytes a message on this foreign topic may have."""
    return MAX_LIST_BYTES if topic.endswith((b"/bridge/devices", b"/config")) else MAX_BYTES


def read(decode: Callable[[bytes], _T], payload: bytes, most: int = MAX_BYTES) -> _T:
    """`decode` is a msgspec decoder's; its many refusals become the one Unreadable."""
    if len(payload) > most:
        raise Unreadable("too_long")
    try:
        if not payload.isascii():
            payload.decode()  # msgspec does not look into what it skips
        return decode(payload)
    except msgspec.ValidationError:
        raise Unreadable("wrong_type") from None
    except msgspec.DecodeError:
        better = mended(payload)
        if better is None:
            raise Unreadable("not_json") from None
        return read(decode, better, most)
    except UnicodeDecodeError:
        raise Unreadable("encoding") from None
    except RecursionError:
        raise Unreadable("too_deep") from None


def read_object(payload: bytes, most: int = MAX_BYTES) -> dict[str, object]:
    """A JSON object. Raises Unreadable."""
    body = read(decode_json, payload, most)
    if type(body) is dict:
        return body
    raise Unreadable("not_object")


def is_topic(text: object) -> bool:
    """Whether a device may name this as a topic of its own: what comes over the network must not widen what we hear."""
    return isinstance(text, str) and 0 < len(text) <= 1024 and not any(mark in text for mark in "+#\0")


def read_text(payload: bytes) -> str:
    """A short plain word. Raises Unreadable."""
    if len(payload) > MAX_BYTES:
        raise Unreadable("too_long")
    try:
        return payload.decode().strip()
    except UnicodeDecodeError:
        raise Unreadable("encoding") from None


def millis(value: object) -> Millis | None:
    """A foreign time as ours: RFC 3339 with offset, Unix seconds or milliseconds.

    None for everything that is not a time on its own: local time without offset, seconds since boot, other types.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return None if moment.tzinfo is None else round(moment.timestamp() * 1000)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if _EPOCH_MS <= value <= _END_MS:
        return int(value)
    return round(value * 1000) if _EPOCH_S <= value < _EPOCH_MS else None
