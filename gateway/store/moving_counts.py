"""What meters and counters told last goes along with their station: what flows while it changes hands counts, once."""

import sqlite3  # noqa: TID251
from collections.abc import Collection, Iterable
from contextlib import closing
from pathlib import Path

from gateway.model import Millis
from gateway.store.files import connect, store_errors, transaction
from gateway.store.place import Place
from gateway.store.rollups import FILE
from gateway.store.tallies import Tallies

_STATES = ("meter", "turnstile")


def finish_counts(folder: Path, places: Iterable[Place], now: Millis) -> None:
    """Count what a store that gets nothing more has not counted yet. StoreError."""
    path = folder / FILE
    with store_errors(path), closing(connect(path, "rollup")) as db:
        tallies = Tallies(db, folder, places)
        try:
            while tallies.follow(now):
                pass
        finally:
            tallies.close()


def move_counts(old: Path, new: Path, stations: Collection[str]) -> None:
    """Where the meters and counters of these stations stand; what they have added up to stays. May be done again."""
    if not stations or not (old / FILE).exists():
        return
    with (
        store_errors(new / FILE),
        closing(connect(old / FILE, "rollup")) as there,
        closing(connect(new / FILE, "rollup")) as here,
        transaction(here),
    ):
        for table in _STATES:
            _copy(there, here, table, stations)


def _copy(there: sqlite3.Connection, here: sqlite3.Connection, table: str, stations: Collection[str]) -> None:
    query = f"SELECT text, state FROM {table} JOIN scope ON scope.id = {table}.scope"  # noqa: S608  names of our own
    for scope, state in there.execute(query):
        if scope.partition("/")[0] in stations:
            here.execute("INSERT OR IGNORE INTO scope (text) VALUES (?)", (scope,))
            here.execute(
                f"INSERT OR REPLACE INTO {table} (scope, state) SELECT id, ? FROM scope WHERE text = ?",  # noqa: S608
                (state, scope),
            )
