"""What was agreed with an operator, in a file of mode 0600: both sides' tokens must be sent and checked again."""

import hashlib
import logging
import secrets
import threading
from pathlib import Path

import msgspec
from msgspec import Struct

from config.edit.whole import replace
from config.files import UnusableFileError, read_bytes
from gateway.model import Millis

log = logging.getLogger(__name__)


class OcpiRegistration(Struct, frozen=True):
    """`invited`: a hash of the token in `token_file` that it was begun with. `ours` comes from him, `theirs` goes to
    him, None before it is agreed; `us` is what he was told of us. `other`: a second token of his that is good, while
    one replaces the other. `ended`: by him.
    """

    invited: str
    us: str
    at: Millis
    ours: str | None = None
    theirs: str | None = None
    other: str | None = None
    ended: bool = False

    def accepts(self, token: str) -> bool:
        """Whether it is what he should send."""
        right = [known for known in (self.ours, self.other) if known is not None]
        return any(secrets.compare_digest(known.encode(), token.encode()) for known in right)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    return secrets.token_urlsafe(32)


class RegistrationFile:
    """One bus's. Any thread; replaced as a whole, on disk when `keep` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: OcpiRegistration | None = None
        self._read = False

    def get(self) -> OcpiRegistration | None:
        if not self._read:
            self._known, self._read = self._load(), True
        return self._known

    def keep(self, registration: OcpiRegistration) -> None:
        """OSError where the disk does not take it: then it is as before."""
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace(self._path, msgspec.json.encode(registration))
            self._known, self._read = registration, True

    def _load(self) -> OcpiRegistration | None:
        try:
            return msgspec.json.decode(read_bytes(self._path, "registration"), type=OcpiRegistration)
        except UnusableFileError as error:
            if not error.missing:
                log.error("%s; the operator is asked anew", error)
        except msgspec.MsgspecError:
            log.error("%s holds no registration; the operator is asked anew", self._path)
        return None
