"""From what a device says to what a resource needs: facts, which are the same in every dialect, to signals by kind."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from gateway.dialects import values
from gateway.dialects.base import BadSource, Decoded, Source
from gateway.dialects.paths import Path, parse, pick
from gateway.dialects.values import Reader
from gateway.model import Header, KindName, Resource, Signal

Signals = dict[str, Signal]
Rules = Mapping[str, tuple[str, Reader]]


class Name(NamedTuple):
    """A foreign field name, the fact it tells, and how its value is read."""

    key: str
    fact: str
    read: Reader


# What each kind makes of a fact. `relay` and `bay` are not signals: `_settle` turns them into some.
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

_SIGNALS: Final[Mapping[str, Reader]] = {
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
_MAIN: Final[Mapping[KindName, tuple[str, str | None]]] = {
    "seat": ("occupied", None),
    "room": ("occupied", "people"),
    "charger": ("status", "power_w"),
    "door": ("open", None),
    "appliance": ("status", "power_w"),
    "locker": ("free", "free"),
    "parking": ("bay", "free"),
    "safety": ("ready", None),
}

# Above this a load is in use. Low, so that a full battery still plugged in counts as taken rather than free; above
# the standby of the fixed device itself. `values: {running_above_w: N}` sets another.
_RUNNING_ABOVE_W: Final = {"phone": 2.0, "ebike": 5.0, "ev": 50.0, "microwave": 15.0, "water": 15.0, "massage": 10.0}

# A configured signal silences these too: they answer the same question.
_SAME: Final = {
    "people": ("occupied",),
    "occupied": ("people",),
    "bay": ("free",),
    "free": ("bay",),
    "status": ("relay",),
}

EVENTS: Final = ("card", "door_forced", "door_held", "tamper", "help")


class Pick(NamedTuple):
    """One configured path and the signal it feeds."""

    path: Path
    signal: str
    read: Reader


class Meaning:
    """One resource's view of one device. Keeps only whether the relay is on, for devices that tell it apart from power:
    such a dialect sets `awaits_relay`, and no power reads as free until the relay has been heard.

    `names` are the dialect's fields; `source.field` and `source.fields` come before them.
    """

    __slots__ = (
        "_above_w",
        "_derives",
        "_facts",
        "_kind",
        "_relay",
        "_settles",
        "_source",
        "_taken",
        "awaits_relay",
        "device",
        "picks",
        "station",
    )

    def __init__(self, source: Source, resource: Resource, names: Iterable[Name] = ()) -> None:
        self.station, self.device = resource.station, resource.device
        self._source, self._kind, self._facts = source, resource.kind, FACTS[resource.kind]
        self._settles = resource.kind in ("charger", "appliance", "parking")
        self._derives = "status" not in source.fields
        self._relay: bool | None = None
        self.awaits_relay = False
        self._above_w = _threshold_w(source, resource)
        known = {name.key: name for name in reversed(tuple(names)) if name.fact in self._facts}
        self.picks = (*self._main_picks(known), *self._other_picks(known))
        self._taken = {signal for one in self.picks for signal in (one.signal, *_SAME.get(one.signal, ()))}

    def rules(self, names: Iterable[Name], known: Iterable[str] = ()) -> Rules:
        """The part of `names` this kind has a use for, but what `field` and `fields` already feed.

        `known` are fields that the dialect reads itself; they and the configured ones do not count as ignored.
        """
        found: dict[str, tuple[str, Reader]] = dict.fromkeys(
            (*known, *(one.path[-1] for one in self.picks if one.path)), ("", _nothing)
        )
        for name in names:
            signal = self._facts.get(name.fact)
            if signal is not None and signal not in self._taken and name.key not in found:
                found[name.key] = (signal, self._finished(signal, self._reader(name)))
        return found

    def read(self, rules: Rules, body: Mapping[str, object], signals: Signals) -> int:
        """Adds to `signals` what `rules` find in `body`; how many fields nobody read. Raises Unreadable."""
        ignored = 0
        for key, value in body.items():
            rule = rules.get(key)
            if rule is None:
                ignored += 1
            elif value is not None:
                self._put(signals, rule[0], rule[1](value))
        return ignored

    def take(self, document: object, signals: Signals) -> None:
        """Adds to `signals` what the configured paths find. Raises Unreadable."""
        for path, signal, read in self.picks:
            value = pick(document, path)
            if value is not None:
                self._put(signals, signal, read(value))

    def decoded(self, header: Header, signals: Signals, ignored: int) -> Decoded:
        """The observation, with what follows from power, relay and bay."""
        if self._settles:
            self._settle(signals)
        happened = signals.pop("event", None) if self.picks else None
        if happened:
            return self.event(str(happened), header, ignored)
        return Decoded(self.station, self.device, "state", header, signals, None, ignored)

    def event(self, happened: str, header: Header, ignored: int) -> Decoded:
        """Something that happened, of a type in `EVENTS`."""
        return Decoded(self.station, self.device, "event", header, {}, happened, ignored)

    def availability(self, online: bool, header: Header) -> Decoded:
        """The device itself, or who speaks for it, says whether it is there."""
        return Decoded(self.station, self.device, "availability", header, {"online": online})

    @staticmethod
    def _put(signals: Signals, signal: str, value: Signal | None) -> None:
        # Of two sensors that disagree, the one that says "somebody", "open", "locked" is not outvoted.
        if value is not None and signals.get(signal) is not True:
            signals[signal] = value

    def _settle(self, signals: Signals) -> None:
        if self._kind == "parking":
            bay = signals.pop("bay", None)
            if bay is not None:
                signals["free"], signals["total"] = 0 if bay else 1, 1
            return
        relay = signals.pop("relay", None)
        if relay is not None:
            self._relay = relay is True
        if self._derives and "status" not in signals:
            status = self._status(signals.get("power_w"))
            if status:
                signals["status"] = status

    def _status(self, watts: Signal | None) -> str | None:
        charger = self._kind == "charger"
        if self._relay is False:
            return "Unavailable" if charger else "fault"
        if not isinstance(watts, int | float):
            return None
        if watts > self._above_w:
            return "Charging" if charger else "running"
        if self._relay is None and self.awaits_relay:
            return None
        return "Available" if charger else "idle"

    def _reader(self, name: Name) -> Reader:
        signal = self._facts[name.fact]
        if signal == "status":
            return self._signal_reader(signal)
        return _somebody(name.read) if signal == "occupied" and name.fact == "people" else name.read

    def _signal_reader(self, signal: str) -> Reader:
        if signal == "status":
            return values.one_of(values.CHARGE_POINT_STATUSES if self._kind == "charger" else values.APPLIANCE_STATUSES)
        return _SIGNALS[signal]

    def _finished(self, signal: str, read: Reader) -> Reader:
        """Configured words first, then the configured factor."""
        scaled = values.scaled(self._source.scale.get(signal, 1.0), read)
        return values.translated(self._source.words(signal), scaled)

    def _main_picks(self, known: Mapping[str, Name]) -> list[Pick]:
        if self._source.field is None:
            return []
        path = parse(self._source.field)
        name = known.get(path[-1]) if path else None
        if name is not None:
            signal = self._facts[name.fact]
            return [Pick(path, signal, self._finished(signal, self._reader(name)))]
        word, number = _MAIN[self._kind]
        read = self._signal_reader(word)
        if number is None:
            return [Pick(path, word, self._finished(word, _somebody_or(read) if word == "occupied" else read))]
        count = self._signal_reader(number)
        return [
            Pick(path, word, values.translated(self._source.words(word), _unless_number(read))),
            Pick(path, number, self._finished(number, _if_number(count))),
        ]

    def _other_picks(self, known: Mapping[str, Name]) -> list[Pick]:
        found = []
        for signal, written in self._source.fields.items():
            path = parse(written)
            if signal == "event":
                found.append(Pick(path, signal, _event(self._source.words(signal))))
                continue
            if signal not in self._facts.values():
                allowed = ", ".join([*dict.fromkeys(self._facts.values()), "event"])
                raise BadSource(f"fields: a {self._kind} has no signal {signal!r}; use one of {allowed}")
            name = known.get(path[-1]) if path else None
            # A dialect that knows this field knows its sense too: Zigbee2MQTT's contact is true when closed.
            same = name is not None and self._facts[name.fact] == signal
            read = self._reader(name) if name is not None and same else self._signal_reader(signal)
            found.append(Pick(path, signal, self._finished(signal, read)))
        return found


def _threshold_w(source: Source, resource: Resource) -> float:
    given = source.values.get("running_above_w", _RUNNING_ABOVE_W.get(resource.type or "", 5.0))
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        raise BadSource(f"values.running_above_w: {given!r} is no power; write watts, as in 15")
    return float(given)


def _nothing(_value: object) -> None:
    """Reads a field that is used elsewhere."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _if_number(read: Reader) -> Reader:
    return lambda value: read(value) if _is_number(value) else None


def _unless_number(read: Reader) -> Reader:
    return lambda value: None if _is_number(value) else read(value)


def _somebody(read: Reader) -> Reader:
    def somebody(value: object) -> Signal | None:
        people = read(value)
        return None if people is None else people != 0

    return somebody


def _somebody_or(read: Reader) -> Reader:
    """A seat fed by a number: any body on it makes it taken."""
    return lambda value: values.count(value) != 0 if _is_number(value) else read(value)


def _event(words: Mapping[str, Signal]) -> Reader:
    def event(value: object) -> Signal | None:
        meant = words.get(values.spelled(value))
        return meant if meant in EVENTS else None

    return event
