"""The read side of one day's file."""

import logging
from collections.abc import Iterator
from pathlib import Path

from gateway.model import AXES, Axes, Batch, Millis, Rejected
from gateway.store.day import Names, resource_name
from gateway.store.files import read_only
from gateway.store.packing import DamagedError, unpack_batch, unpack_block

log = logging.getLogger(__name__)

FOREVER = 2**62


class DayReader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = read_only(path)
        self._names = Names(self._db)

    def batches(self, after: int = 0, start: Millis = -FOREVER, end: Millis = FOREVER) -> Iterator[tuple[int, Batch]]:
        """(last id, messages) in order of arrival, of all that holds ids above `after` and touches [start, end)."""
        position = after
        while True:
            # A seal may move batches into a block between two looks, so each look asks again what comes next.
            row = self._db.execute(
                "SELECT * FROM (SELECT id, id, blob, 0 FROM batch"
                " WHERE id > ?1 AND last_ms >= ?2 AND first_ms < ?3 ORDER BY id LIMIT 1) UNION ALL"
                " SELECT * FROM (SELECT id, last_id, blob, 1 FROM block"
                " WHERE last_id > ?1 AND last_ms >= ?2 AND first_ms < ?3 ORDER BY id LIMIT 1) ORDER BY 1 LIMIT 1",
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
                log.error("%s: what is packed at %d to %d is lost: %s", self.path.name, number, last, error)

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
