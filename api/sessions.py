"""Sessions of browsers: a cookie signed with a key of its own, and a book of those that go on.

`session.key` is made at the first start and is in no backup, so neither the file of keys nor a backup is enough to make
a cookie. A session is good while it stands in the book, which is in no backup either. Every process that shares the
folder reads both files, so a session that ends in one has ended in all.
"""

import contextlib
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from api.private_files import Stamp, locked, replace_private, stamp
from config.files import LIST_BYTES, UnusableFileError, read_bytes, read_text
from gateway.model import Millis

SESSION_KEY, BOOK = "session.key", "sessions.json"
KEY_BYTES = 32
KEPT, KEPT_OF_ONE = 2_000, 200  # sessions in all, and of one key; beyond it the one that was seen longest ago ends
SEEN_EVERY_MS = 10 * 60_000  # how coarse `seen` is


@dataclass(frozen=True, slots=True)
class LogIn:
    """Who came in, how (`key`, `code`, `passkey` or a provider) and with what (`api.user_agents`)."""

    who: str
    how: str = "key"
    device: str = ""


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A session that goes on. `id` is told and opens nothing; `key` is the id of the key or person that it is of.

    `seen`: when it was last used, up to SEEN_EVERY_MS before.
    """

    id: str
    key: str
    who: str
    how: str
    device: str
    since: Millis
    seen: Millis
    until: Millis


SessionsById = Mapping[str, StartedSession]


class Sessions:
    """The sessions of one installation, in `folder`. A cookie is `{key id}.{end}.{session}.{signature}`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key_file, self._book_file = folder, folder / SESSION_KEY, folder / BOOK
        self._seen: Stamp | None = None
        self._book: SessionsById = {}

    def prepare(self) -> None:
        """Make the key where there is none. OSError when the folder can't be written."""
        with locked(self._folder):
            self._usable_key()

    def open(self, key_id: str, key_hash: str, log_in: LogIn, now: Millis, until: Millis) -> str:
        """A cookie for the key of this id and hash. OSError when the folder can't be written."""
        session = secrets.token_urlsafe(12)
        started = StartedSession(
            _digest(session), key_id, log_in.who, log_in.how, log_in.device, since=now, seen=now, until=until
        )
        with locked(self._folder):
            secret = self._usable_key()
            self._write(_bounded({**self._read(), started.id: started}, started, now))
        return f"{key_id}.{until}.{session}.{_sign(secret, key_id, key_hash, until, session)}"

    def holds(self, cookie: str, key_hash: str, now: Millis) -> StartedSession | None:
        """The session of this cookie, if we made it for the key of this hash and it has not ended."""
        parts = _parts(cookie)
        if parts is None or parts[1] <= now:
            return None
        key_id, until, session, signature = parts
        secret, started = self._key(), self._read().get(_digest(session))
        if secret is None or started is None or started.key != key_id:
            return None
        if not hmac.compare_digest(_sign(secret, key_id, key_hash, until, session).encode(), signature.encode()):
            return None
        if now - started.seen >= SEEN_EVERY_MS:
            self._see(started.id, now)
        return started

    def all(self, now: Millis) -> tuple[StartedSession, ...]:
        """Those that go on, the one that was seen last first."""
        going_on = (started for started in self._read().values() if started.until > now)
        return tuple(sorted(going_on, key=lambda started: (-started.seen, -started.since, started.id)))

    def end(self, ended: Callable[[StartedSession], bool], now: Millis) -> tuple[StartedSession, ...]:
        """End those of which `ended` says so, in every process; which they were. OSError as in `open`."""
        with locked(self._folder):
            book = self._read()
            gone = tuple(started for started in book.values() if started.until > now and ended(started))
            if gone:
                ids = {started.id for started in gone}
                self._write({name: kept for name, kept in book.items() if name not in ids and kept.until > now})
        return gone

    def signature(self, purpose: str, text: str) -> str:
        """What only who has the key can make, for this purpose. OSError where there is no key."""
        secret = self._key()
        if secret is None:
            raise OSError(f"{self._key_file} is missing or damaged")
        return hmac.new(secret, f"{purpose}.{text}".encode(), "sha256").hexdigest()

    def _see(self, session: str, now: Millis) -> None:
        with contextlib.suppress(OSError), locked(self._folder):  # a disk that takes none keeps nobody out
            book = self._read()
            if session in book:
                self._write({**book, session: replace(book[session], seen=now)})

    def _usable_key(self) -> bytes:
        """The key; a new one when it is missing or damaged."""
        secret = self._key()
        if secret is None:
            secret = secrets.token_bytes(KEY_BYTES)
            replace_private(self._key_file, secret)
        return secret

    def _key(self) -> bytes | None:
        with contextlib.suppress(UnusableFileError):
            secret = read_bytes(self._key_file, SESSION_KEY)
            return secret if len(secret) == KEY_BYTES else None
        return None

    def _read(self) -> SessionsById:
        """A book that is missing or damaged has nobody in it."""
        seen = stamp(self._book_file)
        if seen != self._seen:
            self._book = {} if seen is None else _book_in(self._book_file)
            self._seen = seen
        return self._book

    def _write(self, book: SessionsById) -> None:
        rows = [asdict(started) for started in book.values()]
        replace_private(self._book_file, json.dumps({"sessions": rows}, ensure_ascii=False).encode())


def key_id_of(cookie: str) -> str:
    """The id of the key that a cookie says it is for."""
    return cookie.partition(".")[0]


def session_id_of(cookie: str) -> str | None:
    """The id of the session that a cookie says it is of."""
    parts = _parts(cookie)
    return None if parts is None else _digest(parts[2])


def _book_in(path: Path) -> SessionsById:
    try:
        rows = json.loads(read_text(path, BOOK, LIST_BYTES))["sessions"]
        book = [StartedSession(**row) for row in rows]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return {started.id: started for started in book if _is_right(started)}


def _is_right(started: StartedSession) -> bool:
    return all(isinstance(getattr(started, field.name), field.type) for field in fields(started))  # type: ignore[arg-type]


def _bounded(book: SessionsById, newest: StartedSession, now: Millis) -> SessionsById:
    """Without those that are over, and without the longest unused where there are too many."""
    book = {name: started for name, started in book.items() if started.until > now}
    others = sorted((started for started in book.values() if started is not newest), key=lambda started: started.seen)
    of_one = [started for started in others if started.key == newest.key]
    gone = {started.id for started in of_one[: max(0, len(of_one) + 1 - KEPT_OF_ONE)]}
    left = [started for started in others if started.id not in gone]
    gone |= {started.id for started in left[: max(0, len(left) + 1 - KEPT)]}
    return {name: started for name, started in book.items() if name not in gone}


def _parts(cookie: str) -> tuple[str, Millis, str, str] | None:
    parts = cookie.split(".")
    if len(parts) != 4:
        return None
    key_id, until, session, signature = parts
    if not (until.isascii() and until.isdecimal() and len(until) < 16):
        return None
    return key_id, int(until), session, signature


def _sign(secret: bytes, key_id: str, key_hash: str, until: Millis, session: str) -> str:
    """`session2`: versions that know no book, to which one may go back, take none of these."""
    return hmac.new(secret, f"session2.{key_id}.{key_hash}.{until}.{session}".encode(), "sha256").hexdigest()


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()[:16]
