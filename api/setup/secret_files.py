"""Secrets that somebody enters on a page: each a file of its own beside the configuration, which only names it."""

import os
import secrets
from pathlib import Path
from typing import Final

FOLDER: Final = "secrets"
_TOKEN_BYTES: Final = 16


def keep_secret(config: Path, name: str, value: str | None = None) -> str:
    """Write a new file (mode 0600) and return its path as the configuration names it. Without a value it is a token.

    No file is ever replaced: where the name is taken, a number is added. OSError where the folder can't be written.
    """
    base = config if config.is_dir() else config.parent
    folder = base / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    text = secrets.token_hex(_TOKEN_BYTES) if value is None else value
    for number in range(1, 1000):
        path = folder / (name if number == 1 else f"{name}-{number}")
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        return f"{FOLDER}/{path.name}"
    raise FileExistsError(f"{folder / name}: there are a thousand of this name; remove those that are not used")
