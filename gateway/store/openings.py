"""What the promise of each station to be open was: the read side, in any process, over one folder or one a shard."""

import contextlib
import sqlite3  # noqa: TID251
from collections.abc import Iterable, Sequence
from pathlib import Path

from gateway.model import Millis, OpeningChange
from gateway.store.days import CORE
from gateway.store.files import READ_ERRORS, as_store_error, read_only

MOST = 200_000  # changes read for one question: a year of 59 stations


def latest(db: sqlite3.Connection) -> dict[str, OpeningChange]:
    """The last change of each station."""
    rows = db.execute("SELECT station, max(at), state FROM opening GROUP BY station")
    return {station: OpeningChange(station, at, state) for station, at, state in rows}


def openings(
    folders: Iterable[Path], stations: Sequence[str], start: Millis, end: Millis
) -> dict[str, list[OpeningChange]]:
    """The changes of [start, end) of each station in order, and the last one before; none where nothing is known.

    StoreError for a file that can't be read. Of a store that an older version made there is nothing.
    """
    by_station: dict[str, dict[Millis, OpeningChange]] = {station: {} for station in stations}
    for folder in folders:
        if (folder / CORE).exists():
            for change in _in_folder(folder / CORE, stations, start, end):
                by_station[change.station][change.at] = change
    return {station: [changes[at] for at in sorted(changes)] for station, changes in by_station.items()}


def _in_folder(path: Path, stations: Sequence[str], start: Millis, end: Millis) -> list[OpeningChange]:
    with contextlib.closing(read_only(path)) as db:
        try:
            return [
                OpeningChange(station, at, state)
                for station in stations
                for at, state in _changes(db, station, start, end)
            ]
        except READ_ERRORS as error:
            raise as_store_error(error, path) from error


def _changes(db: sqlite3.Connection, station: str, start: Millis, end: Millis) -> list[tuple[Millis, str]]:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'opening'").fetchone():
        return []
    before = db.execute(
        "SELECT at, state FROM opening WHERE station = ? AND at < ? ORDER BY at DESC LIMIT 1", (station, start)
    ).fetchall()
    within = db.execute(
        "SELECT at, state FROM opening WHERE station = ? AND at >= ? AND at < ? ORDER BY at LIMIT ?",
        (station, start, end, MOST),
    ).fetchall()
    return [*before, *within]
