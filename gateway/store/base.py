"""What a store promises. The journal (`sqlite`) keeps everything; a copy (`influx`) may answer history at scale.

One writer: whoever calls `Store` methods does so from one thread. A `Reader` is read-only, cheap to open, and may be
used from any one thread at a time, also in another process while the writer runs.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gateway.evidence.checks import StoredCheck
from gateway.model import Batch, Change, Interval, Millis, OpeningChange, Reading, Rejected
from gateway.store.jobs import Job


class StoreError(Exception):
    """The store could not do it. `full`: no room on the disk, try again later. `damaged`: the file itself is broken.

    `refused`: the store works, but these rows break one of its rules: trying again changes nothing.
    """

    def __init__(self, message: str, *, full: bool = False, damaged: bool = False, refused: bool = False) -> None:
        super().__init__(message)
        self.full, self.damaged, self.refused = full, damaged, refused


class Store(Protocol):
    """The write side. Every method is durable when it returns; StoreError otherwise."""

    @property
    def folder(self) -> Path:
        """Where its files are, for those that read them."""
        ...

    @property
    def last_id(self) -> int:
        """The id of the newest batch; 0 when there is none."""
        ...

    def commit(self, batch: Batch, changes: Sequence[Change], rejected: Sequence[Rejected], now: Millis) -> int:
        """Store all of it in one transaction and return the batch's id: positive and rising, also over restarts."""
        ...

    def checkpoint(self, part: int, upto: int, blob: bytes) -> None:
        """Keep the live state of one part of the devices, true after batch `upto`; the older one is replaced."""
        ...

    def checkpoint_all(self, parts: Iterable[tuple[int, bytes]], upto: int) -> None:
        """Several parts, all true after batch `upto`, in one transaction."""
        ...

    def checkpoints(self) -> Iterator[tuple[int, int, bytes]]:
        """Every kept `(part, upto, blob)`."""
        ...

    def drop_parts(self, first: int) -> None:
        """Forget checkpoint parts from number `first` on: the configuration has fewer devices now."""
        ...

    def batches(self, after: int) -> Iterator[tuple[int, Batch]]:
        """Stored batches with an id above `after`, in order."""
        ...

    def rejected(self) -> Iterator[Rejected]:
        """Messages in quarantine that may be newer than the checkpoints, oldest first."""
        ...

    def write(self, jobs: Sequence[Job]) -> None:
        """Do all of these in one transaction, or none."""
        ...

    def ready(self) -> None:
        """StoreError, to be tried again, while nothing may be written: a replica must be heard of first."""
        ...

    def settle(self) -> None:
        """Return once all that was written is where it must be before it may be acknowledged: in a replica, too,
        where there is one. StoreError, to be tried again, till then.
        """
        ...

    def kept(self, name: str) -> bytes | None:
        """What was kept under this name."""
        ...

    def openings(self) -> dict[str, OpeningChange]:
        """The last state kept of each station's promise to be open."""
        ...

    def reports(self, wanted: Iterable[tuple[str, str]]) -> list[StoredCheck]:
        """For each (station, check) the last report, and before it the last one that told a day of expiry or a
        count."""
        ...

    def report_ids(self, since: Millis) -> dict[str, Millis]:
        """The ids of reports made since then, and when they were made."""
        ...

    def copied(self, copy: str) -> tuple[int, int]:
        """Up to which id a copy has followed, at most `last_id`, and how many lines it did not take."""
        ...

    def tidy(self, now: Millis) -> bool:
        """Do one small piece of background work (seal an hour, drop what is past retention). True if there is more."""
        ...

    def close(self) -> None: ...


class Reader(Protocol):
    """The read side: times are half open, `start <= t < end`."""

    def history(
        self, station: str, resource: str, start: Millis, end: Millis, most: int | None = None
    ) -> list[Interval]:
        """Intervals that cover what is known of [start, end); empty when the resource was never heard of.

        After `most` changes it stops reading: what comes later is not known, so the last interval ends there.
        """
        ...

    def readings(
        self, start: Millis | None = None, end: Millis | None = None, station: str | None = None
    ) -> Iterator[Reading]:
        """Stored messages by arrival (`received_at` in the window), oldest first. Availability messages too."""
        ...

    def quarantine(self) -> Iterator[Rejected]:
        """What could not be read, oldest first."""
        ...

    def close(self) -> None: ...
