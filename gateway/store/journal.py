"""The journal read in order by those that follow it: the batches of all its days, while the writer goes on."""

import logging
import lzma
import sqlite3  # noqa: TID251
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from gateway.model import Batch, Millis
from gateway.store.base import StoreError
from gateway.store.day_reader import DayReader
from gateway.store.days import day_files, day_number, number_of
from gateway.store.files import read_only

log = logging.getLogger(__name__)

_HEAD = struct.Struct("<BI")  # how a batch and a block begin: version, messages


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
                    log.error("%s can't be read: %s", path.name, error)

    def touching(self, start: Millis, end: Millis) -> Iterator[tuple[int, Batch]]:
        """(id, batch) of all that may hold messages received in [start, end)."""
        for path in day_files(self._folder):
            if number_of(path) >= day_number(start):
                try:
                    yield from self._opened(path).batches(0, start, end)
                except (StoreError, sqlite3.Error, OSError) as error:
                    self.close()
                    log.error("%s can't be read: %s", path.name, error)

    def _opened(self, path: Path) -> DayReader:
        inode = path.stat().st_ino  # a damaged file is replaced by another of its name
        if self._day is None or self._day.path != path or self._inode != inode:
            self.close()
            self._day, self._inode = DayReader(path), inode
        return self._day

    def count(self, position: int) -> int:
        """How many messages have an id above `position`; those of a block that begins before it count as well."""
        return sum(self._count_of(path, position) for path in day_files(self._folder))

    def around(self, start: Millis, end: Millis) -> int:
        """About how many messages `touching` gives: those of the days it lies in."""
        first, last = day_number(start), day_number(end)
        days = (path for path in day_files(self._folder) if first <= number_of(path) <= last)
        return sum(self._count_of(path, 0) for path in days)

    def _count_of(self, path: Path, position: int) -> int:
        try:
            return sum(_counts(path, position))
        except (StoreError, sqlite3.Error, zlib.error, lzma.LZMAError, struct.error) as error:
            log.error("%s can't be counted: %s", path.name, error)
            return 0

    def close(self) -> None:
        day, self._day = self._day, None
        if day is not None:
            day.close()


class Journals:
    """Several of them, one after the other. `folders` is asked each time: a change of shards adds some."""

    def __init__(self, folders: Callable[[], Sequence[Path]]) -> None:
        self._folders = folders
        self._open: Journal | None = None

    def touching(self, start: Millis, end: Millis) -> Iterator[tuple[int, Batch]]:
        """See `Journal.touching`. Each counts its ids for itself."""
        for folder in self._folders():
            self._open = Journal(folder)
            yield from self._open.touching(start, end)
            self.close()

    def around(self, start: Millis, end: Millis) -> int:
        """See `Journal.around`."""
        return sum(Journal(folder).around(start, end) for folder in self._folders())

    def close(self) -> None:
        journal, self._open = self._open, None
        if journal is not None:
            journal.close()


def _counts(path: Path, position: int) -> Iterator[int]:
    """How many messages each row of a day has, read off the beginning of what is packed."""
    with closing(read_only(path)) as db:
        for (head,) in db.execute("SELECT substr(blob, 1, 512) FROM batch WHERE id > ?", (position,)):
            yield _HEAD.unpack(zlib.decompressobj().decompress(head, _HEAD.size))[1]
        for (head,) in db.execute("SELECT substr(blob, 1, 512) FROM block WHERE last_id > ?", (position,)):
            yield _HEAD.unpack(lzma.LZMADecompressor().decompress(head, _HEAD.size))[1]


def parts(batch: Batch, size: int) -> Iterator[Batch]:
    """A batch in pieces of so many messages at most."""
    for start in range(0, len(batch), size):
        part, end = Batch(), start + size
        part.topics, part.payloads = batch.topics[start:end], batch.payloads[start:end]
        part.received, part.flags = batch.received[start:end], batch.flags[start:end]
        part.numbers = batch.numbers[start:end]
        yield part
