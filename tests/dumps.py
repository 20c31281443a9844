"""Databases written by earlier versions of yizhan, as SQL dumps with what those versions read from them."""

import contextlib
import sqlite3
from pathlib import Path

DATABASES = Path(__file__).parent / "vectors/databases"


def from_dump(name: str, path: Path) -> Path:
    """Make a database file of a dump; returns its path."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript((DATABASES / name).read_text(encoding="utf-8"))
    return path
