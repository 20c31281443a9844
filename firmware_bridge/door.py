"""What a door decides by itself, network or not: who may enter, whether it was forced, whether it stands open."""

from dataclasses import dataclass

from firmware_bridge.cards import CardNumber, Cards
from firmware_bridge.devices.base import Reading
from gateway.model import Millis, Signal

REPEAT_MS = 2_000  # a card held to the reader is one card
PASSAGE_MS = 10_000  # after a grant the door may open for so long without being forced


@dataclass(frozen=True, slots=True)
class Rules:
    """`allowed` holds access pseudonyms; None where somebody else decides who enters, and then nothing is forced."""

    cards: Cards | None = None
    allowed: frozenset[str] | None = None
    held_ms: Millis = 30_000
    pulse_ms: Millis = 0


@dataclass(frozen=True, slots=True)
class Decision:
    readings: tuple[Reading, ...] = ()
    granted: bool = False


class Door:
    """One door. Everything it decides is told as an event, so the store has the audit."""

    def __init__(self, device: str, rules: Rules, direction: str | None = None) -> None:
        self.device, self.rules, self._direction = device, rules, direction
        self._open = False
        self._held_at: Millis | None = None
        self._passage_until: Millis | None = None
        self._last: tuple[str, Millis] = ("", 0)

    def card(self, card: CardNumber, now: Millis, direction: str | None = None, ok: bool | None = None) -> Decision:
        """A card at the reader. `ok` is the decision of a device that decides itself."""
        if self.rules.cards is None:
            return Decision()
        pseudonym = self.rules.cards.published(card, now)
        before, at = self._last
        self._last = pseudonym, now
        if pseudonym == before and 0 <= now - at < REPEAT_MS:
            return Decision()
        granted = ok
        if self.rules.allowed is not None:
            granted = bool(ok) or self.rules.cards.access(card) in self.rules.allowed
        signals: dict[str, Signal] = {"card": pseudonym}
        if granted is not None:
            signals["granted"] = granted
        if direction or self._direction:
            signals["direction"] = direction or self._direction or ""
        if granted:
            self.expect(now)
        return Decision((Reading(self.device, signals, "card"),), bool(granted))

    def expect(self, now: Millis) -> None:
        """An opening in the next seconds is rightful."""
        self._passage_until = now + PASSAGE_MS

    def contact(self, is_open: bool, now: Millis) -> tuple[Reading, ...]:
        """The door contact says so; told again, it says nothing new."""
        if is_open == self._open:
            return ()
        self._open = is_open
        self._held_at = now + self.rules.held_ms if is_open and self.rules.held_ms else None
        rightful = self._passage_until is not None and 0 <= self._passage_until - now <= PASSAGE_MS
        if not is_open or rightful or self.rules.allowed is None:
            return ()
        return (Reading(self.device, {}, "door_forced"),)

    def tick(self, now: Millis) -> tuple[Reading, ...]:
        if self._held_at is None or now < self._held_at:
            return ()
        self._held_at = None
        return (Reading(self.device, {}, "door_held"),)

    def deadline(self) -> Millis | None:
        return self._held_at


class Doors(dict[str, Door]):
    """The doors of one bus, made when first spoken of."""

    def __init__(self, rules: Rules, directions: dict[str, str | None] | None = None) -> None:
        super().__init__()
        self.rules, self._directions = rules, directions or {}

    def __missing__(self, device: str) -> Door:
        self[device] = door = Door(device, self.rules, self._directions.get(device))
        return door

    def tick(self, now: Millis) -> tuple[Reading, ...]:
        return tuple(reading for door in self.values() for reading in door.tick(now))

    def deadline(self) -> Millis | None:
        return min((at for door in self.values() if (at := door.deadline()) is not None), default=None)
