"""Signed webhooks after Standard Webhooks (standardwebhooks.com): any library of it tells us from anybody else.

`webhook-signature: v1,<base64>` is HMAC-SHA-256 over "<webhook-id>.<webhook-timestamp>.<body>"; of several signatures,
parted by a space, one must be right. `webhook-id` stays the same when a message is sent again; a receiver refuses a
`webhook-timestamp`, seconds since 1970, that is minutes old.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

from gateway.model import Millis

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret: `whsec_` and base64, or plain text as it is."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret[len(PREFIX) :], validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()


def headers_of(message: str, at: Millis, body: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """What is sent beside `body`; without keys nothing signs it."""
    stamp = str(at // 1000)
    text = f"{message}.{stamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode() for key in keys]
    headers = {"Content-Type": "application/json; charset=utf-8", "webhook-id": message, "webhook-timestamp": stamp}
    if signatures:
        headers["webhook-signature"] = " ".join(f"v1,{signature}" for signature in signatures)
    return headers
