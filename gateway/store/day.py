"""One day of the journal: one SQLite file, whole in itself."""

import contextlib
import json
import sqlite3  # noqa: TID251
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.model import AXES, Axes, Batch, Change, Millis, Rejected
from gateway.store.base import StoreError
from gateway.store.files import as_store_error, connect, read_only, transaction
from gateway.store.packing import pack_batch, pack_block, unpack_batch, unpack_block

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
BLOCK_BATCHES = 20_000


def resource_name(station: str, resource: str) -> str:
    return f"{station}/{resource}"


class Names:
    """The `name` table of one file: text ↔ number."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.texts: dict[int, bytes] = {}
        self.ids: dict[bytes, int] = {}
        self._db = db
        self.refresh()

    def refresh(self) -> None:
        last = max(self.texts, default=0)
        for number, text in self._db.execute("SELECT id, text FROM name WHERE id > ?", (last,)):
            self.texts[number] = raw = text.encode()
            self.ids[raw] = number

    def text(self, number: int) -> bytes:
        if number not in self.texts:
            self.refresh()
        return self.texts[number]

    def add(self, texts: Sequence[bytes]) -> None:
        """Inside a transaction: give numbers to what has none."""
        self._db.execute(
            "INSERT OR IGNORE INTO name (text) SELECT value FROM json_each(?)",
            (json.dumps([text.decode() for text in texts]),),
        )
        self.refresh()


class Day:
    """The writer's side of a day's file."""

    def __init__(self, path: Path, number: int, synchronous: str, before: Path | None) -> None:
        """`number`: days since 1970 UTC. A new file takes over names and last states from the day `before`."""
        fresh = not path.exists()
        self.path, self.number = path, number
        self._db = connect(path, "day", synchronous=synchronous)
        if fresh and before is not None:
            self._carry_over(before)
        self._names = Names(self._db)

    def _carry_over(self, before: Path) -> None:
        """Every resource's last state opens the day, so that no question needs two days' files."""
        try:
            self._db.execute("ATTACH ? AS before", (str(before),))
            with transaction(self._db):
                self._db.execute("INSERT OR IGNORE INTO name SELECT id, text FROM before.name")
                self._db.execute(
                    "INSERT OR IGNORE INTO change SELECT resource, ?, code FROM"
                    " (SELECT resource, max(at), code FROM before.change GROUP BY resource)",
                    (self.number * DAY_MS,),
                )
            self._db.execute("DETACH before")
        except sqlite3.Error as error:
            raise as_store_error(error, self.path) from error

    def write(self, number: int, batch: Batch, changes: Sequence[Change], rejected: Sequence[Rejected]) -> None:
        """One transaction; durable when it returns."""
        names = [resource_name(one.resource.station, one.resource.id).encode() for one in changes]
        unknown = [text for text in {*batch.topics, *names} if text not in self._names.ids]
        try:
            with transaction(self._db):
                if unknown:
                    self._names.add(unknown)
                find = self._names.ids
                if batch.payloads:
                    blob = pack_batch(batch, [find[topic] for topic in batch.topics])
                    span = batch.received[0], batch.received[-1]
                    self._db.execute("INSERT INTO batch VALUES (?, ?, ?, ?)", (number, *span, blob))
                if changes:
                    rows = [[find[name], one.at, one.after.code] for name, one in zip(names, changes, strict=True)]
                    # One statement for all: rows one by one would fight the other thread for the interpreter.
                    self._db.execute(
                        "INSERT OR REPLACE INTO change SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
                        " json_extract(value, '$[2]') FROM json_each(?)",
                        (json.dumps(rows),),
                    )
                for one in rejected:
                    self._db.execute(
                        "INSERT INTO quarantine (received_at, reason, topic, payload) VALUES (?, ?, ?, ?)",
                        (one.received_at, one.reason, one.topic, one.payload),
                    )
        except sqlite3.Error as error:
            self._names = self._names if not unknown else Names(self._db)
            raise as_store_error(error, self.path) from error

    def bound_quarantine(self, most: int) -> None:
        """Keep the newest `most` rows."""
        with transaction(self._db):
            self._db.execute("DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (most,))

    def seal(self, before: Millis, upto: int) -> bool:
        """Re-pack by column one hour's batches that ended before `before` with ids up to `upto`. True if it did."""
        first = self._db.execute(
            "SELECT first_ms FROM batch WHERE last_ms < ? AND id <= ? ORDER BY id LIMIT 1", (before, upto)
        ).fetchone()
        if first is None:
            return False
        end = min(before, first[0] - first[0] % HOUR_MS + HOUR_MS)
        rows = (
            self._db.execute(
                "SELECT id, blob FROM batch WHERE last_ms < ? AND id <= ? ORDER BY id LIMIT ?",
                (end, upto, BLOCK_BATCHES),
            ).fetchall()
            or self._db.execute(
                "SELECT id, blob FROM batch WHERE last_ms < ? AND id <= ? ORDER BY id LIMIT 1", (before, upto)
            ).fetchall()
        )
        batches = [unpack_batch(blob, self._names.text) for _, blob in rows]
        blob = pack_block(batches, self._names.ids.__getitem__)
        low, high = rows[0][0], rows[-1][0]
        with transaction(self._db):
            self._db.execute("DELETE FROM batch WHERE id BETWEEN ? AND ?", (low, high))
            self._db.execute(
                "INSERT INTO block VALUES (?, ?, ?, ?, ?)",
                (low, high, min(one.received[0] for one in batches), max(one.received[-1] for one in batches), blob),
            )
        return True

    def shrink(self) -> None:
        """A day that is over gives the room of its packed rows back."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._db.close()


class DayReader:
    """The read side of one day's file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = read_only(path)
        self._names = Names(self._db)

    def batches(self, after: int = 0) -> Iterator[tuple[int, Batch]]:
        """(last id, messages) in order of arrival, of all that holds ids above `after`."""
        position = after
        while True:
            # A seal may move batches into a block between two looks, so each look asks again what comes next.
            row = self._db.execute(
                "SELECT id, id, blob, 0 FROM batch WHERE id > ?1 UNION ALL "
                "SELECT id, last_id, blob, 1 FROM block WHERE last_id > ?1 ORDER BY 1 LIMIT 1",
                (position,),
            ).fetchone()
            if row is None:
                return
            _, last, blob, sealed = row
            yield last, (unpack_block if sealed else unpack_batch)(blob, self._names.text)
            position = last

    def changes(self, station: str, resource: str, start: Millis, end: Millis) -> list[tuple[Millis, Axes]]:
        """(at, axes) of the last change not after `start`, if any, and of every one before `end`."""
        row = self._db.execute("SELECT id FROM name WHERE text = ?", (resource_name(station, resource),)).fetchone()
        if row is None:
            return []
        found = self._db.execute(
            "SELECT at, code FROM"
            " (SELECT at, code FROM change WHERE resource = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1)"
            " UNION ALL SELECT at, code FROM change WHERE resource = ?1 AND at > ?2 AND at < ?3 ORDER BY 1",
            (row[0], start, end),
        )
        return [(at, AXES[code]) for at, code in found]

    def quarantine(self) -> Iterator[Rejected]:
        for received_at, reason, topic, payload in self._db.execute(
            "SELECT received_at, reason, topic, payload FROM quarantine ORDER BY id"
        ):
            yield Rejected(topic, payload, received_at, reason)

    def last_id(self) -> int:
        row = self._db.execute(
            "SELECT max(coalesce((SELECT max(id) FROM batch), 0), coalesce((SELECT max(last_id) FROM block), 0))"
        ).fetchone()
        return int(row[0])

    def close(self) -> None:
        self._db.close()


__all__ = ["DAY_MS", "Day", "DayReader", "StoreError", "resource_name"]
