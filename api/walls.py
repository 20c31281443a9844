"""Who is a wall: a browser that shows the screen's page, which carries a token for its station.

The token proves no more than that its bearer has asked for the page, so walls have bounds for each address besides.
"""

import hashlib
import hmac
import os
import secrets
from collections import OrderedDict
from pathlib import Path

from config.files import UnusableFileError, read_bytes
from gateway.model import Millis

FILE = "walls.key"
GOOD_MS = 26 * 3_600_000  # a page loads itself anew each night, and each check-in brings another token
PER_ADDRESS = 16
"""Walls of one address at a time: as many as a station has."""
NAME_KEPT_MS = 3_600_000
ADDRESSES_KEPT = 10_000


class Walls:
    """Signs tokens and looks after who checks in. `folder`: where the key is kept, so that replicas share it."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._key: bytes | None = None
        self._names: OrderedDict[str, dict[tuple[str, str], Millis]] = OrderedDict()

    def token(self, station: str, now: Millis) -> str:
        """For the page of this station's screen."""
        until = now + GOOD_MS
        return f"{until}.{self._sign(station, until)}"

    def proves(self, token: str | None, station: str | None, now: Millis) -> bool:
        """Whether this is a token of ours for this station, still good."""
        until, _, signature = (token or "").partition(".")
        if station is None or not (until.isascii() and until.isdecimal() and len(until) < 16):
            return False
        good = hmac.compare_digest(self._sign(station, int(until)).encode(), signature.encode())
        return good and now < int(until) <= now + 2 * GOOD_MS

    def may_check_in(self, address: str | None, station: str, name: str, now: Millis) -> bool:
        """Whether this name is one of the few walls that an address has within an hour. None: this machine."""
        if address is None:
            return True
        names = self._names.setdefault(address, {})
        self._names.move_to_end(address)
        for old in [known for known, at in names.items() if at <= now - NAME_KEPT_MS]:
            del names[old]
        if len(self._names) > ADDRESSES_KEPT:
            self._names.popitem(last=False)
        if (station, name) not in names and len(names) >= PER_ADDRESS:
            return False
        names[station, name] = now
        return True

    def _sign(self, station: str, until: Millis) -> str:
        if self._key is None:
            self._key = _key_in(self._folder)
        return hmac.new(self._key, f"wall.{station}.{until}".encode(), hashlib.sha256).hexdigest()[:32]


def _key_in(folder: Path | None) -> bytes:
    """The key in the file, made at the first call; where there can be no file, one for this process."""
    fresh = secrets.token_bytes(32)
    if folder is None or not folder.is_dir():
        return fresh
    path = folder / FILE
    try:
        whole = path.with_name(f".{FILE}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(fresh)
        try:
            os.link(whole, path)
        except FileExistsError:
            fresh = read_bytes(path, FILE)
        finally:
            whole.unlink()
    except (OSError, UnusableFileError):
        return fresh
    return fresh
