"""The steps of one day's file: told while it is written, and done again in the file of a copy."""

import sqlite3  # noqa: TID251
from collections.abc import Sequence

from gateway.model import Millis, Rejected
from gateway.store.step_words import DayStep, StoreStep, pack_day, unpack_day
from gateway.store.steps import Steps

NO_BATCH = (0, 0)


class DaySteps:
    """Tells what transactions of a day's file did. The first one of each opening tells all names, and the states with
    which the day began, so that a day is whole without the one before it."""

    def __init__(self, db: sqlite3.Connection, steps: Steps, day: int, begin: Millis) -> None:
        self._db, self._steps, self._day, self._begin = db, steps, day, begin
        self._told, self._batch = 0, 0
        self._telling = 0
        steps.make(db)

    def put(
        self, number: int, span: tuple[Millis, Millis], blob: bytes, changes: Sequence[Sequence[int]],
        rejected: Sequence[Rejected],
    ) -> None:  # fmt: skip
        """Last in a transaction. `number` counts only where there is a packed row; `changes`: (name, at, code)."""
        rows = [(name, at, code) for name, at, code in changes]
        if self._told == 0:
            carried = self._db.execute("SELECT resource, at, code FROM change WHERE at = ?", (self._begin,))
            rows = [(name, at, code) for name, at, code in carried] + rows
        names = self._db.execute("SELECT id, text FROM name WHERE id > ? ORDER BY id", (self._told,)).fetchall()
        self._telling = names[-1][0] if names else self._told
        self._batch = number if blob else 0
        step = DayStep(self._batch, *span, names, rows, self._numbered(rejected))
        self._steps.put(self._db, self._day, self._batch, pack_day(step), blob)

    def done(self) -> None:
        """Note that the transaction is durable."""
        self._told = self._telling
        self._steps.done(self._batch)

    def _numbered(self, rejected: Sequence[Rejected]) -> list[tuple[int, Millis, str, bytes, bytes]]:
        if not rejected:
            return []
        (last,) = self._db.execute("SELECT max(id) FROM quarantine").fetchone()
        first = last + 1 - len(rejected)
        return [
            (first + at, message.received_at, message.reason, message.topic, message.payload)
            for at, message in enumerate(rejected)
        ]


def repeat_day_step(db: sqlite3.Connection, step: StoreStep) -> int:
    """Do in a copy's file what the step did; inside a transaction. Returns its batch, 0 for none. StoreError."""
    told, blob = unpack_day(step.body)
    db.executemany("INSERT OR REPLACE INTO name (id, text) VALUES (?, ?)", told.names)
    if blob:
        db.execute(
            "INSERT OR REPLACE INTO batch (id, first_ms, last_ms, blob) SELECT ?1, ?2, ?3, ?4"
            # What could be read of a damaged file may hold it already, packed anew.
            " WHERE coalesce((SELECT last_id FROM block WHERE id <= ?1 ORDER BY id DESC LIMIT 1), 0) < ?1",
            (told.batch, told.first_ms, told.last_ms, blob),
        )
    db.executemany("INSERT OR REPLACE INTO change (resource, at, code) VALUES (?, ?, ?)", told.changes)
    db.executemany(
        "INSERT OR REPLACE INTO quarantine (id, received_at, reason, topic, payload) VALUES (?, ?, ?, ?, ?)",
        told.rejected,
    )
    rest = step.body[: len(step.body) - len(blob)]
    db.execute("DELETE FROM replica_step")
    db.execute("INSERT INTO replica_step (n, batch, body) VALUES (?, ?, ?)", (step.n, told.batch, rest))
    return told.batch
