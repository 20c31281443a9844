"""What waits for the operator is sealed; ids of messages are made here, too, for both need the relay's key."""

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NONCE = 12
ID_DIGITS = 32


class SealError(ValueError):
    """It was sealed with another key, or for another pile or message, or is damaged."""


class Seal:
    """ChaCha20-Poly1305 under a key of its own, made from `key` as that for ids is."""

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(hmac.digest(key, b"yizhan relay seal", "sha256"))
        self.__ids = hmac.digest(key, b"yizhan relay ids", "sha256")

    def sealed(self, pile: str, message: str, frame: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._aead.encrypt(nonce, frame, f"{pile}|{message}".encode())

    def opened(self, pile: str, message: str, body: bytes) -> bytes:
        """The frame. SealError."""
        try:
            return self._aead.decrypt(body[:NONCE], body[NONCE:], f"{pile}|{message}".encode())
        except (InvalidTag, ValueError):
            raise SealError("it was sealed with another key, or is damaged") from None

    def lasting_id(self, pile: str, call: bytes) -> str:
        """The same for the same step of a transaction, however often the pile repeats it, over our restarts too."""
        return hmac.digest(self.__ids, pile.encode() + b"|" + call, "sha256").hex()[:ID_DIGITS]


def fresh_id() -> str:
    """For a message that may well be said twice in the same words."""
    return secrets.token_hex(ID_DIGITS // 2)
