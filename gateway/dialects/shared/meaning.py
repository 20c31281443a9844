"""From what a device says to what a resource needs."""

from collections.abc import Iterable, Mapping

from config.kinds import SPECS, FromPower
from gateway.dialects.base import Bad, Decoded, Elsewhere, Source, Unreadable
from gateway.dialects.shared import values
from gateway.dialects.shared.facts import FACTS, MAINS, SAME, Name, name_reader, other_types, running_above_w
from gateway.dialects.shared.paths import pick
from gateway.dialects.shared.picks import finished, picks_of
from gateway.dialects.shared.values import SignalReader
from gateway.model import Header, Resource, Signal


class ReadSignals(dict[str, Signal]):
    """What one message says, and in `bad` what it says in a way that nobody can read, each with the reason."""

    bad: tuple[Bad, ...] = ()

    def refuse(self, signal: str, error: Unreadable) -> None:
        """This value costs itself, not the message; another device's message is none of ours."""
        if isinstance(error, Elsewhere):
            raise error
        self.bad = (*self.bad, (signal, error.reason))


FieldRules = Mapping[str, tuple[str, SignalReader]]


class Meaning:
    """One resource's view of one device. `names` are the dialect's fields; the configured ones come before them.

    It remembers whether the relay is on, for devices that tell it apart from power: such a dialect sets `awaits_relay`,
    and no power reads as free until the relay has been heard.
    """

    __slots__ = (
        "_above_w", "_from_power", "_has_bay", "_kind", "_others", "_relay", "_source", "_taken", "awaits_relay",
        "derives_status", "device", "picks", "station",
    )  # fmt: skip

    def __init__(self, source: Source, resource: Resource, names: Iterable[Name] = ()) -> None:
        self.station, self.device = resource.station, resource.device
        self._source, self._kind = source, resource.kind
        self._others = other_types(resource)
        spec = SPECS[resource.kind]
        self._from_power = spec.from_power
        self._has_bay = "bay" in spec.facts.values()
        self.derives_status = "status" not in source.fields
        self._relay: bool | None = None
        self.awaits_relay = False
        self._above_w = running_above_w(source, resource)
        self.picks = picks_of(source, resource.kind, names)
        self._taken = {signal for taken in self.picks for signal in (taken.signal, *SAME.get(taken.signal, ()))}
        if source.field and "status" in self._taken:
            self._taken.add("power_w")  # some other power must not contradict it

    def rules(self, names: Iterable[Name], known: Iterable[str] = ()) -> FieldRules:
        """The part of `names` this kind has a use for, but what `field` and `fields` already feed.

        `known` are fields that the dialect reads itself; they and the configured ones do not count as ignored.
        """
        picked = (known_pick.path[-1] for known_pick in self.picks if known_pick.path)
        rules: dict[str, tuple[str, SignalReader]] = dict.fromkeys((*known, *picked), ("", values.nothing))
        for name in names:
            signal = FACTS[self._kind].get(name.fact)
            if name.fact in self._others:
                continue
            if signal is not None and signal not in self._taken and name.key not in rules:
                rules[name.key] = (signal, finished(self._source, signal, name_reader(self._kind, name)))
        return rules

    def read(self, rules: FieldRules, body: Mapping[str, object], signals: ReadSignals) -> int:
        """Adds to `signals` what `rules` find in `body`; how many fields nobody read."""
        find, ignored = rules.get, 0
        for key, value in body.items():
            rule = find(key)
            if rule is None:
                ignored += 1
            elif value is not None and rule[0]:
                signal = rule[0]
                try:
                    read = rule[1](value)
                except Unreadable as error:
                    signals.refuse(signal, error)
                    continue
                if read is not None and signals.get(signal) is not True:  # as in put, which is called too often here
                    signals[signal] = read
        return ignored

    def take(self, document: object, signals: ReadSignals) -> None:
        """Adds to `signals` what the configured paths find."""
        for path, signal, read in self.picks:
            value = pick(document, path)
            if value is not None:
                self.put(signals, signal, read, value)

    def decoded(self, header: Header, signals: ReadSignals, ignored: int) -> Decoded:
        """The observation, with what follows from power, relay and bay. Unreadable if its main value is."""
        if signals.bad:
            _, needed = MAINS[self._kind]
            lost = [reason for signal, reason in signals.bad if signal in needed]
            if lost and needed.isdisjoint(signals):
                raise Unreadable(lost[0], main=True)
        if self._from_power is not None:
            self._settle(signals, self._from_power)
        elif self._has_bay and (bay := signals.pop("bay", None)) is not None:
            signals["free"], signals["total"] = 0 if bay else 1, 1
        happened = signals.pop("event", None) if self.picks else None
        if happened and not signals:
            return self.event(str(happened), header, ignored)
        event = str(happened) if happened else None
        return Decoded(self.station, self.device, "state", header, signals, event, ignored, signals.bad)

    def event(self, happened: str, header: Header, ignored: int, signals: ReadSignals | None = None) -> Decoded:
        """Something that happened, of a type in `EVENTS`; `signals` are its fields."""
        return Decoded(self.station, self.device, "event", header, signals or {}, happened, ignored)

    def availability(self, online: bool, header: Header) -> Decoded:
        """The device itself, or who speaks for it, says whether it is there."""
        return Decoded(self.station, self.device, "availability", header, {"online": online})

    @staticmethod
    def put(signals: ReadSignals, signal: str, read: SignalReader, said: object) -> None:
        """Adds what `read` makes of `said`."""
        try:
            value = read(said)
        except Unreadable as error:
            signals.refuse(signal, error)
            return
        # Of two sensors that disagree, the one that says "somebody", "open", "locked" is not outvoted.
        if value is not None and signals.get(signal) is not True:
            signals[signal] = value

    def _settle(self, signals: ReadSignals, words: FromPower) -> None:
        relay = signals.pop("relay", None)
        if relay is not None:
            self._relay = relay is True
        if self.derives_status and "status" not in signals:
            status = self._status(signals.get("power_w"), words)
            if status:
                signals["status"] = status

    def _status(self, watts: Signal | None, words: FromPower) -> str | None:
        if self._relay is False:
            return words.off
        if not isinstance(watts, int | float):
            return None
        if abs(watts) > self._above_w:  # a clamp put on backwards counts below zero
            return words.running
        if self._relay is None and self.awaits_relay:
            return None
        return words.idle
