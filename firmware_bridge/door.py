"""What a door decides by itself, network or not: who may enter, whether it was forced, whether it stands open."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from firmware_bridge.cards import AllowList, CardNumber, Cards
from firmware_bridge.devices.base import DeviceReading, Heard
from gateway.model import Millis, Signal

REPEAT_MS = 2_000  # a card held to the reader is one card
PASSAGE_MS = 10_000  # after a grant the door may open for so long without being forced


@dataclass(frozen=True, slots=True)
class Rules:
    """`allowed` None: somebody else decides who enters, and then nothing is forced."""

    cards: Cards | None = None
    allowed: AllowList | None = None
    held_ms: Millis = 30_000
    pulse_ms: Millis = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """`opens`: it is for us to open the lock (the device has not done it itself)."""

    readings: tuple[DeviceReading, ...] = ()
    granted: bool = False
    opens: bool = False


class Door:
    """One door. Everything it decides is told as an event, so the store has the audit."""

    def __init__(self, device: str, rules: Rules, direction: str | None = None) -> None:
        self.device, self.rules, self.direction = device, rules, direction
        self._lock = threading.Lock()  # card and contact may come on different buses
        self._open = False
        self._held_at: Millis | None = None
        self._passage_until: Millis | None = None
        self._last: tuple[str, Millis] = ("", 0)

    def card(self, card: CardNumber, now: Millis, direction: str | None = None, ok: bool | None = None) -> Decision:
        """A card at the reader. `ok` is the decision of a device that decides itself."""
        if self.rules.cards is None:
            return Decision()
        pseudonym = self.rules.cards.published(card, now)
        with self._lock:
            (before, at), self._last = self._last, (pseudonym, now)
        if pseudonym == before and 0 <= now - at < REPEAT_MS:
            return Decision()
        granted = ok
        if self.rules.allowed is not None:
            granted = bool(ok) or self.rules.allowed.standing(self.rules.cards.access(card), now).accepted
        signals: dict[str, Signal] = {"card": pseudonym}
        if granted is not None:
            signals["granted"] = granted
        if way := direction or self.direction:
            signals["direction"] = way
        if granted:
            self.expect(now)
        return Decision((DeviceReading(self.device, signals, "card"),), bool(granted), bool(granted) and not ok)

    def expect(self, now: Millis) -> None:
        """An opening in the next seconds is rightful."""
        self._passage_until = now + PASSAGE_MS

    def contact(self, is_open: bool, now: Millis) -> tuple[DeviceReading, ...]:
        """The door contact says so; told again, it says nothing new."""
        with self._lock:
            if is_open == self._open:
                return ()
            self._open = is_open
            self._held_at = now + self.rules.held_ms if is_open and self.rules.held_ms else None
        rightful = self._passage_until is not None and 0 <= self._passage_until - now <= PASSAGE_MS
        if not is_open or rightful or self.rules.allowed is None:
            return ()
        return (DeviceReading(self.device, {}, "door_forced"),)

    def tick(self, now: Millis) -> tuple[DeviceReading, ...]:
        with self._lock:
            if self._held_at is None or now < self._held_at:
                return ()
            self._held_at = None
        return (DeviceReading(self.device, {}, "door_held"),)


class Doors(dict[str, Door]):
    """The doors of the whole box, made when first spoken of: reader, contact and lock of one may be on three buses.

    `rules` hold for a door that no bus names.
    """

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self.rules = rules
        self._lock = threading.RLock()

    def __missing__(self, device: str) -> Door:
        return self.know(device, self.rules)

    def know(self, device: str, rules: Rules, direction: str | None = None) -> Door:
        """A configured door. Where several buses name it, the one with a lock decides how long its pulse is."""
        with self._lock:
            known = self.get(device)
            if known is None:
                self[device] = known = Door(device, rules, direction)
            known.direction = known.direction or direction
            if rules.pulse_ms:
                known.rules = rules
            return known

    def forget(self, devices: Iterable[str]) -> None:
        """They are known anew when they are spoken of next."""
        with self._lock:
            for device in devices:
                self.pop(device, None)

    def watch(self, heard: Heard, now: Millis) -> Heard:
        """The same with what the door contacts in it mean."""
        meant: list[DeviceReading] = []
        for reading in heard.readings:
            is_open = reading.signals.get("open")
            if reading.event is None and isinstance(is_open, bool):
                meant += self[reading.device].contact(is_open, now)
        return replace(heard, readings=(*heard.readings, *meant)) if meant else heard

    def tick(self, now: Millis) -> tuple[DeviceReading, ...]:
        """Doors that have stood open for too long."""
        return tuple(reading for door in list(self.values()) for reading in door.tick(now))
