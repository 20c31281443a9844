"""SenML in JSON (RFC 8428): a pack of named, timed records.

`topic` carries the packs. Records are known by the last part of their name (`occupancy`, `open`, `people`, `power`, …)
or by `field` and `fields`, which give a whole name or its last part. Of several records for one signal the newest
counts. No sequence; time where the pack has it, relative times counted from receipt.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from gateway.dialects import values
from gateway.dialects.base import NO_HEADER, Decoded, Heard, Source, Unreadable, millis, read
from gateway.dialects.meaning import Meaning, Name, Signals
from gateway.dialects.values import Reader
from gateway.model import Header, Millis, Resource, Signal

NAMES: Final = (
    Name("occupancy", "presence", values.present),
    Name("occupied", "presence", values.present),
    Name("presence", "presence", values.present),
    Name("motion", "presence", values.present),
    Name("people", "people", values.count),
    Name("open", "open", values.opened),
    Name("door", "open", values.opened),
    Name("contact", "open", values.shut),
    Name("locked", "locked", values.locked),
    Name("power", "power_w", values.power_w),
    Name("energy", "energy_wh", values.energy_wh),
    Name("battery", "battery_pct", values.battery_pct),
    Name("rssi", "rssi_dbm", values.rssi_dbm),
)
_VERSION: Final = 10
_RELATIVE_S: Final = 1 << 28
_UNITS: Final = {"kW": 1000.0, "mW": 0.001, "kWh": 1000.0, "J": 1 / 3600, "kJ": 1 / 3.6}  # RFC 8428, RFC 8798
_BASES: Final = frozenset(("bn", "bt", "bu", "bv", "bs", "bver"))
_VALUES: Final = ("v", "vs", "vb", "vd")

_pack: Final = msgspec.json.Decoder(list[dict[str, object]]).decode


class Record(NamedTuple):
    """One resolved record; `time_ms` is None where the pack has no time."""

    name: str
    value: object
    unit: str | None
    time_ms: Millis | None


class SenMl:
    """One topic of packs."""

    __slots__ = ("_meaning", "_named", "_rules", "_topic", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        self._meaning = Meaning(source, resource, NAMES)
        self._rules = self._meaning.rules(NAMES)
        self._named: dict[str, list[tuple[str, Reader]]] = {}
        for path, signal, reader in self._meaning.picks:
            self._named.setdefault(".".join(path), []).append((signal, reader))
        self._topic = source.topic
        self.filters = (self._topic,)

    def decode(self, topic: str, payload: bytes, received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        if topic != self._topic:
            return None
        newest: dict[str, tuple[Millis, Signal]] = {}
        ignored, latest = 0, None
        for record in resolve(read(_pack, payload), received_at):
            readers = self._readers(record.name)
            ignored += not readers
            at = received_at if record.time_ms is None else record.time_ms
            for signal, reader in readers:
                value = reader(_in_our_unit(record))
                before = newest.get(signal)
                if value is not None and (before is None or (at, value is True) >= (before[0], before[1] is True)):
                    newest[signal] = at, value
            if readers and record.time_ms is not None:
                latest = max(latest or record.time_ms, record.time_ms)
        signals: Signals = {signal: value for signal, (_, value) in newest.items()}
        return self._meaning.decoded(NO_HEADER if latest is None else Header(latest), signals, ignored)

    def _readers(self, name: str) -> list[tuple[str, Reader]]:
        tail = _tail(name)
        named = self._named.get(name) or self._named.get(tail)
        if named:
            return named
        rule = self._rules.get(tail)
        return [rule] if rule else []


bind = SenMl


def resolve(pack: list[dict[str, object]], received_at: Millis) -> Iterator[Record]:
    """The records with the base fields worked in (RFC 8428, 4.6). Raises Unreadable."""
    base: dict[str, object] = {}
    for entry in pack:
        if any(label.endswith("_") for label in entry):
            raise Unreadable("unknown_field")
        base |= {label: value for label, value in entry.items() if label in _BASES}
        if _number(base.get("bver"), _VERSION) > _VERSION:
            raise Unreadable("unknown_version")
        said = [label for label in _VALUES if label in entry]
        if len(said) > 1:
            raise Unreadable("bad_record")
        if not said:
            if "s" not in entry and not entry.keys() <= _BASES:
                raise Unreadable("bad_record")
            continue
        value = entry[said[0]]
        if said[0] == "v":
            value = _number(value) + _number(base.get("bv"))
        unit = entry.get("u", base.get("bu"))
        yield Record(
            _text(base.get("bn")) + _text(entry.get("n")), value, unit if isinstance(unit, str) else None,
            _time(base.get("bt"), entry.get("t"), received_at),
        )  # fmt: skip


def _time(base: object, own: object, received_at: Millis) -> Millis | None:
    if base is None and own is None:
        return None
    seconds = _number(base) + _number(own)
    if seconds < _RELATIVE_S:
        return received_at + round(seconds * 1000)
    return millis(seconds)


def _number(value: object, default: float = 0) -> float:
    return default if value is None else values.number(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable("wrong_type")
    return value


def _in_our_unit(record: Record) -> object:
    factor = _UNITS.get(record.unit or "")
    if factor is None or isinstance(record.value, bool) or not isinstance(record.value, int | float):
        return record.value
    return record.value * factor


def _tail(name: str) -> str:
    return name[max(name.rfind(mark) for mark in "/:.") + 1 :]


def hear(topic: str, payload: bytes) -> Heard | None:
    """A JSON array of records with names."""
    if payload[:1] != b"[":
        return None
    pack = read(_pack, payload)
    if not any("n" in entry or "bn" in entry for entry in pack):
        return None
    tails = {_tail(record.name) for record in resolve(pack, 0)}
    return Heard(topic, tuple(dict.fromkeys(name.fact for name in NAMES if name.key in tails)))
