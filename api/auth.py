"""Who may do what: API keys for staff and apps, a session cookie for browsers, four roles with a scope.

A key is `yz_<id>_<secret>` with 256 random bits; only its SHA-256 is kept, so a slow hash would add nothing. A session
cookie is signed over that hash too (see `api/sessions.py`): revoking a key ends its sessions, in every replica.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from api.access_book import AccessBook
from api.key import ROLES, Key, Role
from api.passkeys.book import PasskeyBook
from api.people import MARK, Identity, StaffMembers
from api.private_files import Stamp, locked, replace_private, stamp
from api.reach import Path as RegionPath
from api.reach import regions_of, still_meant
from api.sessions import LogIn, Sessions, StartedSession, key_id_of, session_id_of
from config.files import LIST_BYTES, read_text
from config.schema import Settings
from gateway.model import Millis

__all__ = ["COOKIE", "ROLES", "AccessGate", "Key", "KeyFileError", "Keyring", "Role", "refuse_foreign"]

COOKIE = "yizhan_session"
_TOKEN = re.compile(r"yz_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class KeyFileError(OSError):
    """The file of keys cannot be used; the text says which and why."""


class Keyring:
    """The keys in one JSON file (mode 0600, replaced as a whole under a lock), read again whenever it changed.

    `folder` holds what stands beside them, by default where they are; `regions` are those of the configuration.
    """

    def __init__(self, path: Path, folder: Path | None = None, regions: Iterable[RegionPath] = ()) -> None:
        self.path, self._regions = path, frozenset(regions)
        self.sessions, self.book = Sessions(folder or path.parent), AccessBook(folder or path.parent)
        self.passkeys = PasskeyBook(folder or path.parent)
        self._seen: Stamp | None = None
        self._keys: dict[str, Key] = {}
        self._people = StaffMembers(Settings())

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The configured file of keys, and the people of the configuration."""
        folder = settings.store.path
        keyring = cls(settings.keys_file, folder)
        keyring.configure(settings)
        return keyring

    def configure(self, settings: Settings) -> None:
        """The regions and the people are those of another configuration from now on."""
        self._regions = frozenset(regions_of(station.region for station in settings.stations))
        self._people = StaffMembers(settings)

    def staff(self) -> tuple[Key, ...]:
        """Every key, and everybody of the configuration. KeyFileError as in `all`."""
        return (*self.all(), *self._people.all())

    def is_one_person(self, key: Key) -> bool:
        """Whether it is a key's, or that of a person who is named one by one."""
        return not key.id.startswith(MARK) or self._people.is_one_person(key.id)

    def person(self, identity: Identity) -> Key | None:
        """The person that a provider calls so; None for a stranger."""
        return self._people.named(identity)

    def all(self) -> tuple[Key, ...]:
        """Every key, oldest first. KeyFileError when the file is damaged."""
        self._refresh()
        return tuple(self._keys.values())

    def create(
        self,
        name: str,
        role: Role,
        now: Millis,
        *,
        stations: Iterable[str] = (),
        regions: Iterable[str] = (),
        expires_at: Millis | None = None,
        alerts: bool = False,
    ) -> str:
        """Make a key and return it; nobody can show it again. OSError when the file can't be written."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        token = f"yz_{key_id}_{secret}"
        key = Key(key_id, name, role, _sha256(token), now, tuple(stations), tuple(regions), expires_at, alerts)
        with locked(self.path.parent):
            self._refresh()
            self._write({**self._keys, key_id: key})
        return token

    def revoke(self, key_id: str) -> bool:
        """Take a key out; False if there is none of this id."""
        with locked(self.path.parent):
            self._refresh()
            left = {known: key for known, key in self._keys.items() if known != key_id}
            revoked = len(left) < len(self._keys)
            if revoked:
                self._write(left)
        return revoked

    def check(self, token: str, now: Millis) -> Key | None:
        """The key that this token is, while it is good."""
        match = _TOKEN.fullmatch(token)
        key = self._good(match[1], now) if match else None
        return key if key and hmac.compare_digest(key.sha256, _sha256(token)) else None

    def open_session(self, key: Key, log_in: LogIn, now: Millis, until: Millis) -> str:
        """A cookie value good until then, or until the key ends."""
        return self.sessions.open(key.id, key.sha256, log_in, now, until)

    def check_session(self, cookie: str, now: Millis) -> Key | None:
        """The key behind a session cookie, while both are good."""
        key = self._good(key_id_of(cookie), now)
        session = None if key is None else self.sessions.holds(cookie, key.sha256, now)
        if key is None or session is None:
            return None
        return replace(key, name=session.who) if key.id.startswith(MARK) else key  # of a group it names who

    def started_sessions(self, now: Millis) -> tuple[StartedSession, ...]:
        """The sessions that go on, of keys that are good, the one that was seen last first."""
        return tuple(started for started in self.sessions.all(now) if self._good(started.key, now) is not None)

    def end_session(self, cookie: str, now: Millis) -> Key | None:
        """End a session in every process; whose it was, None when it was none."""
        key = self.check_session(cookie, now)
        if key is not None:
            own = session_id_of(cookie)
            self.sessions.end(lambda started: started.id == own, now)
        return key

    def good(self, key_id: str, now: Millis) -> Key | None:
        """The key of this id, while it is good."""
        return self._good(key_id, now)

    def _good(self, key_id: str, now: Millis) -> Key | None:
        if key_id.startswith(MARK):
            return self._people.key(key_id)
        self._refresh()
        key = self._keys.get(key_id)
        if key is None or (key.expires_at is not None and now >= key.expires_at):
            return None
        return replace(key, regions=tuple(still_meant(region, self._regions) for region in key.regions))

    def _refresh(self) -> None:
        seen = stamp(self.path)
        if seen is None:
            self._seen, self._keys = None, {}
            return
        if seen == self._seen:
            return
        try:
            rows = json.loads(read_text(self.path, "keys", LIST_BYTES))["keys"]
            keys = [Key(**row) for row in rows]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise KeyFileError(f"{self.path} is no file of keys ({error}); restore it or move it away") from None
        self._keys = {key.id: replace(key, stations=tuple(key.stations), regions=tuple(key.regions)) for key in keys}
        self._seen = seen

    def _write(self, keys: dict[str, Key]) -> None:
        text = json.dumps({"keys": [asdict(key) for key in keys.values()]}, ensure_ascii=False, indent=1)
        replace_private(self.path, text.encode())
        self._refresh()


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class AccessGate:
    """Finds out who asks. `needs(role)` is the FastAPI dependency of a staff route."""

    def __init__(self, keyring: Keyring, now: Callable[[], Millis]) -> None:
        self._keyring, self._now = keyring, now

    def who(self, request: Request) -> Key | None:
        """The key of staff in the Authorization header or behind the session cookie; 403 for a foreign page's POST.

        An app's key is nobody's here. KeyFileError while the file of keys is damaged: nobody can be let in (`problem`
        answers 503).
        """
        key = self._known(request)
        return key if key is not None and key.at_least("viewer") else None

    def _known(self, request: Request) -> Key | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._keyring.check(token.strip(), self._now())
        cookie = request.cookies.get(COOKIE)
        key = self._keyring.check_session(cookie, self._now()) if cookie else None
        if key is not None and request.method not in _SAFE_METHODS:
            refuse_foreign(request)
        return key

    def session_of(self, request: Request) -> str | None:
        """The id of the session that a request comes by, good or not; None where it shows a key, or nothing."""
        cookie = request.cookies.get(COOKIE)
        return session_id_of(cookie) if cookie and "authorization" not in request.headers else None

    def needs(self, role: Role) -> Callable[[Request], Key]:
        """401 without a good key, 403 with one of a lower role."""

        def check(request: Request) -> Key:
            key = self._known(request)
            if key is None:
                raise HTTPException(
                    401,
                    "this needs a key: Authorization: Bearer …, or log in at /login",
                    {"WWW-Authenticate": 'Bearer realm="yizhan"'},
                )
            if not key.at_least(role):
                raise HTTPException(403, f"this needs the role {role}; this key is a {key.role}'s")
            return key

        return check


def refuse_foreign(request: Request) -> None:
    """403 when a browser says that a page of another origin sent this."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "this came from a page of another site")
