"""How far a copy has followed the journal, as any process may ask."""

import sqlite3  # noqa: TID251
from contextlib import closing
from pathlib import Path

from gateway.store.days import CORE
from gateway.store.files import as_store_error, read_only


def position_in(folder: Path, copy: str) -> tuple[int, set[str]]:
    """Up to which id this copy has followed the store, and the lines that it refused for good. StoreError."""
    try:
        with closing(read_only(folder / CORE)) as db:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'copy_cursor'").fetchone() is None:
                return 0, set()  # of version 1, and no copy has followed it
            row = db.execute("SELECT upto FROM copy_cursor WHERE copy = ?", (copy,)).fetchone()
            lines = {line for (line,) in db.execute("SELECT line FROM dead_letter WHERE copy = ?", (copy,))}
    except sqlite3.Error as error:
        raise as_store_error(error, folder / CORE) from error
    return (row[0] if row is not None else 0), lines
