"""What people tapped they work as, counted by station and month: `occupations.db` beside the core file.

Whoever serves the page writes it, one process or several; the gateway does not.
"""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from gateway.store.files import connect, read_only, store_errors, transaction

OCCUPATIONS_DB: Final = "occupations.db"
MONTHS_KEPT: Final = 24
MonthName = str
"""`2026-11`, as a station's own calendar has it."""


class OccupationCounts:
    """The answers about occupations in a store's folder. StoreError where the file can't be written or read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / OCCUPATIONS_DB

    def add(self, station: str, month: MonthName, occupation: str) -> None:
        """One answer: durable when this returns. What is older than two years goes."""
        with store_errors(self._path), closing(connect(self._path, "occupation")) as db, transaction(db):
            db.execute(
                "INSERT INTO occupation (station, month, occupation, answers) VALUES (?, ?, ?, 1)"
                " ON CONFLICT (station, month, occupation) DO UPDATE SET answers = answers + 1",
                (station, month, occupation),
            )
            db.execute("DELETE FROM occupation WHERE month < ?", (_earlier(month, MONTHS_KEPT),))

    def before(self, stations: Iterable[str], month: MonthName) -> dict[str, dict[MonthName, dict[str, int]]]:
        """Station → month before `month` → occupation → answers, the newest month first."""
        by_station: dict[str, dict[MonthName, dict[str, int]]] = {station: {} for station in stations}
        if not self._path.exists():
            return by_station
        query = "SELECT month, occupation, answers FROM occupation WHERE station = ? AND month < ? ORDER BY month DESC"
        with store_errors(self._path), closing(read_only(self._path)) as db:
            for station, months in by_station.items():
                for name, occupation, answers in db.execute(query, (station, month)):
                    months.setdefault(name, {})[occupation] = answers
        return by_station


def _earlier(month: MonthName, by: int) -> MonthName:
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 - by, 12)
    return f"{year:04}-{number + 1:02}"
