"""The short keys of our own framing, checked and turned into the contract's signals. Both levels share them."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from firmware_bridge.cards import CardNumber
from gateway.base import bounds
from gateway.model import Signal
from gateway.wire import NAME, carries_identity

STATUSES = frozenset(
    ("Available", "Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing", "Reserved", "Unavailable",
     "Faulted", "idle", "running", "fault")
)  # fmt: skip
EVENTS = frozenset(("card", "door_forced", "door_held", "tamper", "help", "passage"))
LEVELS = frozenset(("ok", "low", "out"))
_CODE = re.compile(r"(?!.*[0-9]{12})[A-Za-z0-9_.:-]{0,40}")


def name(value: Any) -> str | None:
    """A device id that may stand in a topic, and nobody's identity number."""
    fits = isinstance(value, str) and NAME.match(value) and not carries_identity(value.encode())
    return value if fits else None


def _flag(value: Any) -> bool | None:
    return bool(value) if value is True or value is False or (type(value) is int and value in (0, 1)) else None


def _number(low: float, high: float) -> Any:
    def read(value: Any) -> float | int | None:
        return value if type(value) in (int, float) and low <= value <= high else None

    return read


def _whole(low: int, high: int) -> Any:
    def read(value: Any) -> int | None:
        return value if type(value) is int and low <= value <= high else None

    return read


_count = _whole(0, 10_000)


def _level(value: Any) -> str | None:
    return value if isinstance(value, str) and value in LEVELS else None


def _day(value: Any) -> str | None:
    """A day as `2027-05-01`."""
    try:
        return value if isinstance(value, str) and date.fromisoformat(value).isoformat() == value else None
    except ValueError:
        return None


def _status(value: Any) -> str | None:
    return value if isinstance(value, str) and value in STATUSES else None


def code(value: Any) -> str | None:
    """A short code; text with long numbers in it is refused, for they might be somebody's."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


_SIGNALS: dict[str, tuple[str, Any]] = {
    "occ": ("occupied", _flag),
    "n": ("people", _count),
    "open": ("open", _flag),
    "st": ("status", _status),
    "w": ("power_w", _number(-1e6, 1e6)),
    "wh": ("energy_wh", _number(0, 1e12)),
    "bat": ("battery_pct", _number(0, 100)),
    "in": ("in", _whole(*bounds.TOTAL)),
    "out": ("out", _whole(*bounds.TOTAL)),
    "alm": ("alarm", _flag),
    "tst": ("test", _flag),
    "tmp": ("temperature_c", _number(*bounds.TEMPERATURE_C)),
    "hum": ("humidity_pct", _number(0, 100)),
    "co2": ("co2_ppm", _number(*bounds.CO2_PPM)),
    "pm25": ("pm25_ugm3", _number(*bounds.PM25_UGM3)),
    "lux": ("illuminance_lx", _number(*bounds.ILLUMINANCE_LX)),
    "cnt": ("count", _whole(*bounds.COUNT)),
    "lvl": ("level", _level),
    "exp": ("expires", _day),
    "err": ("fault", code),
    "fw": ("firmware", code),
}


def signals(fields: Mapping[str, Any]) -> dict[str, Signal]:
    """Signals of a state frame. A value out of its bounds is left out; the rest still counts."""
    known: dict[str, Signal] = {}
    for key, (signal, read) in _SIGNALS.items():
        if key in fields and (value := read(fields[key])) is not None:
            known[signal] = value
    return known


def event(fields: Mapping[str, Any]) -> str | None:
    """The event type of a frame with `ev`; None when there is none of the contract's."""
    kind = fields.get("ev")
    return kind if isinstance(kind, str) and kind in EVENTS else None


def passage(fields: Mapping[str, Any]) -> dict[str, Signal]:
    """What an event `passage` says: which way, and how many at once."""
    way, people = direction(fields), _whole(1, 10_000)(fields.get("n"))
    return ({} if way is None else {"direction": way}) | ({} if people is None else {"n": people})


def card(fields: Mapping[str, Any]) -> CardNumber | None:
    value = fields.get("card")
    if type(value) is int and 0 <= value < 1 << 80:
        return CardNumber.of_int(value)
    if not isinstance(value, str) or not 4 <= len(value) <= 40:
        return None
    return CardNumber.of_any(value.encode())


def granted(fields: Mapping[str, Any]) -> bool | None:
    return _flag(fields.get("ok"))


def direction(fields: Mapping[str, Any]) -> str | None:
    value = fields.get("dir")
    return value if value in ("in", "out") else None
