"""Who may charge. An idTag comes in here, and a pseudonym, a yes or a no comes out; nobody else keeps it.

What staff start with is a token that the product makes: it names no person, holds for a day, and is known by its HMAC
under the command key, in every process that has the key.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.cards import CardNumber, Cards
from gateway.model import Millis

PREFIX = "YZ"
HOLDS_MIN = 24 * 60
_STAMP, _SALT, _PROOF = 7, 2, 9  # hex digits; 20 characters in all, the most that 1.6 takes
MINUTE_MS = 60_000


def make_token(key: bytes, now: Millis) -> str:
    """A token to start a charge with, 20 characters."""
    head = f"{PREFIX}{now // MINUTE_MS:0{_STAMP}X}{secrets.randbits(4 * _SALT):0{_SALT}X}"
    return head + _proof(key, head)


def is_ours(key: bytes, token: str, now: Millis) -> bool:
    """Whether `make_token` made it, no longer ago than it holds."""
    head, proof = token[:-_PROOF].upper(), token[-_PROOF:].upper()
    if len(token) != len(PREFIX) + _STAMP + _SALT + _PROOF or not head.startswith(PREFIX):
        return False
    if not hmac.compare_digest(_proof(key, head).encode(), proof.encode()):
        return False
    made = int(head[len(PREFIX) : len(PREFIX) + _STAMP], 16)
    return -5 <= now // MINUTE_MS - made <= HOLDS_MIN


def _proof(key: bytes, head: str) -> str:
    return hmac.digest(key, b"staff token|" + head.encode("utf-8", "replace"), "sha256").hex()[:_PROOF].upper()


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
