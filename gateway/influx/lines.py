"""Stored readings as lines of InfluxDB's line protocol, numbers only.

Measurement: the resource's kind; tags: `resource`, `station`, `type`; one field for each signal. Persons and doors'
events never leave: only `state` messages become lines, and a `card` is no field.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

import msgspec

from config.kinds import SPECS, KindSignal, SignalType
from gateway import wire
from gateway.base.bounds import NOBODY_COUNTED
from gateway.model import TS_SUSPECT, Batch, KindName, Millis, Resource

UNKNOWN_STATUS = "-1"
EPOCH_DAY = date(1970, 1, 1).toordinal()

Text = Callable[[Any], str | None]


def number(value: object) -> str | None:
    """A JSON number as it is; None for anything else."""
    return repr(value) if type(value) is int or type(value) is float else None


def persons(value: object) -> str | None:
    """A number of people; None for what a counter says that has none."""
    return None if value in NOBODY_COUNTED else number(value)


def flag(value: object) -> str | None:
    return "1" if value is True else "0" if value is False else None


def some(value: object) -> str | None:
    """A code in words (`fault`, `error`): 1 while there is one."""
    return None if not isinstance(value, str) else "0" if value in ("", "NoError") else "1"


def code(words: Iterable[str]) -> Text:
    """A status as its place among `words`, from 0; a vendor's own word is -1."""
    codes = {word: str(place) for place, word in enumerate(words)}
    return lambda value: codes.get(value, UNKNOWN_STATUS) if isinstance(value, str) else None


def day_s(value: object) -> str | None:
    """A date as seconds from 1970 to its midnight UTC."""
    try:
        return str((date.fromisoformat(value).toordinal() - EPOCH_DAY) * 86_400) if isinstance(value, str) else None
    except ValueError:
        return None


COMMON: dict[str, Text] = {"battery_pct": number, "rssi_dbm": number, "fault": some}
_OF_TYPE: dict[SignalType, Text] = {"flag": flag, "count": number, "number": number, "text": some, "date": day_s}
_OF_NAME: dict[str, Text] = {"people": persons}


def _text_of(signal: KindSignal) -> Text:
    return code(signal.words) if signal.type == "code" else _OF_NAME.get(signal.name, _OF_TYPE[signal.type])


FIELDS: dict[KindName, dict[str, Text]] = {
    name: {signal.name: _text_of(signal) for signal in spec.signals} for name, spec in SPECS.items()
}

_ESCAPED = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": r"\ "})
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def series(resource: Resource) -> str:
    """The head of every line of a resource: measurement and tags."""
    tags = (("resource", resource.id), ("station", resource.station), ("type", resource.type))
    return resource.kind + "".join(f",{name}={value.translate(_ESCAPED)}" for name, value in tags if value)


def _nothing(_topic: bytes, _received_at: Millis, _error: Exception) -> None:
    """Who only counts and compares leaves out what was told when it was sent."""


class Lines:
    """Makes lines for the devices of these resources; what others said is left out."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.configure(resources)

    def configure(self, resources: Iterable[Resource]) -> None:
        """These from now on. Any thread."""
        fed: dict[bytes, list[tuple[str, dict[str, Text]]]] = defaultdict(list)
        stations = set()
        for resource in resources:
            stations.add(resource.station)
            topic = wire.topic(resource.station, resource.device, "state").encode()
            fed[topic].append((series(resource), {**COMMON, **FIELDS[resource.kind]}))
        self._fed, self.stations = dict(fed), sorted(stations)

    def of(self, topic: bytes, payload: bytes, received_at: Millis, flags: int) -> list[str]:
        """One line for each resource that the message feeds; none when it says nothing in numbers."""
        fed = self._fed.get(topic)
        if fed is None:
            return []
        try:
            said = _decode(payload)
        except msgspec.DecodeError:
            return []
        at: int | None = None
        lines = []
        for head, texts in fed:
            fields = [
                f"{name}={text}"
                for name, value in said.items()
                if name in texts and (text := texts[name](value)) is not None
            ]
            if fields:
                at = time_ns(said, payload, received_at, flags) if at is None else at
                lines.append(f"{head} {','.join(fields)} {at}")
        return lines

    def of_batch(self, batch: Batch, failed: Callable[[bytes, Millis, Exception], None] = _nothing) -> list[str]:
        """All lines of a batch, in order of arrival. A message that none can be made of costs itself: `failed` is told
        its topic, its receipt and why."""
        lines: list[str] = []
        for topic, payload, received_at, flags in zip(
            batch.topics, batch.payloads, batch.received, batch.flags, strict=True
        ):
            try:
                lines += self.of(topic, payload, received_at, flags)
            except Exception as error:  # noqa: BLE001  told; an InvariantError is none and goes on
                failed(topic, received_at, error)
        return lines


def time_ns(said: dict[str, Any], payload: bytes, received_at: Millis, flags: int) -> int:
    """The time of the point, in ns. A message that is sent again gets the same time; messages of one millisecond get
    times that differ by their `seq`.

    Where `ts` is not believed the time of receipt counts; without `seq` a digest of the payload takes its place.
    """
    ts, seq = said.get("ts"), said.get("seq")
    if isinstance(ts, str):
        header = wire.header_of(payload)
        ts = header.ts if header else None
    if ts is None or flags & TS_SUSPECT:
        ts = received_at
    return int(ts) * 1_000_000 + (seq if seq is not None else zlib.crc32(payload)) % 1_000_000


class InfluxLine(NamedTuple):
    """A line taken apart: measurement and tags, the names of its fields, its time in ns."""

    head: str
    fields: list[str]
    at: int


def cut(line: str) -> InfluxLine:
    """A line of ours in its parts."""
    head, fields, at = line.rsplit(" ", 2)
    return InfluxLine(head, [field.partition("=")[0] for field in fields.split(",")], int(at))


def time_of(line: str) -> int:
    """The time in ns that ends a line."""
    return int(line.rpartition(" ")[2])
