"""Who may charge. An idTag comes in here, and a pseudonym, a yes or a no comes out; nobody else keeps it.

What staff start with is a token that the product makes (`gateway.commands`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.cards import CardNumber, Cards
from gateway.commands import is_ours
from gateway.model import Millis


@dataclass(frozen=True, slots=True)
class Decided:
    """`pseudonym` is what may be stored of who it was; None without a card key, and for staff."""

    accepted: bool
    pseudonym: str | None = None


class TokenDesk:
    """`allowed` holds access pseudonyms; None accepts everybody. `key` gives the command key, or None."""

    def __init__(self, cards: Cards | None, allowed: frozenset[str] | None, key: Callable[[], bytes | None]) -> None:
        self._cards, self._allowed, self._key = cards, allowed, key

    def decide(self, token: str, now: Millis) -> Decided:
        """What to say of an idTag."""
        key = self._key()
        if key is not None and is_ours(key, token, now):
            return Decided(accepted=True)
        if self._cards is None:
            return Decided(accepted=self._allowed is None)
        card = CardNumber.of_any(token.strip().encode("utf-8", "replace"))
        accepted = self._allowed is None or self._cards.access(card) in self._allowed
        return Decided(accepted, self._cards.published(card, now))
