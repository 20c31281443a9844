"""What waits for the operator is sealed; ids of messages are made here, too, for both need the relay's key."""

import contextlib
import hmac
import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NONCE = 12
ID_DIGITS = 32
KEYS = 4  # of one run: the present one, and those before it


class SealError(ValueError):
    """It was sealed with another key, or for another pile or message, or is damaged."""


class Seal:
    """ChaCha20-Poly1305 under a key of its own, made from `key` as that for ids is.

    `again` reads the key anew: it is asked where a frame can't be opened, for the right one may be back. What was
    sealed meanwhile opens, too.
    """

    def __init__(self, key: bytes, again: Callable[[], bytes]) -> None:
        self._again = again
        self._aeads: list[ChaCha20Poly1305] = []
        self._take(key)

    def _take(self, key: bytes) -> None:
        self.__key = key
        self._aeads.insert(0, ChaCha20Poly1305(hmac.digest(key, b"yizhan relay seal", "sha256")))
        del self._aeads[KEYS:]
        self.__ids = hmac.digest(key, b"yizhan relay ids", "sha256")

    def sealed(self, pile: str, message: str, frame: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._aeads[0].encrypt(nonce, frame, f"{pile}|{message}".encode())

    def opened(self, pile: str, message: str, body: bytes) -> bytes:
        """The frame. SealError."""
        frame = self._opened(pile, message, body)
        if frame is None and self._is_another():
            frame = self._opened(pile, message, body)
        if frame is None:
            raise SealError("it was sealed with another key, or is damaged")
        return frame

    def _opened(self, pile: str, message: str, body: bytes) -> bytes | None:
        for aead in self._aeads:
            with contextlib.suppress(InvalidTag, ValueError):
                return aead.decrypt(body[:NONCE], body[NONCE:], f"{pile}|{message}".encode())
        return None

    def _is_another(self) -> bool:
        """Whether the file holds another key by now, which is used from here on."""
        try:
            key = self._again()
        except (OSError, ValueError):
            return False
        if key == self.__key:
            return False
        self._take(key)
        return True

    def lasting_id(self, pile: str, call: bytes) -> str:
        """The same for the same step of a transaction, however often the pile repeats it, over our restarts too."""
        return hmac.digest(self.__ids, pile.encode() + b"|" + call, "sha256").hex()[:ID_DIGITS]


def fresh_id() -> str:
    """For a message that may well be said twice in the same words."""
    return secrets.token_hex(ID_DIGITS // 2)
