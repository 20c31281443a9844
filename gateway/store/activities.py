"""Activities that are over: as rows of the core file for who writes them, and counted for any process."""

import sqlite3  # noqa: TID251
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from gateway.model import ActivityEnded, Millis
from gateway.store.days import CORE
from gateway.store.files import READ_ERRORS, as_store_error, read_only
from gateway.store.jobs import ForgetEnded, KeepEnded

MOST = 100_000  # read for one question: a year of 59 stations with four a day


def apply_ended(db: sqlite3.Connection, job: KeepEnded | ForgetEnded) -> None:
    """Inside a transaction of the writer's thread."""
    if isinstance(job, ForgetEnded):
        db.execute("DELETE FROM activity WHERE start < ?", (job.before,))
        return
    db.executemany(
        "INSERT OR IGNORE INTO activity (station, area, start, end, uid, held) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (activity.station, activity.area, activity.start, activity.end, activity.uid, activity.held)
            for activity in job.activities
        ],
    )


def ended(
    folders: Iterable[Path], stations: Sequence[str], start: Millis, end: Millis
) -> dict[str, list[ActivityEnded]]:
    """Those of each station that began in [start, end), in order. StoreError for a file that can't be read."""
    by_station: dict[str, dict[tuple[Millis, str, str], ActivityEnded]] = {station: {} for station in stations}
    for folder in folders:
        if (folder / CORE).exists():
            for activity in _in_folder(folder / CORE, stations, start, end):
                by_station[activity.station].setdefault((activity.start, activity.area, activity.uid), activity)
    return {station: [known[key] for key in sorted(known)] for station, known in by_station.items()}


def _in_folder(path: Path, stations: Sequence[str], start: Millis, end: Millis) -> list[ActivityEnded]:
    query = (
        "SELECT station, area, start, end, uid, held FROM activity"
        " WHERE station = ? AND start >= ? AND start < ? ORDER BY start LIMIT ?"
    )
    with closing(read_only(path)) as db:
        try:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'activity'").fetchone():
                return []
            return [
                ActivityEnded(*row) for station in stations for row in db.execute(query, (station, start, end, MOST))
            ]
        except READ_ERRORS as error:
            raise as_store_error(error, path) from error
