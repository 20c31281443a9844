"""Sessions of browsers: a cookie signed with a key of its own, and a list of those that were ended by hand.

`session.key` is made at the first start and is in no backup, so neither the file of keys nor a backup is enough to make
a cookie. Every process that shares the folder reads both files, so a session that ends in one has ended in all.
"""

import contextlib
import hashlib
import hmac
import json
import secrets
from pathlib import Path

from api.private_files import Stamp, locked, replace_private, stamp
from config.files import LIST_BYTES, UnusableFileError, read_bytes, read_text
from gateway.model import Millis

SESSION_KEY, ENDED = "session.key", "sessions.ended.json"
KEY_BYTES = 32
ENDED_KEPT = 10_000  # beyond it the key is renewed, which ends every session


class Sessions:
    """The sessions of one installation, in `folder`. A cookie is `{key id}.{end}.{session}.{signature}`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key_file, self._ended_file = folder, folder / SESSION_KEY, folder / ENDED
        self._seen: Stamp | None = None
        self._ended: dict[str, Millis] | None = {}

    def prepare(self) -> None:
        """Make the key where there is none. OSError when the folder can't be written."""
        with locked(self._folder):
            self._usable_key()

    def open(self, key_id: str, key_hash: str, until: Millis) -> str:
        """A cookie for the key of this id and hash. OSError when the folder can't be written."""
        session = secrets.token_urlsafe(12)
        with locked(self._folder):
            secret = self._usable_key()
        return f"{key_id}.{until}.{session}.{_sign(secret, key_id, key_hash, until, session)}"

    def holds(self, cookie: str, key_hash: str, now: Millis) -> bool:
        """Whether we made this cookie for the key of this hash, and the session has not ended."""
        parts = _parts(cookie)
        if parts is None or parts[1] <= now:
            return False
        key_id, until, session, signature = parts
        secret, ended = self._key(), self._read_ended()
        if secret is None or ended is None or _digest(session) in ended:
            return False
        return hmac.compare_digest(_sign(secret, key_id, key_hash, until, session).encode(), signature.encode())

    def end(self, cookie: str, now: Millis) -> None:
        """From now on nobody comes in by this cookie, which must be one that `holds`. OSError as in `open`."""
        parts = _parts(cookie)
        if parts is None:
            return
        _, until, session, _ = parts
        with locked(self._folder):
            ended = {one: end for one, end in (self._read_ended() or {}).items() if end > now}
            if len(ended) >= ENDED_KEPT:
                replace_private(self._key_file, secrets.token_bytes(KEY_BYTES))
                ended = {}
            self._write_ended({**ended, _digest(session): until})

    def _usable_key(self) -> bytes:
        """The key; a new one when it is missing or damaged, or when nobody can tell which sessions were ended."""
        secret = self._key()
        if secret is None or self._read_ended() is None:
            secret = secrets.token_bytes(KEY_BYTES)
            replace_private(self._key_file, secret)
            self._write_ended({})
        return secret

    def _key(self) -> bytes | None:
        with contextlib.suppress(UnusableFileError):
            secret = read_bytes(self._key_file, SESSION_KEY)
            return secret if len(secret) == KEY_BYTES else None
        return None

    def _read_ended(self) -> dict[str, Millis] | None:
        """When each session that was ended would have ended anyway; None when the list is damaged."""
        seen = stamp(self._ended_file)
        if seen != self._seen:
            try:
                rows = json.loads(read_text(self._ended_file, ENDED, LIST_BYTES)) if seen is not None else {}
                self._ended = {str(one): int(end) for one, end in rows.items()}
            except (OSError, ValueError, TypeError, AttributeError):
                self._ended = None
            self._seen = seen
        return self._ended

    def _write_ended(self, ended: dict[str, Millis]) -> None:
        replace_private(self._ended_file, json.dumps(ended).encode())


def key_id_of(cookie: str) -> str:
    """The id of the key that a cookie says it is for."""
    return cookie.partition(".")[0]


def _parts(cookie: str) -> tuple[str, Millis, str, str] | None:
    parts = cookie.split(".")
    if len(parts) != 4:
        return None
    key_id, until, session, signature = parts
    if not (until.isascii() and until.isdecimal() and len(until) < 16):
        return None
    return key_id, int(until), session, signature


def _sign(secret: bytes, key_id: str, key_hash: str, until: Millis, session: str) -> str:
    return hmac.new(secret, f"session.{key_id}.{key_hash}.{until}.{session}".encode(), "sha256").hexdigest()


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()[:32]
