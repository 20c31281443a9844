"""SenML in JSON (RFC 8428): a pack of named, timed records.

`topic` carries the packs. Records are known by the last part of their name (`occupancy`, `open`, `people`, `power`, …)
or by `field` and `fields`, which give a whole name or its last part. Of several records for one signal the newest
counts. No sequence; time where the pack has it, relative times counted from receipt.

A whole name in `field` or `fields` says who is meant: records of other devices are none of ours, and a pack without one
of ours is no sign of life. Without it all records are taken for one device's, until two devices (base names) are heard
in turn or in one pack: then nobody knows whose value is told.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from gateway.dialects.base import NO_HEADER, Decoded, Elsewhere, Overheard, Source, Unreadable, millis, read
from gateway.dialects.shared import values
from gateway.dialects.shared.facts import Name
from gateway.dialects.shared.meaning import Meaning, ReadSignals
from gateway.dialects.shared.values import SignalReader
from gateway.model import Header, Millis, Resource, Signal

NAMES: Final = (
    Name("occupancy", "presence", values.present),
    Name("occupied", "presence", values.present),
    Name("presence", "presence", values.present),
    Name("motion", "presence", values.present),
    Name("people", "people", values.people),
    Name("open", "open", values.opened),
    Name("door", "open", values.opened),
    Name("contact", "open", values.shut),
    Name("locked", "locked", values.locked),
    Name("power", "power_w", values.power_w),
    Name("energy", "energy_wh", values.energy_wh),
    Name("battery", "battery_pct", values.battery_pct),
    Name("rssi", "rssi_dbm", values.rssi_dbm),
    Name("smoke", "smoke", values.alarm),
    Name("gas", "gas", values.alarm),
    Name("co", "co", values.alarm),
    Name("leak", "leak", values.alarm),
    Name("fire", "fire", values.alarm),
    Name("temp", "temperature_c", values.temperature_c),
    Name("rh", "humidity_pct", values.humidity_pct),
    Name("temperature", "temperature_c", values.temperature_c),
    Name("humidity", "humidity_pct", values.humidity_pct),
    Name("co2", "co2_ppm", values.co2_ppm),
    Name("pm25", "pm25_ugm3", values.pm25_ugm3),
    Name("illuminance", "illuminance_lx", values.illuminance_lx),
    Name("in", "in", values.total),
    Name("out", "out", values.total),
)
_NAMES_KEPT: Final = 256
_VERSION: Final = 10
_ABSENT: Final = (UNSET, UNSET, UNSET, UNSET)
_RELATIVE_S: Final = 1 << 28
_UNITS: Final = {"kW": 1000.0, "mW": 0.001, "kWh": 1000.0, "J": 1 / 3600, "kJ": 1 / 3.6}  # RFC 8428, RFC 8798


class _Entry(msgspec.Struct, gc=False):
    """One entry as written."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bv: float | UnsetType = UNSET
    bs: float | UnsetType = UNSET
    bver: int | UnsetType = UNSET
    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: float | UnsetType = UNSET
    vs: str | UnsetType = UNSET
    vb: bool | UnsetType = UNSET
    vd: str | UnsetType = UNSET
    s: float | UnsetType = UNSET
    t: float | UnsetType = UNSET
    ut: float | UnsetType = UNSET


_pack: Final = msgspec.json.Decoder(list[_Entry]).decode
_labels: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


class SenmlRecord(NamedTuple):
    """One resolved record; `time_ms` is None where the pack has no time."""

    name: str
    value: object
    unit: str | None
    time_ms: Millis | None
    base: str = ""


class _Crowd:
    """Who speaks on a topic. A device that is replaced leaves for ever; of two that are there each comes again."""

    __slots__ = ("_base", "_left", "_mixed_until", "_within_ms")

    def __init__(self, within_ms: Millis) -> None:
        self._within_ms = within_ms
        self._base: str | None = None
        self._left: dict[str, Millis] = {}
        self._mixed_until: Millis = 0

    def hear(self, base: str, now: Millis) -> None:
        """Raises Unreadable while several speak."""
        if base != self._base:
            self._change(base, now)
        if now < self._mixed_until:
            raise Unreadable("several_devices", main=True)

    def _change(self, base: str, now: Millis) -> None:
        came_back = self._left.get(base)
        if came_back is not None and now - came_back < self._within_ms:
            self._mixed_until = now + self._within_ms
        if self._base is not None:
            self._left = {name: at for name, at in self._left.items() if now - at < self._within_ms}
            if len(self._left) < _NAMES_KEPT:
                self._left[self._base] = now
        self._base = base


class SenMl:
    """One topic of packs."""

    __slots__ = ("_crowd", "_heads", "_known", "_meaning", "_named", "_rules", "_topic", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        self._meaning = Meaning(source, resource, NAMES)
        self._rules = self._meaning.rules(NAMES)
        self._named: dict[str, list[tuple[str, SignalReader]]] = {}
        for path, signal, reader in self._meaning.picks:
            self._named.setdefault(".".join(path), []).append((signal, reader))
        self._heads = tuple({name[: -len(_tail(name))] for name in self._named if _tail(name) != name})
        self._crowd = _Crowd(resource.ttl_ms)
        self._known: dict[str, list[tuple[str, SignalReader]]] = {}
        self._topic = source.topic
        self.filters = (self._topic,)

    def decode(self, topic: str, payload: bytes, received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        if topic != self._topic:
            return None
        newest: dict[str, tuple[Millis, Signal]] = {}
        signals = ReadSignals()
        ignored, latest, ours = 0, None, not self._heads
        for record in resolve(payload, received_at):
            ours = ours or record.name.startswith(self._heads)
            readers = self._known.get(record.name)
            if readers is None:
                readers = self._learn(record.name)
            ignored += not readers
            if readers and not self._heads:
                self._crowd.hear(record.base, received_at)
            at = received_at if record.time_ms is None else record.time_ms
            for signal, reader in readers:
                try:
                    value = reader(_in_our_unit(record))
                except Unreadable as error:
                    signals.refuse(signal, error)
                    continue
                before = newest.get(signal)
                if value is not None and (before is None or (at, value is True) >= (before[0], before[1] is True)):
                    newest[signal] = at, value
            if readers and record.time_ms is not None:
                latest = max(latest or record.time_ms, record.time_ms)
        if not ours:
            raise Elsewhere
        signals.update({signal: value for signal, (_, value) in newest.items()})
        return self._meaning.decoded(NO_HEADER if latest is None else Header(latest), signals, ignored)

    def _learn(self, name: str) -> list[tuple[str, SignalReader]]:
        """Who reads records of this name; the answer is kept for names met again, not for a flood of new ones."""
        tail = _tail(name)
        rule = self._rules.get(tail)
        readers = self._named.get(name) or []
        if not readers and (not self._heads or name.startswith(self._heads)):
            readers = self._named.get(tail) or ([rule] if rule and rule[0] else [])
        if len(self._known) < _NAMES_KEPT:
            self._known[name] = readers
        return readers


bind = SenMl


def resolve(payload: bytes, received_at: Millis) -> Iterator[SenmlRecord]:
    """The records with the base fields worked in (RFC 8428, 4.6). Raises Unreadable."""
    pack = read(_pack, payload)
    if b'_"' in payload or b"\\u" in payload:
        _check_labels(payload)
    name, time, unit, value = "", None, None, 0.0
    for entry in pack:
        if entry.bver is not UNSET and entry.bver > _VERSION:
            raise Unreadable("unknown_version")
        name = entry.bn if entry.bn is not UNSET else name
        time = entry.bt if entry.bt is not UNSET else time
        unit = entry.bu if entry.bu is not UNSET else unit
        value = entry.bv if entry.bv is not UNSET else value
        said = _said(entry, value)
        if said is not UNSET:
            own = entry.t
            seconds = time if own is UNSET else own if time is None else time + own
            yield SenmlRecord(
                name if entry.n is UNSET else name + entry.n,
                said,
                unit if entry.u is UNSET else entry.u,
                None if seconds is None else _moment(seconds, received_at),
                name,
            )


def _said(entry: _Entry, base: float) -> object:
    """The one value; UNSET for an entry that only sets the base or tells a sum."""
    said: object = UNSET if entry.v is UNSET else entry.v + base
    for other in (entry.vb, entry.vs, entry.vd):
        if other is not UNSET:
            if said is not UNSET:
                raise Unreadable("bad_record")
            said = other
    if said is UNSET and entry.s is UNSET and (entry.n, entry.u, entry.t, entry.ut) != _ABSENT:
        raise Unreadable("bad_record")
    return said


def _check_labels(payload: bytes) -> None:
    """A label ending in _ must be understood, and we know none."""
    for entry in read(_labels, payload):
        if any(label.endswith("_") for label in entry):
            raise Unreadable("unknown_field")


def _moment(seconds: float, received_at: Millis) -> Millis | None:
    if seconds < _RELATIVE_S:
        return received_at + round(max(seconds, -_RELATIVE_S) * 1000)
    return millis(seconds)


def _in_our_unit(record: SenmlRecord) -> object:
    factor = _UNITS.get(record.unit or "")
    if factor is None or isinstance(record.value, bool) or not isinstance(record.value, int | float):
        return record.value
    return record.value * factor


def _tail(name: str) -> str:
    return name[max(name.rfind(mark) for mark in "/:.") + 1 :]


def hear(topic: str, payload: bytes) -> Overheard | None:
    """A JSON array of records with names."""
    if payload[:1] != b"[":
        return None
    tails = {_tail(record.name) for record in resolve(payload, 0)} - {""}
    if not tails:
        return None
    return Overheard(topic, tuple(dict.fromkeys(name.fact for name in NAMES if name.key in tails)))
