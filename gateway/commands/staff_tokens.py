"""Tokens with which staff start a charge. They name no person, hold for a day, and are known by their HMAC under the
command key, in every process that has the key. What else a call to a pile may carry of who charges is none of ours.
"""

import hmac
import json
import secrets
from collections.abc import Iterator
from typing import Any

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


TOKEN_KEYS = frozenset(("idTag", "parentIdTag", "idToken", "additionalIdToken", "customerIdentifier"))
"""Properties of OCPP payloads that name who charges."""


def carries_foreign_token(payload: Any, key: bytes | None, now: Millis) -> bool:
    """Whether a payload names anybody whom `make_token` did not make."""
    return any(key is None or not is_ours(key, token, now) for token in _tokens(payload))


def _tokens(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _tokens(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in TOKEN_KEYS and isinstance(inner, (str, int, float)):
                yield from (str(inner),) if str(inner) else ()
            else:
                yield from _tokens(inner)
    elif isinstance(value, str) and value[:1] in ("{", "["):  # the data of a DataTransfer
        try:
            yield from _tokens(json.loads(value))
        except (ValueError, RecursionError):
            return
