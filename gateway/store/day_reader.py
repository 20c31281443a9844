"""The read side of one day's file."""

import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.model import AXES, Axes, Batch, Millis, Rejected
from gateway.store.base import StoreError
from gateway.store.day import Names, resource_name
from gateway.store.files import READ_ERRORS, as_store_error, read_only
from gateway.store.packing import DamagedError, unpack_batch, unpack_block

log = logging.getLogger(__name__)

FOREVER = 2**62


class DayReader:
    """Where the file is damaged an answer is shorter, and the log says so; a start or an export goes on.

    `unread` counts the places that could not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unread = 0
        self._db = read_only(path)
        try:
            self._names = Names(self._db)
        except READ_ERRORS as error:
            self._db.close()
            raise as_store_error(error, path) from error

    def batches(self, after: int = 0, start: Millis = -FOREVER, end: Millis = FOREVER) -> Iterator[tuple[int, Batch]]:
        """(last id, messages) in order of arrival, of all that holds ids above `after` and touches [start, end)."""
        position = after
        while True:
            row = None
            with self._as_far_as_it_goes():
                # A seal may move batches into a block between two looks, so each look asks again what comes next.
                row = self._db.execute(
                    "SELECT first, last, blob, sealed FROM ("
                    "SELECT id AS first, id AS last, blob, 0 AS sealed FROM batch"
                    " WHERE id > ?1 AND last_ms >= ?2 AND first_ms < ?3 ORDER BY id LIMIT 1)"
                    " UNION ALL SELECT first, last, blob, sealed FROM ("
                    "SELECT id AS first, last_id AS last, blob, 1 AS sealed FROM block"
                    " WHERE last_id > ?1 AND last_ms >= ?2 AND first_ms < ?3 ORDER BY id LIMIT 1)"
                    " ORDER BY first LIMIT 1",
                    (position, start, end),
                ).fetchone()
            if row is None:
                return
            number, last, blob, sealed = row
            given, position = position, last
            try:
                find = self._names.text
                yield last, (unpack_block(blob, find, given) if sealed else unpack_batch(blob, find))
            except DamagedError as error:
                self.unread += 1
                log.error("%s: what is packed at %d to %d is lost: %s", self.path.name, number, last, error)

    def changes(
        self, station: str, resource: str, start: Millis, end: Millis, most: int = FOREVER
    ) -> list[tuple[Millis, Axes]]:
        """(at, axes) of the last change not after `start`, if any, and of every one before `end`: the first `most`."""
        points: list[tuple[Millis, Axes]] = []
        with self._as_far_as_it_goes():
            name = resource_name(station, resource)
            row = self._db.execute("SELECT id FROM name WHERE text = ?", (name,)).fetchone()
            for at, code in self._db.execute(
                "SELECT at, code FROM"
                " (SELECT at, code FROM change WHERE resource = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1)"
                " UNION ALL SELECT at, code FROM change WHERE resource = ?1 AND at > ?2 AND at < ?3"
                " ORDER BY 1 LIMIT ?4",
                (row[0] if row else None, start, end, most),
            ):
                points.append((at, AXES[code]))
        return points

    def quarantine(self) -> Iterator[Rejected]:
        with self._as_far_as_it_goes():
            for received_at, reason, topic, payload in self._db.execute(
                "SELECT received_at, reason, topic, payload FROM quarantine ORDER BY id"
            ):
                yield Rejected(topic, payload, received_at, reason)

    def last_id(self) -> int:
        """The id of the newest batch; 0 when there is none."""
        newest = 0
        with self._as_far_as_it_goes():
            (newest,) = self._db.execute(
                "SELECT max(coalesce((SELECT max(id) FROM batch), 0), coalesce((SELECT max(last_id) FROM block), 0))"
            ).fetchone()
        return int(newest)

    @contextlib.contextmanager
    def _as_far_as_it_goes(self) -> Iterator[None]:
        try:
            yield
        except READ_ERRORS as error:
            if not as_store_error(error, self.path).damaged:
                raise
            self.unread += 1
            log.error("%s can't be read to its end: %s", self.path.name, error)

    def close(self) -> None:
        self._db.close()


def readers(paths: Iterable[Path]) -> Iterator[DayReader]:
    """One after another; a file that can't be opened is told and left out."""
    for path in paths:
        try:
            reader = DayReader(path)
        except (StoreError, *READ_ERRORS) as error:
            log.error("%s can't be read: %s", path.name, error)
            continue
        try:
            yield reader
        finally:
            reader.close()
