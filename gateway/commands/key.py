"""The key that commands are signed with: a text file, the same for all processes of one house.

The gateway makes it at its first start. A process on another machine needs a copy of the file.
"""

import contextlib
import os
import secrets
from pathlib import Path

from config.files import UnusableFileError, read_text

MIN_CHARACTERS = 32
KEY_BYTES = 32


def read_key(path: Path, option: str = "mqtt.command_key_file") -> bytes | None:
    """The key in `path`; None where there is no such file. ValueError when what is there is no key."""
    try:
        key = read_text(path, option).strip().encode()
    except UnusableFileError as error:
        if error.missing:
            return None
        raise
    if len(key) < MIN_CHARACTERS:
        raise ValueError(
            f"{option}: {path} holds fewer than {MIN_CHARACTERS} characters; "
            "copy the gateway's file again, or make one: openssl rand -hex 32"
        )
    return key


def made_key(path: Path) -> bytes:
    """The key in `path`, made there where it is missing, readable by its owner only.

    Of two processes that make it at once, one wins, and both get its key. OSError when the folder can't be written.
    """
    if key := read_key(path):
        return key
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(aside)  # whole or not at all, and never over another one
    finally:
        aside.unlink()
    key = read_key(path)
    if key is None:
        raise OSError(f"mqtt.command_key_file: {path} went away while it was made; start again")
    return key


class CommandKey:
    """The key for a process that does not make it: read when first needed, looked for again while it is missing."""

    def __init__(self, path: Path) -> None:
        """ValueError when there is a file that is no key."""
        self.path = path
        self._key = read_key(path)

    def __call__(self) -> bytes | None:
        if self._key is None:
            with contextlib.suppress(ValueError):
                self._key = read_key(self.path)
        return self._key
