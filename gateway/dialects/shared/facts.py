"""The words between dialects and kinds: facts, which are the same in every dialect, and the signals each kind needs."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from config.kinds import RUNNING_ABOVE_W, SPECS, SignalType
from gateway.dialects.base import BadSource, Source
from gateway.dialects.shared import values
from gateway.dialects.shared.values import SignalReader
from gateway.model import KindName, Resource

HAZARDS: Final = tuple(fact for fact, signal in SPECS["hazard"].facts.items() if signal == "alarm")
"""What a detector may warn of."""


class Name(NamedTuple):
    """A foreign field name, the fact it tells, and how its value is read."""

    key: str
    fact: str
    read: SignalReader


# Not all are signals: `Meaning` turns `relay` and `bay` into some.
_ANY: Final = {"battery_pct": "battery_pct", "rssi_dbm": "rssi_dbm", "fault": "fault", "firmware": "firmware"}
FACTS: Final[Mapping[KindName, Mapping[str, str]]] = {name: {**_ANY, **spec.facts} for name, spec in SPECS.items()}
"""What each kind makes of a fact: the signal that it becomes."""

# How these are read whatever their type; `values: {…}` of a source puts its own words before.
_READERS: Final[Mapping[str, SignalReader]] = {
    "occupied": values.present,
    "people": values.people,
    "bay": values.present,
    "power_w": values.power_w,
    "energy_wh": values.energy_wh,
    "open": values.opened,
    "locked": values.locked,
    "relay": values.flag,
    "cabinet_open": values.opened,
    "battery_pct": values.battery_pct,
    "rssi_dbm": values.rssi_dbm,
    "alarm": values.alarm,
    "temperature_c": values.temperature_c,
    "humidity_pct": values.humidity_pct,
    "co2_ppm": values.co2_ppm,
    "pm25_ugm3": values.pm25_ugm3,
    "illuminance_lx": values.illuminance_lx,
    "in": values.total,
    "out": values.total,
    "fault": values.text,
    "firmware": values.text,
}
_OF_TYPE: Final[Mapping[SignalType, SignalReader]] = {
    "flag": values.flag, "count": values.count, "number": values.number, "text": values.text, "date": values.day,
}  # fmt: skip
# What `field` feeds: the signal for words and booleans, and the one for numbers.
MAIN: Final[Mapping[KindName, tuple[str, str | None]]] = {name: spec.main for name, spec in SPECS.items()}
# The signals that tell a kind's value, and those from which that is read: bad ones beside a value cost themselves.
MAINS: Final = {name: (spec.value_signals, spec.read_from) for name, spec in SPECS.items()}

# A configured signal silences these too: they answer the same question.
SAME: Final = {
    "people": ("occupied",),
    "occupied": ("people",),
    "bay": ("free",),
    "free": ("bay",),
    "status": ("relay",),
}

EVENTS: Final = ("card", "door_forced", "door_held", "tamper", "help", "passage")


def reader_of(kind: KindName, signal: str) -> SignalReader:
    """How a configured value of this signal is read."""
    if signal in _READERS:
        return _READERS[signal]
    declared = SPECS[kind].signal(signal)
    return values.known_or_raw(declared.words) if declared.type == "code" else _OF_TYPE[declared.type]


def name_reader(kind: KindName, name: Name) -> SignalReader:
    """How a dialect's own field is read for this kind."""
    signal = FACTS[kind][name.fact]
    if signal == "status":
        return reader_of(kind, signal)
    return values.some(name.read) if signal == "occupied" and name.fact == "people" else name.read


def other_types(resource: Resource) -> frozenset[str]:
    """The facts that are about other types of its kind than its own; none for a resource without a type."""
    types = SPECS[resource.kind].types
    own = types.get(resource.type or "")
    if own is None:
        return frozenset()
    return frozenset(fact for sort in types.values() for fact in sort.told_by) - frozenset(own.told_by)


def running_above_w(source: Source, resource: Resource) -> float:
    """The power above which this resource is in use. Raises BadSource."""
    sort = SPECS[resource.kind].types.get(resource.type or "")
    given = source.values.get("running_above_w", sort.running_above_w if sort else RUNNING_ABOVE_W)
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        raise BadSource(f"values.running_above_w: {given!r} is no power; write watts, as in 15")
    return float(given)
