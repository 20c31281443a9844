"""The words between dialects and kinds: facts, which are the same in every dialect, and the signals each kind needs."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.dialects import values
from gateway.dialects.base import BadSource, Source
from gateway.dialects.values import Reader
from gateway.model import KindName, Resource


class Name(NamedTuple):
    """A foreign field name, the fact it tells, and how its value is read."""

    key: str
    fact: str
    read: Reader


# What each kind makes of a fact. `relay` and `bay` are not signals: `Meaning` turns them into some.
_ANY: Final = {"battery_pct": "battery_pct", "rssi_dbm": "rssi_dbm", "fault": "fault", "firmware": "firmware"}
_POWER: Final = {"power_w": "power_w", "relay": "relay", "status": "status"}
FACTS: Final[Mapping[KindName, Mapping[str, str]]] = {
    "seat": _ANY | {"presence": "occupied", "people": "occupied"},
    "room": _ANY | {"presence": "occupied", "people": "people"},
    "charger": _ANY | _POWER | {"energy_wh": "energy_wh", "error": "error"},
    "door": _ANY | {"open": "open", "locked": "locked"},
    "appliance": _ANY | _POWER,
    "locker": _ANY | {"free": "free", "total": "total"},
    "parking": _ANY | {"free": "free", "total": "total", "presence": "bay"},
    "safety": _ANY | {"ready": "ready", "open": "cabinet_open", "expires": "expires"},
}

_READERS: Final[Mapping[str, Reader]] = {
    "occupied": values.present,
    "bay": values.present,
    "people": values.count,
    "power_w": values.power_w,
    "energy_wh": values.energy_wh,
    "error": values.text,
    "open": values.opened,
    "locked": values.locked,
    "relay": values.flag,
    "free": values.count,
    "total": values.count,
    "ready": values.flag,
    "expires": values.day,
    "cabinet_open": values.opened,
    "battery_pct": values.battery_pct,
    "rssi_dbm": values.rssi_dbm,
    "fault": values.text,
    "firmware": values.text,
}
# What `field` feeds: the signal for words and booleans, and the one for numbers.
MAIN: Final[Mapping[KindName, tuple[str, str | None]]] = {
    "seat": ("occupied", None),
    "room": ("occupied", "people"),
    "charger": ("status", "power_w"),
    "door": ("open", None),
    "appliance": ("status", "power_w"),
    "locker": ("free", "free"),
    "parking": ("bay", "free"),
    "safety": ("ready", None),
}

# The signals that tell a kind's value, and those from which that is read: bad ones beside a value cost themselves.
_USE: Final = frozenset(("status", "power_w", "relay"))
MAINS: Final[Mapping[KindName, tuple[frozenset[str], frozenset[str]]]] = {
    "seat": (frozenset(("occupied",)), frozenset(("occupied",))),
    "room": (frozenset(("people", "occupied")), frozenset(("people", "occupied"))),
    "charger": (frozenset(("status",)), _USE),
    "door": (frozenset(("open", "locked")), frozenset(("open", "locked"))),
    "appliance": (frozenset(("status",)), _USE),
    "locker": (frozenset(("free",)), frozenset(("free",))),
    "parking": (frozenset(("free",)), frozenset(("free", "bay"))),
    "safety": (frozenset(("ready", "cabinet_open")), frozenset(("ready", "cabinet_open"))),
}

# Above this a load is in use. Low, so that a full battery still plugged in counts as taken rather than free; above
# the standby of the fixed device itself. `values: {running_above_w: N}` sets another.
_RUNNING_ABOVE_W: Final = {"phone": 2.0, "ebike": 5.0, "ev": 50.0, "microwave": 15.0, "water": 15.0, "massage": 10.0}

# A configured signal silences these too: they answer the same question.
SAME: Final = {
    "people": ("occupied",),
    "occupied": ("people",),
    "bay": ("free",),
    "free": ("bay",),
    "status": ("relay",),
}

EVENTS: Final = ("card", "door_forced", "door_held", "tamper", "help")


def reader_of(kind: KindName, signal: str) -> Reader:
    """How a configured value of this signal is read."""
    if signal == "status":
        return values.known_or_raw(values.CHARGE_POINT_STATUSES if kind == "charger" else values.APPLIANCE_STATUSES)
    return _READERS[signal]


def name_reader(kind: KindName, name: Name) -> Reader:
    """How a dialect's own field is read for this kind."""
    signal = FACTS[kind][name.fact]
    if signal == "status":
        return reader_of(kind, signal)
    return values.some(name.read) if signal == "occupied" and name.fact == "people" else name.read


def running_above_w(source: Source, resource: Resource) -> float:
    """The power above which this resource is in use. Raises BadSource."""
    given = source.values.get("running_above_w", _RUNNING_ABOVE_W.get(resource.type or "", 5.0))
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        raise BadSource(f"values.running_above_w: {given!r} is no power; write watts, as in 15")
    return float(given)
