"""Taking cards out of what is stored: when their time is over, and when a person asks for it.

An event stays, with its header and without its `card`: it is counted as before, a repeat of it is still known, and
nobody can be followed by it any more.
"""

import logging
import sqlite3  # noqa: TID251
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from gateway.model import Batch, Millis
from gateway.store.base import Store, StoreError
from gateway.store.day import Names
from gateway.store.days import day_files, day_number, number_of
from gateway.store.files import as_store_error, connect, transaction
from gateway.store.jobs import Keep
from gateway.store.packing import DamagedError, pack_batch, pack_block, unpack_batch, unpack_block
from gateway.store.sqlite import SYNCHRONOUS

log = logging.getLogger(__name__)

KEPT = "cards_forgotten_upto"  # the newest day without cards, under this name in the store
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

Wanted = Callable[[str], bool]


def without_card(payload: bytes, wanted: Wanted) -> bytes | None:
    """The message without its card where `wanted(card)`; None where nothing is to be changed."""
    if b'"card"' not in payload:
        return None
    try:
        fields = _decode(payload)
        card = msgspec.json.decode(fields.pop("card"), type=str)
    except (msgspec.DecodeError, KeyError):
        return None
    return msgspec.json.encode(fields) if wanted(card) else None


def forget_cards(path: Path, wanted: Wanted) -> Iterator[int]:
    """Rewrite one day's file, a packed row at a time; yields how many cards each row lost. Writer's side. StoreError.

    Batches go first: whoever seals them meanwhile makes blocks that have no cards.
    """
    try:
        with closing(connect(path, "day", synchronous=SYNCHRONOUS["safe"])) as db:
            db.execute("PRAGMA secure_delete=ON")
            names = Names(db)
            for table, number in _rows(db):
                yield _forget_in_row(db, names, table, number, wanted)
            yield _forget_refused(db, wanted)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with suppress(sqlite3.OperationalError):  # somebody reads it: it stays as it is
                db.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise as_store_error(error, path) from error


def _rows(db: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    """Table and number of every packed row; blocks are listed once all batches were seen."""
    for table in ("batch", "block"):
        for (number,) in db.execute(f"SELECT id FROM {table} ORDER BY id").fetchall():  # noqa: S608
            yield table, number


def _forget_in_row(db: sqlite3.Connection, names: Names, table: str, number: int, wanted: Wanted) -> int:
    last = "id" if table == "batch" else "last_id"
    row = db.execute(f"SELECT {last}, blob FROM {table} WHERE id = ?", (number,)).fetchone()  # noqa: S608
    if row is None:
        return 0
    last_id, blob = row
    try:
        batch = unpack_batch(blob, names.text) if table == "batch" else unpack_block(blob, names.text)
    except DamagedError:
        return 0
    count = _forget_in(batch, wanted)
    if count:
        if table == "batch":
            blob = pack_batch(batch, [names.ids[topic] for topic in batch.topics])
        else:
            blob = pack_block([(last_id, batch)], names.ids.__getitem__)
        with transaction(db):
            db.execute(f"UPDATE {table} SET blob = ? WHERE id = ?", (blob, number))  # noqa: S608
    return count


def _forget_in(batch: Batch, wanted: Wanted) -> int:
    count = 0
    for place, payload in enumerate(batch.payloads):
        bare = without_card(payload, wanted)
        if bare is not None:
            batch.payloads[place] = bare
            count += 1
    return count


def _forget_refused(db: sqlite3.Connection, wanted: Wanted) -> int:
    """Unreadable messages can't be cut: those that hold such a card go."""
    rows = db.execute("SELECT id, payload FROM quarantine").fetchall()
    gone = [(number,) for number, payload in rows if without_card(payload, wanted) is not None]
    with transaction(db):
        db.executemany("DELETE FROM quarantine WHERE id = ?", gone)
    return len(gone)


def forget_card(folder: Path, card: str) -> int:
    """Take one pseudonym out of every day of a store that no gateway has open; returns out of how many events."""
    wanted = card.lower()
    return sum(sum(forget_cards(path, lambda pseudonym: pseudonym.lower() == wanted)) for path in day_files(folder))


class CardRetention:
    """A chore of the writer's quiet moments: days older than `keep_days` lose their cards, one packed row at a time."""

    def __init__(self, store: Store, keep_days: int, *, over: bool = False) -> None:
        """`over`: nothing is written to it any more, so its newest day is one like the others."""
        self._store, self._keep_days, self._over = store, keep_days, over
        kept = store.kept(KEPT)
        self._done = int(kept) if kept else -1
        self._day = -1
        self._work: Iterator[int] | None = None

    def tidy(self, now: Millis) -> bool:
        """True if there is more. A day that can't be rewritten is told and left; StoreError where the disk is full."""
        if self._work is None and not self._begin(now):
            return False
        assert self._work is not None
        try:
            if next(self._work, None) is not None:
                return True
        except StoreError as error:
            self._work = None
            if error.full:
                raise
            log.error("cards stay where they are: %s", error)
        self._work, self._done = None, self._day
        self._store.write([Keep(KEPT, b"%d" % self._done)])
        return True

    def _begin(self, now: Millis) -> bool:
        for path in day_files(self._store.folder)[: None if self._over else -1]:
            day = number_of(path)
            if self._done < day < day_number(now) - self._keep_days:
                self._day, self._work = day, forget_cards(path, lambda _card: True)
                return True
        return False
