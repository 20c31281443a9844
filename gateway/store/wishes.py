"""What residents wish for, counted, and what was taken up of it: `wishes.db` beside the core file.

Whoever serves the pages writes it, one process or several; the gateway does not.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from gateway.base.local_time import DAY_MS
from gateway.history.wishes import OVER, Demand, DemandState, WishKey
from gateway.model import Millis
from gateway.store.files import connect, read_only, store_errors, transaction

WISHES_DB: Final = "wishes.db"
KEPT_WEEKS: Final = 26
KEPT_MS: Final = 2 * 365 * DAY_MS
"""What came true or was closed is kept for two years."""

_COLUMNS: Final = (
    "station", "interest", "slot", "wishes", "state", "assignee", "changed_by", "changed_at", "taken_at", "uid",
    "area", "start", "remark",
)  # fmt: skip
_NAMES: Final = ", ".join(_COLUMNS)
_OF: Final = "station = ? AND interest = ? AND slot = ?"
_UNDER_WAY: Final = "state NOT IN ('held', 'closed')"


class WishFile:
    """The wishes in a store's folder. StoreError where the file can't be written or read; what a call returned for is
    on disk."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / WISHES_DB

    def add(self, key: WishKey, week: str, oldest: str) -> None:
        """One wish; those of weeks before `oldest` go."""
        with store_errors(self._path), closing(connect(self._path, "wishes")) as db, transaction(db):
            db.execute(
                "INSERT INTO wish (station, interest, slot, week, wishes) VALUES (?, ?, ?, ?, 1)"
                " ON CONFLICT (station, interest, slot, week) DO UPDATE SET wishes = wishes + 1",
                (*key, week),
            )
            db.execute("DELETE FROM wish WHERE week < ?", (oldest,))

    def counts(self, since: str) -> dict[WishKey, int]:
        """How many wish for each, since this week."""
        query = "SELECT station, interest, slot, sum(wishes) FROM wish WHERE week >= ? GROUP BY station, interest, slot"
        if not self._path.exists():
            return {}
        with store_errors(self._path), closing(read_only(self._path)) as db:
            return {(station, interest, slot): count for station, interest, slot, count in db.execute(query, (since,))}

    def demands(self, over_since: Millis) -> list[Demand]:
        """All under way, and those that ended since, the newest first."""
        query = f"SELECT {_NAMES} FROM demand WHERE {_UNDER_WAY} OR changed_at >= ? ORDER BY changed_at DESC"  # noqa: S608
        if not self._path.exists():
            return []
        with store_errors(self._path), closing(read_only(self._path)) as db:
            return [_demand(row) for row in db.execute(query, (over_since,))]

    def move(self, demand: Demand, expected: tuple[DemandState, ...]) -> bool:
        """The next state of a demand, if it is in one of `expected` (`open`: nobody took it up); False if it is not.

        `open` forgets who had it. One that ended takes its wishes along: who still wishes for it says so again.
        """
        with store_errors(self._path), closing(connect(self._path, "wishes")) as db, transaction(db):
            query = f"SELECT state FROM demand WHERE {_OF} AND {_UNDER_WAY}"  # noqa: S608
            (present,) = db.execute(query, demand.key).fetchone() or ("open",)
            if present not in expected:
                return False
            if present != "open":
                db.execute(f"DELETE FROM demand WHERE {_OF} AND {_UNDER_WAY}", demand.key)  # noqa: S608
            if demand.state != "open":
                values = [getattr(demand, name) for name in _COLUMNS]
                marks = ", ".join("?" * len(values))
                db.execute(f"INSERT INTO demand ({_NAMES}) VALUES ({marks})", values)  # noqa: S608
            if demand.state in OVER:
                db.execute(f"DELETE FROM wish WHERE {_OF}", demand.key)  # noqa: S608
                over = "DELETE FROM demand WHERE state IN ('held', 'closed') AND changed_at < ?"
                db.execute(over, (demand.changed_at - KEPT_MS,))
            return True


def _demand(row: Sequence[Any]) -> Demand:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Demand(**values)
