"""Subscriptions of apps: who is told of changes by webhook, what was told, and what is owed. A file of its own.

The API writes it: it outlives a restart of either side, and no gateway needs it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.model import Millis
from gateway.store.files import connect, store_errors, transaction

NAME: Final = "webhooks.db"
OWED_MOST: Final = 10_000
"""Events of alerts kept for one subscriber that does not take them: the oldest go first."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """`owner` is the id of the key that made it. Empty `stations` and `kinds` mean all.

    `secret` signs; `former_secret` does, too, until `former_until`. `failing_since`: since when nothing was taken, None
    while it is; `due`: when to try again; `disabled_at`: when it was given up.
    """

    id: str
    owner: str
    url: str
    events: tuple[str, ...]
    stations: tuple[str, ...]
    kinds: tuple[str, ...]
    secret: str
    created_at: Millis
    former_secret: str | None = None
    former_until: Millis | None = None
    failures: int = 0
    failing_since: Millis | None = None
    due: Millis = 0
    delivered_at: Millis | None = None
    disabled_at: Millis | None = None
    error: str | None = None

    def secrets_at(self, now: Millis) -> tuple[str, ...]:
        """Those that sign at this moment, the present one first."""
        if self.former_secret is None or self.former_until is None or now >= self.former_until:
            return (self.secret,)
        return self.secret, self.former_secret


@dataclass(frozen=True, slots=True)
class Owed:
    """An event of an alert that a subscriber has yet to take."""

    number: int
    at: Millis
    body: bytes


_COLUMNS: Final = (
    "id", "owner", "url", "events", "stations", "kinds", "secret", "former_secret", "former_until", "created_at",
    "failures", "failing_since", "due", "delivered_at", "disabled_at", "error",
)  # fmt: skip
_NAMES: Final = ", ".join(_COLUMNS)


class SubscriptionFile:
    """One thread at a time. Everything raises StoreError; what returns is on disk."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._db = connect(self._path, "webhooks")

    def close(self) -> None:
        self._db.close()

    def changes(self) -> int:
        """Another number after another process has written."""
        with store_errors(self._path):
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def all(self) -> list[Subscription]:
        """Every one, the oldest first."""
        with store_errors(self._path):
            rows = self._db.execute(f"SELECT {_NAMES} FROM subscription ORDER BY created_at, id").fetchall()  # noqa: S608
            return [_subscription(row) for row in rows]

    def put(self, subscription: Subscription) -> None:
        """Add it, or replace the one of its id."""
        values = [getattr(subscription, name) for name in _COLUMNS]
        row = [json.dumps(value) if isinstance(value, tuple) else value for value in values]
        marks = ", ".join("?" * len(row))
        with store_errors(self._path), transaction(self._db):
            self._db.execute(f"INSERT OR REPLACE INTO subscription ({_NAMES}) VALUES ({marks})", row)  # noqa: S608

    def remove(self, subscription: str) -> None:
        with store_errors(self._path), transaction(self._db):
            self._db.execute("DELETE FROM subscription WHERE id = ?", (subscription,))
            self._forget(subscription)

    def disable(self, subscription: str, at: Millis, error: str) -> None:
        """Give it up: nothing is owed any more."""
        with store_errors(self._path), transaction(self._db):
            self._db.execute(
                "UPDATE subscription SET disabled_at = ?, error = ? WHERE id = ?", (at, error, subscription)
            )
            self._forget(subscription)

    def failed(self, subscription: str, at: Millis, due: Millis, error: str) -> None:
        with store_errors(self._path), transaction(self._db):
            self._db.execute(
                "UPDATE subscription SET failures = failures + 1, failing_since = coalesce(failing_since, ?), due = ?,"
                " error = ? WHERE id = ?",
                (at, due, error, subscription),
            )

    def told_of(self, subscription: str, station: str) -> tuple[str, int]:
        """The digest of the station that was taken last, and how many were; empty and 0 before the first."""
        query = "SELECT digest, number FROM told WHERE subscription = ? AND station = ?"
        with store_errors(self._path):
            row = self._db.execute(query, (subscription, station)).fetchone()
            digest, number = row or ("", 0)
            return digest, number

    def told(self, subscription: str) -> dict[str, tuple[str, int]]:
        """By station: the digest that was taken last, and how many were."""
        query = "SELECT station, digest, number FROM told WHERE subscription = ?"
        with store_errors(self._path):
            rows = self._db.execute(query, (subscription,)).fetchall()
            return {station: (digest, number) for station, digest, number in rows}

    def took_state(self, subscription: str, station: str, digest: str, number: int, at: Millis) -> None:
        with store_errors(self._path), transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO told (subscription, station, digest, number) VALUES (?, ?, ?, ?)",
                (subscription, station, digest, number),
            )
            self._well(subscription, at)

    def owe(self, event: str, subscriptions: Iterable[str], at: Millis, body: bytes) -> bool:
        """One event of an alert to each of these; False where it was taken in already."""
        with store_errors(self._path), transaction(self._db):
            if not self._db.execute("INSERT OR IGNORE INTO taken (event, at) VALUES (?, ?)", (event, at)).rowcount:
                return False
            for subscription in subscriptions:
                self._db.execute("INSERT INTO owed (subscription, at, body) VALUES (?, ?, ?)", (subscription, at, body))
                self._db.execute(
                    "DELETE FROM owed WHERE subscription = ? AND number <= (SELECT number FROM owed"
                    " WHERE subscription = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
                    (subscription, subscription, OWED_MOST),
                )
        return True

    def forget_taken(self, before: Millis) -> None:
        with store_errors(self._path), transaction(self._db):
            self._db.execute("DELETE FROM taken WHERE at < ?", (before,))

    def owing(self) -> set[str]:
        """To whom events of alerts are owed."""
        with store_errors(self._path):
            return {name for (name,) in self._db.execute("SELECT DISTINCT subscription FROM owed")}

    def next_owed(self, subscription: str) -> Owed | None:
        query = "SELECT number, at, body FROM owed WHERE subscription = ? ORDER BY number LIMIT 1"
        with store_errors(self._path):
            row = self._db.execute(query, (subscription,)).fetchone()
            return None if row is None else Owed(*row)

    def took_owed(self, subscription: str, number: int, at: Millis) -> None:
        with store_errors(self._path), transaction(self._db):
            self._db.execute("DELETE FROM owed WHERE number = ?", (number,))
            self._well(subscription, at)

    def _well(self, subscription: str, at: Millis) -> None:
        self._db.execute(
            "UPDATE subscription SET failures = 0, failing_since = NULL, due = 0, delivered_at = ?, error = NULL"
            " WHERE id = ?",
            (at, subscription),
        )

    def _forget(self, subscription: str) -> None:
        self._db.execute("DELETE FROM told WHERE subscription = ?", (subscription,))
        self._db.execute("DELETE FROM owed WHERE subscription = ?", (subscription,))


def _subscription(row: Sequence[Any]) -> Subscription:
    values = dict(zip(_COLUMNS, row, strict=True))
    lists = {name: tuple(json.loads(values[name])) for name in ("events", "stations", "kinds")}
    return Subscription(**{**values, **lists})
