"""The passkeys of one installation, in `passkeys.json` beside the store: public keys, which open nothing by themselves.

Each is of a key or a person (`api.key.Key.id`) and as good as that is: a key that was revoked takes its passkeys along.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from api.private_files import Stamp, locked, replace_private, stamp
from config.files import LIST_BYTES, UnusableFileError, read_text
from gateway.model import Millis

NAME = "passkeys.json"
VERSION = 1
KEPT, KEPT_OF_ONE = 2_000, 20


@dataclass(frozen=True, slots=True)
class Passkey:
    """`credential` and `public_key` in base64url; `sign_count` as its authenticator last told it (0: it counts none).

    `challenged`: when the challenge of its last log-in was made; an older one is taken no more. `used`: 0 for never.
    `owner`: the hash of the key or person when it was made; it is of nobody where that has become another. "": any.
    """

    id: str
    key: str
    name: str
    credential: str
    public_key: str
    sign_count: int
    created: Millis
    used: Millis = 0
    challenged: Millis = 0
    owner: str = ""


class PasskeyFileError(OSError):
    """The file can't be used; the text says which and why."""


class TooManyPasskeysError(ValueError):
    """No place for one more."""


class PasskeyBook:
    """Read again whenever the file changed; changed under the folder's lock. PasskeyFileError from each."""

    def __init__(self, folder: Path) -> None:
        self.path, self._folder = folder / NAME, folder
        self._seen: Stamp | None = None
        self._passkeys: tuple[Passkey, ...] = ()

    def all(self) -> tuple[Passkey, ...]:
        """All passkeys, the oldest first."""
        seen = stamp(self.path)
        if seen != self._seen:
            self._passkeys = () if seen is None else _read(self.path)
            self._seen = seen
        return self._passkeys

    def by_credential(self, credential: str) -> Passkey | None:
        """The one that an authenticator calls so."""
        return next((passkey for passkey in self.all() if passkey.credential == credential), None)

    def add(
        self, key: str, name: str, credential: str, public_key: str, sign_count: int, now: Millis, owner: str = ""
    ) -> Passkey:
        """OSError when the folder can't be written. TooManyPasskeysError; also for one that is there already."""
        made = Passkey(secrets.token_hex(6), key, name, credential, public_key, sign_count, now, owner=owner)
        with locked(self._folder):
            there = self.all()
            if len(there) >= KEPT or sum(known.key == key for known in there) >= KEPT_OF_ONE:
                raise TooManyPasskeysError("there are too many passkeys; remove one that is not used")
            if any(known.credential == credential for known in there):
                raise TooManyPasskeysError("this passkey is there already")
            self._write((*there, made))
        return made

    def change(self, passkey: str, change: Callable[[Passkey], Passkey | None]) -> Passkey | None:
        """Put what `change` makes of it in its place, nothing for None; the one before, None where there is none."""
        with locked(self._folder):
            there = self.all()
            before = next((known for known in there if known.id == passkey), None)
            if before is not None:
                after = change(before)
                rows = (after if known is before else known for known in there)
                self._write(tuple(row for row in rows if row is not None))
        return before

    def use(self, passkey: str, sign_count: int, challenged: Millis, now: Millis) -> bool:
        """Note a log-in by it. False: another came first with this challenge or a newer one, or it was removed."""
        first = False

        def used(before: Passkey) -> Passkey:
            nonlocal first
            first = challenged > before.challenged
            return replace(before, sign_count=sign_count, challenged=challenged, used=now) if first else before

        return self.change(passkey, used) is not None and first

    def _write(self, passkeys: tuple[Passkey, ...]) -> None:
        told = {"version": VERSION, "passkeys": [asdict(passkey) for passkey in passkeys]}
        replace_private(self.path, json.dumps(told, ensure_ascii=False, indent=1).encode())


def _read(path: Path) -> tuple[Passkey, ...]:
    try:
        told = json.loads(read_text(path, NAME, LIST_BYTES))
        if told["version"] != VERSION:
            raise PasskeyFileError(
                f"{path} is of version {told['version']}, which this version of yizhan does not know"
            )
        passkeys = tuple(Passkey(**row) for row in told["passkeys"])
        wrong = [
            field.name
            for passkey in passkeys
            for field in fields(passkey)
            if type(getattr(passkey, field.name)) is not field.type
        ]
    except (UnusableFileError, ValueError, TypeError, KeyError) as error:
        raise PasskeyFileError(f"{path} is no file of passkeys ({error}); restore it or move it away") from None
    if wrong:
        raise PasskeyFileError(f"{path} is no file of passkeys ({wrong[0]}); restore it or move it away")
    return passkeys
