"""The users of a mosquitto broker: its password file, and the sections of its access list that bridges need.

A device's rights follow from its name by the patterns of `deploy/mosquitto.acl`; the section of a bridge is added.
"""

import base64
import hashlib
import os
import re
import secrets
import tempfile
from pathlib import Path

from api.private_files import locked
from config.files import LIST_BYTES, UnusableFileError, read_text

PASSWORDS, ACCESS_LIST = "passwords", "acl"
ITERATIONS = 101  # as mosquitto_passwd; the password is no word that anybody could guess
_BRIDGE = "topic read yz-sys/+"


class BrokerUsers:
    """The users and rights of a mosquitto, in the files of `folder`. Every change replaces a file as a whole, with its
    owner and rights as they were."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._passwords, self._access = folder / PASSWORDS, folder / ACCESS_LIST

    def names(self) -> list[str]:
        """In the order of the file. UnusableFileError where it can't be read."""
        return [line.split(":", 1)[0] for line in self._lines(self._passwords) if ":" in line]

    def add(self, name: str) -> str:
        """Its new password; one that it had is good no more. OSError, UnusableFileError."""
        password = secrets.token_urlsafe(24)
        with locked(self._folder):
            others = [line for line in self._lines(self._passwords) if line.split(":", 1)[0] != name]
            self._replace(self._passwords, [*others, f"{name}:{hashed(password)}"], 0o600)
            if "/" not in name:
                self._add_section(name)
        return password

    def revoke(self, name: str) -> bool:
        """Remove the user; whether there was one."""
        with locked(self._folder):
            lines = self._lines(self._passwords)
            others = [line for line in lines if line.split(":", 1)[0] != name]
            if others != lines:
                self._replace(self._passwords, others, 0o600)
            return others != lines

    def _add_section(self, bridge: str) -> None:
        lines = self._lines(self._access)
        if f"user {bridge}" not in lines and self._access.exists():
            self._replace(self._access, [*lines, "", f"user {bridge}", _BRIDGE], 0o644)

    def _lines(self, path: Path) -> list[str]:
        try:
            return read_text(path, path.name, LIST_BYTES).splitlines()
        except UnusableFileError as error:
            if error.missing:
                return []
            raise

    def _replace(self, path: Path, lines: list[str], mode: int) -> None:
        before = path.stat() if path.exists() else None
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
                file.flush()
                os.fchmod(file.fileno(), before.st_mode & 0o777 if before else mode)
                if before and os.geteuid() == 0:
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


def hashed(password: str, salt: bytes | None = None) -> str:
    """As `mosquitto_passwd` writes it: PBKDF2 of SHA-512."""
    salt = secrets.token_bytes(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, 64)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def is_name(text: str) -> bool:
    """`{station}/{device}`, or `{station}` for its bridge."""
    return re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?", text) is not None
