"""Who may charge. An idTag comes in here, and a pseudonym, a yes or a no comes out; nobody else keeps it.

What staff start with is a token that the product makes (`gateway.commands`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.cards import NOBODY, AllowList, CardNumber, Cards, CardStanding
from gateway.commands import is_ours
from gateway.model import Millis

WELCOME = CardStanding("Accepted")


@dataclass(frozen=True, slots=True)
class Decided:
    """`pseudonym` is what may be stored of who it was; None without a card key, and for staff."""

    standing: CardStanding
    pseudonym: str | None = None


class TokenDesk:
    """`allowed` None accepts everybody. `key` gives the command key, or None."""

    def __init__(self, cards: Cards | None, allowed: AllowList | None, key: Callable[[], bytes | None]) -> None:
        self._cards, self._allowed, self._key = cards, allowed, key

    def decide(self, token: str, now: Millis) -> Decided:
        """What to say of an idTag."""
        key = self._key()
        if key is not None and is_ours(key, token, now):
            return Decided(WELCOME)
        if self._cards is None:
            return Decided(WELCOME if self._allowed is None else NOBODY)
        card = CardNumber.of_any(token.strip().encode("utf-8", "replace"))
        standing = WELCOME if self._allowed is None else self._allowed.standing(self._cards.access(card), now)
        return Decided(standing, self._cards.published(card, now))
