"""How far the centre has everything, as the store keeps it, and the numbers that messages of the journal have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from gateway import wire
from gateway.model import Batch, Millis

KEPT = "uplink"
"""The name under which the store keeps the cursor."""


class JournalMessage(NamedTuple):
    """One message of the journal, with its number for its station."""

    station: str
    n: int
    topic: bytes
    payload: bytes
    received: Millis
    flags: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The centre has all of journal `boot` up to batch `position`, in which each station has come to its number."""

    boot: str
    position: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)


def cursor_of(kept: bytes | None, new_boot: str) -> Cursor:
    """What was kept; a journal that nobody has numbered yet begins under `new_boot`. ValueError when it is damaged."""
    if not kept:
        return Cursor(new_boot)
    try:
        return msgspec.json.decode(kept, type=Cursor)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"how far the centre has come can't be read: {error}") from None


class Numbering:
    """Walks through the journal; the same messages get the same numbers at every walk from a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self.position, self.counts = cursor.position, dict(cursor.counts)

    def walk(self, number: int, batch: Batch) -> Iterator[JournalMessage]:
        """The messages of batch `number`, the one after `position`."""
        counts = self.counts
        for topic, payload, received, flags in zip(
            batch.topics, batch.payloads, batch.received, batch.flags, strict=True
        ):
            station = wire.station_in(topic)
            counts[station] = n = counts.get(station, 0) + 1
            yield JournalMessage(station, n, topic, payload, received, flags)
        self.position = number

    def cursor(self, boot: str) -> Cursor:
        return Cursor(boot, self.position, dict(self.counts))
