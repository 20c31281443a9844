"""What the copy needs of the journal: the batches after a cursor, the cursor itself, and a place for dead letters."""

import logging
import lzma
import sqlite3  # noqa: TID251
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path

from gateway.model import Batch, Millis
from gateway.store.base import StoreError
from gateway.store.day_reader import DayReader
from gateway.store.files import as_store_error, read_only
from gateway.store.sqlite import CORE, SqliteStore, day_files, day_number, number_of

log = logging.getLogger(__name__)

DEAD_LETTERS_MOST = 10_000  # the newest are kept
_HEAD = struct.Struct("<BI")  # how a batch and a block begin: version, messages


class Cursor:
    """How far one copy has come. Made before the store's writer starts; `keep`'s work is for the writer's thread."""

    def __init__(self, store: SqliteStore, copy: str) -> None:
        self._store, self._copy = store, copy
        store.core_write(_prepare)
        row = store.core.execute("SELECT upto FROM copy_cursor WHERE copy = ?", (copy,)).fetchone()
        # Where the newest day was lost its numbers come again.
        self.upto: int = min(row[0], store.last_id) if row is not None else 0
        (self.dead_letters,) = store.core.execute("SELECT count(*) FROM dead_letter WHERE copy = ?", (copy,)).fetchone()

    def keep(self, upto: int, dead: Sequence[tuple[Millis, str, str]]) -> Callable[[], None]:
        """Work that keeps the cursor with (at, line, reason) of what the copy did not take: both or neither."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO copy_cursor VALUES (?, ?)", (self._copy, upto))
            db.executemany(
                "INSERT INTO dead_letter (at, copy, line, reason) VALUES (?, ?, ?, ?)",
                [(at, self._copy, line, reason) for at, line, reason in dead],
            )
            if dead:
                db.execute(
                    "DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?", (DEAD_LETTERS_MOST,)
                )

        return lambda: self._store.core_write(work)


def _prepare(db: sqlite3.Connection) -> None:
    script = resources.files("gateway.store").joinpath("schema/copy.sql").read_text()
    for statement in script.split(";\n"):
        db.execute(statement)


def position_in(folder: Path, copy: str) -> tuple[int, set[str]]:
    """For any process: up to which id this copy has followed the store, and the lines that it refused for good."""
    try:
        with closing(read_only(folder / CORE)) as db:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'copy_cursor'").fetchone() is None:
                return 0, set()  # no copy has followed this store yet
            row = db.execute("SELECT upto FROM copy_cursor WHERE copy = ?", (copy,)).fetchone()
            lines = {line for (line,) in db.execute("SELECT line FROM dead_letter WHERE copy = ?", (copy,))}
    except sqlite3.Error as error:
        raise as_store_error(error, folder / CORE) from error
    return (row[0] if row is not None else 0), lines


def parts(batch: Batch, size: int) -> Iterator[Batch]:
    """A batch in pieces of so many messages at most."""
    for start in range(0, len(batch), size):
        part, end = Batch(), start + size
        part.topics, part.payloads = batch.topics[start:end], batch.payloads[start:end]
        part.received, part.flags = batch.received[start:end], batch.flags[start:end]
        yield part


class Journal:
    """The batches of a store's folder in order, for one thread, while the writer goes on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._day: DayReader | None = None
        self._inode = 0

    def after(self, position: int) -> Iterator[tuple[int, Batch]]:
        """(id, batch) of all that is committed with an id above `position`."""
        # Listed first: where a newer day exists nothing is added to an older one.
        files = day_files(self._folder)
        if self._day is not None and self._day.path in files:
            files = files[files.index(self._day.path) :]
        for path in files:
            try:
                for number, batch in self._opened(path).batches(position):
                    yield number, batch
                    position = number
            except (StoreError, sqlite3.Error, OSError) as error:
                self.close()
                if path is not files[-1]:  # the newest may just be in the making
                    log.error("%s can't be read for the copy: %s", path.name, error)

    def touching(self, start: Millis, end: Millis) -> Iterator[tuple[int, Batch]]:
        """(id, batch) of all that may hold messages received in [start, end)."""
        for path in day_files(self._folder):
            if number_of(path) >= day_number(start):
                try:
                    yield from self._opened(path).batches(0, start, end)
                except (StoreError, sqlite3.Error, OSError) as error:
                    self.close()
                    log.error("%s can't be read for the copy: %s", path.name, error)

    def _opened(self, path: Path) -> DayReader:
        inode = path.stat().st_ino  # a damaged file is replaced by another of its name
        if self._day is None or self._day.path != path or self._inode != inode:
            self.close()
            self._day, self._inode = DayReader(path), inode
        return self._day

    def count(self, position: int) -> int:
        """How many messages have an id above `position`; those of a block that begins before it count as well."""
        total = 0
        for path in day_files(self._folder):
            try:
                with closing(read_only(path)) as db:
                    for (head,) in db.execute("SELECT substr(blob, 1, 512) FROM batch WHERE id > ?", (position,)):
                        total += _HEAD.unpack(zlib.decompressobj().decompress(head, _HEAD.size))[1]
                    for (head,) in db.execute("SELECT substr(blob, 1, 512) FROM block WHERE last_id > ?", (position,)):
                        total += _HEAD.unpack(lzma.LZMADecompressor().decompress(head, _HEAD.size))[1]
            except (StoreError, sqlite3.Error, zlib.error, lzma.LZMAError, struct.error) as error:
                log.error("%s can't be counted for the copy: %s", path.name, error)
        return total

    def close(self) -> None:
        day, self._day = self._day, None
        if day is not None:
            day.close()
