"""The link in a message: acknowledges one alert, once, until it expires, and proves that we made it.

A token is `base64url(alert.expires_s.nonce).base64url(HMAC-SHA-256)`. The page behind it asks with a button, since
chat programs open every link to preview it.
"""

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from config.files import UnusableFileError, read_bytes
from gateway.model import Millis

LINK_KEY = "link.key"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: to acknowledge `alert`. `id` is what is spent."""

    id: str
    alert: str
    expires_at: Millis


class BadLinkError(ValueError):
    """Not ours, damaged, or expired; the text is for the person who followed it, `chinese` the same."""

    def __init__(self, text: str, chinese: str) -> None:
        super().__init__(text)
        self.chinese = chinese


def key_in(folder: Path) -> bytes:
    """The signing key of this installation, made on first use, readable by its owner only."""
    path = folder / LINK_KEY
    try:
        if key := read_bytes(path, LINK_KEY):
            return key
    except UnusableFileError as error:
        if not error.missing:
            raise
    with os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # shards start at the same moment, and must agree
        key = file.read()
        if not key:
            key = secrets.token_bytes(32)
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        return key


def token(key: bytes, alert: str, delivery: str, expires_at: Millis) -> str:
    """The same delivery gives the same token, so a message sent twice carries one link."""
    nonce = hashlib.blake2b(delivery.encode(), digest_size=9, key=key).hexdigest()
    payload = f"{alert}.{expires_at // 1000}.{nonce}".encode()
    return f"{_encode(payload)}.{_encode(_mac(key, payload))}"


def read(key: bytes, text: str, now: Millis) -> Grant:
    """BadLinkError unless the token is ours and in time."""
    body, _, mac = text.partition(".")
    try:
        payload, given = _decode(body), _decode(mac)
        alert, expires_s, nonce = payload.decode().split(".")
        expires_at = int(expires_s) * 1000
    except (ValueError, binascii.Error):
        raise BadLinkError("this link is damaged", "这个链接不完整。") from None
    if not hmac.compare_digest(given, _mac(key, payload)):
        raise BadLinkError("this link is not ours", "这不是本系统的链接。")
    if now >= expires_at:
        raise BadLinkError("this link has expired: sign in to acknowledge", "这个链接已过期，请登录后处理。")
    return Grant(nonce, alert, expires_at)


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"acknowledge." + payload, hashlib.sha256)[:18]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
