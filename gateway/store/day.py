"""One day of the journal: one SQLite file, whole in itself. The writer's side; `day_reader` is the other."""

import contextlib
import json
import logging
import sqlite3  # noqa: TID251
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from gateway.model import Batch, Change, Millis, Rejected
from gateway.store.day_steps import NO_BATCH, DaySteps
from gateway.store.files import READ_ERRORS, as_store_error, connect, new_file, transaction
from gateway.store.packing import DamagedError, pack_batch, pack_block, unpack_batch
from gateway.store.steps import Steps

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
BLOCK_MESSAGES = 10_000  # a tenth of a second of packing; larger blocks are hardly smaller
SPARE_SHARE = 0.1  # of a file, to be worth giving back
SHRINK_PAGES = 2_000  # in one step, so that no commit waits long


def resource_name(station: str, resource: str) -> str:
    return f"{station}/{resource}"


LATEST = (1 << 63) - 1
HINTS = 1 << 22  # a larger number is looked up each time: a damaged file may hold any


class Names:
    """The `name` table of one file: text ↔ number. Empty until refreshed, or asked for a number."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._texts: dict[int, bytes] = {}
        self._objects: list[bytes | None] = []  # by number: the very ones that came last
        self._last = 0
        self.ids: dict[bytes, int] = {}
        self._db = db

    def refresh(self) -> None:
        for number, text in self._db.execute("SELECT id, text FROM name WHERE id > ? ORDER BY id", (self._last,)):
            self._texts[number] = raw = text.encode()
            self.ids[raw] = self._last = number

    def text(self, number: int) -> bytes:
        """KeyError for a number that is not there, or no longer readable."""
        if number not in self._texts:
            with contextlib.suppress(*READ_ERRORS):
                self.refresh()
        return self._texts[number]

    def numbers(self, texts: Sequence[bytes]) -> list[int]:
        """Inside a transaction: what has none is given one."""
        try:
            return list(map(self.ids.__getitem__, texts))
        except KeyError:
            self._add({*texts} - self.ids.keys())
            return list(map(self.ids.__getitem__, texts))

    def checked(self, texts: Sequence[bytes], hints: Sequence[int]) -> list[int]:
        """The same, but a hint that is right for the very object that came last time saves the look-up.

        With 100,000 devices no table is in a cache, and looking up each topic was a fifth of a message's cost.
        """
        last = self._objects
        try:
            numbers = [hint if last[hint] is text else 0 for text, hint in zip(texts, hints, strict=True)]
        except IndexError:
            numbers = [0] * len(texts)
        if min(numbers, default=1) < 1:  # not known, or no number at all: a list is read from its end by those below 0
            strange = [at for at, number in enumerate(numbers) if number < 1]
            for at, number in zip(strange, self.numbers([texts[at] for at in strange]), strict=True):
                numbers[at] = number
                if number < HINTS:
                    last += [None] * (number + 1 - len(last))
                    last[number] = texts[at]
        return numbers

    def _add(self, texts: Collection[bytes]) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO name (text) SELECT value FROM json_each(?)",
            (json.dumps([text.decode() for text in texts]),),
        )
        self.refresh()


def _check_times(times: Iterable[Millis]) -> None:
    """OverflowError for one beyond 64 bits: JSON would make a float of it, without a word."""
    if max(times) > LATEST:
        raise OverflowError("a time beyond 64 bits")


def _carry_over(db: sqlite3.Connection, before: Path | None, begin: Millis) -> None:
    """Every resource's last state opens a day without changes at `begin`, so that no question needs two days' files."""
    if before is None or db.execute("SELECT 1 FROM change LIMIT 1").fetchone() is not None:
        return
    try:
        db.execute("ATTACH ? AS before", (str(before),))
        with transaction(db):
            db.execute("INSERT OR IGNORE INTO name (id, text) SELECT id, text FROM before.name")
            db.execute(
                "INSERT OR IGNORE INTO change (resource, at, code) SELECT resource, ?, code FROM"
                " (SELECT resource, max(at), code FROM before.change GROUP BY resource)",
                (begin,),
            )
        db.execute("DETACH before")
    except sqlite3.Error as error:
        if not as_store_error(error, before).damaged:
            raise
        log.error("%s: damaged, so the last states of that day can't be taken over: %s", before, error)


class Day:
    """`quarantine_rows` and `quarantine_bytes` are the most kept of what could not be read; the oldest go first."""

    def __init__(
        self, path: Path, number: int, synchronous: str, before: Path | None = None,
        quarantine_rows: int = 100_000, quarantine_bytes: int = 64 << 20, steps: Steps | None = None,
    ) -> None:  # fmt: skip
        """`number`: days since 1970 UTC. A day without changes takes over names and last states from `before`.

        `steps`: numbers what is written, for a replica.
        """
        self.path, self.number = path, number
        self._quarantine_rows, self._quarantine_bytes = quarantine_rows, quarantine_bytes
        if not path.exists():
            with new_file(path, "day", synchronous=synchronous) as db:
                _carry_over(db, before, number * DAY_MS)
        self._db = connect(path, "day", synchronous=synchronous)
        try:
            _carry_over(self._db, before, number * DAY_MS)
            self._names = Names(self._db)
            self._names.refresh()
            self._steps = DaySteps(self._db, steps, number, number * DAY_MS) if steps is not None else None
        except sqlite3.Error as error:
            self._db.close()
            raise as_store_error(error, path) from error
        self._held: int | None = None  # bytes in quarantine, counted when first needed
        self._unreadable: set[int] = set()
        self._sealed: tuple[Millis, int] | None = None  # what `seal` was last asked, and found nothing for

    @property
    def names(self) -> dict[bytes, int]:
        """The number of each topic and resource that it knows."""
        return self._names.ids

    def write(self, number: int, batch: Batch, changes: Sequence[Change], rejected: Sequence[Rejected]) -> None:
        """One transaction; durable when it returns. StoreError, and nothing of it is stored."""
        names = [resource_name(change.resource.station, change.resource.id).encode() for change in changes]
        known = len(self._names.ids)
        numbers: list[int] = []
        span, blob, rows = NO_BATCH, b"", list[list[int]]()
        try:
            with transaction(self._db):
                if batch.payloads:
                    numbers = self._names.checked(batch.topics, batch.numbers)
                    blob = pack_batch(batch, numbers)
                    span = min(batch.received), max(batch.received)
                    self._db.execute(
                        "INSERT INTO batch (id, first_ms, last_ms, blob) VALUES (?, ?, ?, ?)", (number, *span, blob)
                    )
                if changes:
                    begin = self.number * DAY_MS  # what happened before has taken effect by then
                    rows = [
                        [resource, max(change.at, begin), change.after.code]
                        for resource, change in zip(self._names.numbers(names), changes, strict=True)
                    ]
                    _check_times(at for _, at, _ in rows)
                    # One statement for all: rows one by one would fight the other thread for the interpreter.
                    self._db.execute(
                        "INSERT OR REPLACE INTO change (resource, at, code)"
                        " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
                        " json_extract(value, '$[2]') FROM json_each(?)",
                        (json.dumps(rows),),
                    )
                if rejected:
                    self._quarantine(rejected)
                if self._steps is not None:
                    self._steps.put(number, span, blob, rows, rejected)
        except Exception as error:
            self._held = None
            if len(self._names.ids) > known:
                with contextlib.suppress(sqlite3.Error):  # rolled back with the rest
                    self._names = Names(self._db)
                    self._names.refresh()
            if isinstance(error, sqlite3.Error):
                raise as_store_error(error, self.path) from error
            raise
        if self._steps is not None:
            self._steps.done()
        if batch.payloads and numbers != batch.numbers:
            told = zip(batch.topics, numbers, batch.numbers, strict=True)
            batch.looked_up = [(topic, number) for topic, number, hint in told if number != hint]

    def _quarantine(self, rejected: Sequence[Rejected]) -> None:
        """Inside a transaction: keep them, in one statement that cuts topics and payloads out of one blob."""
        rows, at = [], 1
        for message in rejected:
            size = len(message.topic)
            rows.append([message.received_at, message.reason, at, size, at + size, len(message.payload)])
            at += size + len(message.payload)
        _check_times(message.received_at for message in rejected)
        blob = b"".join([message.topic + message.payload for message in rejected])
        self._db.execute(
            "INSERT INTO quarantine (received_at, reason, topic, payload)"
            " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
            # A piece of an empty blob is NULL.
            " coalesce(substr(?2, json_extract(value, '$[2]'), json_extract(value, '$[3]')), x''),"
            " coalesce(substr(?2, json_extract(value, '$[4]'), json_extract(value, '$[5]')), x'') FROM json_each(?1)",
            (json.dumps(rows), blob),
        )
        self._held = self._bytes_held() if self._held is None else self._held + at - 1
        self._db.execute(
            "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (self._quarantine_rows,)
        )
        if self._held > self._quarantine_bytes:
            self._db.execute(
                "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM (SELECT id,"
                " sum(length(topic) + length(payload)) OVER (ORDER BY id DESC) AS newer FROM quarantine)"
                " WHERE newer > ?)",
                (self._quarantine_bytes * 9 // 10,),
            )
            self._held = self._bytes_held()

    def _bytes_held(self) -> int:
        row = self._db.execute("SELECT coalesce(sum(length(topic) + length(payload)), 0) FROM quarantine").fetchone()
        return int(row[0])

    def empty_quarantine(self) -> None:
        self._db.execute("DELETE FROM quarantine")

    # ---- sealing ----

    def seal(self, before: Millis, upto: int) -> bool:
        """Re-pack by column the next run of batches that ended before `before`, ids up to `upto`. False: none is left.

        A run is of one hour and has no other row between its ids, or that one would be lost to readers.
        """
        if self._sealed == (before, upto):
            return False
        run = self._next_run(before, upto)
        if not run:
            self._sealed = before, upto
            return False
        batches = [batch for _, batch in run]
        first, last = min(min(batch.received) for batch in batches), max(max(batch.received) for batch in batches)
        blob = pack_block(run, self._names.ids.__getitem__)
        low, high = run[0][0], run[-1][0]
        with transaction(self._db):
            self._db.execute("DELETE FROM batch WHERE id BETWEEN ? AND ?", (low, high))
            self._db.execute(
                "INSERT INTO block (id, last_id, first_ms, last_ms, blob) VALUES (?, ?, ?, ?, ?)",
                (low, high, first, last, blob),
            )
        return True

    def _next_run(self, before: Millis, upto: int) -> list[tuple[int, Batch]]:
        rows = self._db.execute(
            "SELECT id, last_ms, blob FROM batch WHERE id <= ?1 AND id >="
            " (SELECT min(id) FROM batch WHERE last_ms < ?2 AND id <= ?1) ORDER BY id",
            (upto, before),
        )
        run: list[tuple[int, Batch]] = []
        count, end = 0, before
        for number, last, blob in rows:
            batch = self._unpacked(number, blob) if last < end and count < BLOCK_MESSAGES else None
            if batch is not None:
                end = min(before, last - last % HOUR_MS + HOUR_MS) if not run else end
                run.append((number, batch))
                count += len(batch)
            elif run:
                break
        rows.close()
        return run

    def _unpacked(self, number: int, blob: bytes) -> Batch | None:
        """None for a row that is damaged: it stays as it is."""
        if number in self._unreadable:
            return None
        try:
            return unpack_batch(blob, self._names.text)
        except DamagedError as error:
            log.error("%s: row %d is damaged and stays unsealed: %s", self.path.name, number, error)
            self._unreadable.add(number)
            return None

    def waits_for(self, upto: int) -> bool:
        """True while there are messages that no checkpoint covers."""
        return self._db.execute("SELECT 1 FROM batch WHERE id > ?", (upto,)).fetchone() is not None

    # ---- room ----

    def shrink(self) -> bool:
        """A day that is over gives some room of its packed rows back; False when there is no more worth the writing."""
        (spare,), (pages,) = (
            self._db.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_count")
        )
        if spare > pages * SPARE_SHARE:
            # `execute` would take a single step of it, and so give back a single page.
            self._db.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")
            if self._db.execute("PRAGMA freelist_count").fetchone()[0] < spare:
                return True
        self.checkpoint()
        # Nobody writes here again: without a write-ahead log a reader opens the file seventy times faster.
        with contextlib.suppress(sqlite3.OperationalError):  # a reader holds it open: next time
            self._db.execute("PRAGMA journal_mode=DELETE")
        return False

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the file; what a reader still needs of it stays."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._db.close()
