"""The one-time code of `/setup` in an empty house: whoever reads the log of the box is its first administrator."""

import hmac
import secrets
import threading
from typing import Final

from gateway.model import Millis

LIFE_MS: Final = 60 * 60_000
TRIES: Final = 5
CHARACTERS: Final = 8
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is taken for another; 39 bits in all


class SetupCode:
    """Good once, for an hour, and for five tries in all: whoever can't read it has no chance to guess it."""

    def __init__(self, now: Millis, code: str | None = None) -> None:
        self._code = code or "".join(secrets.choice(_ALPHABET) for _ in range(CHARACTERS))
        self._until, self._tries = now + LIFE_MS, TRIES
        self._lock = threading.Lock()

    @property
    def text(self) -> str:
        """The code as the log shows it, in two halves."""
        return f"{self._code[:4]}-{self._code[4:]}"

    def is_open(self, now: Millis) -> bool:
        """Whether anything could still be the right code."""
        return self._tries > 0 and now < self._until

    def take(self, said: str, now: Millis) -> bool:
        """Whether `said` is the code; it is then used up. Case, blanks and hyphens don't matter."""
        plain = "".join(character for character in said.upper() if character.isalnum())
        with self._lock:
            if not self.is_open(now):
                return False
            self._tries -= 1
            right = hmac.compare_digest(plain.encode(), self._code.encode())
            if right:
                self._tries = 0
            return right
