"""How far a copy has followed the journal, and a place for dead letters."""

import sqlite3  # noqa: TID251
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path

from gateway.model import Millis
from gateway.store.days import CORE
from gateway.store.files import as_store_error, read_only
from gateway.store.sqlite import SqliteStore

DEAD_LETTERS_MOST = 10_000  # the newest are kept


class Cursor:
    """How far one copy has come. Made before the store's writer starts; `keep`'s work is for the writer's thread."""

    def __init__(self, store: SqliteStore, copy: str) -> None:
        self._store, self._copy = store, copy
        store.core_write(_prepare)
        row = store.core.execute("SELECT upto FROM copy_cursor WHERE copy = ?", (copy,)).fetchone()
        # Where the newest day was lost its numbers come again.
        self.upto: int = min(row[0], store.last_id) if row is not None else 0
        (self.dead_letters,) = store.core.execute("SELECT count(*) FROM dead_letter WHERE copy = ?", (copy,)).fetchone()

    def keep(self, upto: int, dead: Sequence[tuple[Millis, str, str]]) -> Callable[[], None]:
        """Work that keeps the cursor with (at, line, reason) of what the copy did not take: both or neither."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO copy_cursor VALUES (?, ?)", (self._copy, upto))
            db.executemany(
                "INSERT INTO dead_letter (at, copy, line, reason) VALUES (?, ?, ?, ?)",
                [(at, self._copy, line, reason) for at, line, reason in dead],
            )
            if dead:
                db.execute(
                    "DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?", (DEAD_LETTERS_MOST,)
                )

        return lambda: self._store.core_write(work)


def _prepare(db: sqlite3.Connection) -> None:
    script = resources.files("gateway.store").joinpath("schema/copy.sql").read_text()
    for statement in script.split(";\n"):
        db.execute(statement)


def position_in(folder: Path, copy: str) -> tuple[int, set[str]]:
    """For any process: up to which id this copy has followed the store, and the lines that it refused for good."""
    try:
        with closing(read_only(folder / CORE)) as db:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'copy_cursor'").fetchone() is None:
                return 0, set()  # no copy has followed this store yet
            row = db.execute("SELECT upto FROM copy_cursor WHERE copy = ?", (copy,)).fetchone()
            lines = {line for (line,) in db.execute("SELECT line FROM dead_letter WHERE copy = ?", (copy,))}
    except sqlite3.Error as error:
        raise as_store_error(error, folder / CORE) from error
    return (row[0] if row is not None else 0), lines
