"""The words of a second copy of the store: each of our transactions is one numbered step, which the copy repeats.

A step is packed once. Our own file keeps its rest beside what it did, in the same transaction, until the copy has it:
so after a kill at any moment what the copy lacks can be sent from here, to the byte.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from gateway.model import Millis
from gateway.store import jobs as words
from gateway.store.base import StoreError
from gateway.store.jobs import Job

VERSION = 1
_HEAD = struct.Struct("<BI")  # version, length of the packed rest; the batch's own packed row follows
_JOBS: dict[str, type[Job]] = {
    kind.__name__: kind
    for kind in (
        words.KeepOpenings, words.KeepEnded, words.ForgetEnded, words.KeepReports, words.ForgetReports,
        words.ForgetOpenings, words.KeepAlerts, words.SettleDeliveries, words.RetryDelivery, words.KeepOrder,
        words.KeepAudit, words.SpendLink, words.ForgetAlerts, words.MoveCopy, words.Keep,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoreStep:
    """`n` rises by one; `day` (since 1970 UTC) is whose file it belongs to, None for the core file."""

    n: int
    day: int | None
    body: bytes


class DayStep(msgspec.Struct, frozen=True, array_like=True):
    """What one transaction of a day's file did, beside the batch's packed row.

    `names`: (number, text); `changes`: (name, at, code); `rejected`: (id, received_at, reason, topic, payload).
    """

    batch: int
    first_ms: Millis
    last_ms: Millis
    names: list[tuple[int, str]]
    changes: list[tuple[int, Millis, int]]
    rejected: list[tuple[int, Millis, str, bytes, bytes]]


class Replica(Protocol):
    """Takes steps in order. All but `settle` return at once; the writer's thread alone calls them."""

    @property
    def confirmed(self) -> int:
        """It has all steps up to this one."""
        ...

    def ready(self) -> None:
        """StoreError, to be tried again, while nothing may be written."""
        ...

    def send(self, step: StoreStep) -> None:
        """Begin to send what is about to be committed here; the same number again replaces what was sent before."""
        ...

    def parts(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        """Checkpoints (part, upto, blob), for a quicker start from the copy. Nobody waits for them."""
        ...

    def settle(self, n: int) -> None:
        """Return once it has all up to step `n`, or need not have it. StoreError, to be tried again, till then."""
        ...


class Later:
    """A replica that is not there now: it gets its steps from the journal when somebody runs who has it."""

    confirmed = 0

    def ready(self) -> None:
        """Nothing to wait for."""

    def send(self, step: StoreStep) -> None:
        """It is in the journal."""

    def parts(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        """Nobody needs them."""

    def settle(self, n: int) -> None:
        """Nothing to wait for."""


def pack_day(step: DayStep) -> bytes:
    """All but the batch's packed row, which is appended to it."""
    return _packed(msgspec.msgpack.encode(step))


def unpack_day(body: bytes) -> tuple[DayStep, bytes]:
    """And the batch's packed row, empty where there is none. StoreError."""
    rest, blob = _unpacked(body)
    try:
        return msgspec.msgpack.decode(rest, type=DayStep), blob
    except msgspec.DecodeError as error:
        raise StoreError(f"a step of the replica can't be read: {error}") from error


def pack_jobs(jobs: Sequence[Job]) -> bytes:
    return _packed(msgspec.msgpack.encode([(type(job).__name__, job) for job in jobs]))


def unpack_jobs(body: bytes) -> list[Job]:
    """StoreError."""
    rest, _ = _unpacked(body)
    try:
        told = msgspec.msgpack.decode(rest, type=list[tuple[str, msgspec.Raw]])
        return [msgspec.msgpack.decode(raw, type=_JOBS[name]) for name, raw in told]
    except (msgspec.DecodeError, KeyError) as error:
        raise StoreError(f"a step of the replica can't be read: {error}") from error


def _packed(rest: bytes) -> bytes:
    small = zlib.compress(rest, 1)
    return _HEAD.pack(VERSION, len(small)) + small


def _unpacked(body: bytes) -> tuple[bytes, bytes]:
    try:
        version, size = _HEAD.unpack_from(body)
        if version != VERSION:
            raise StoreError(f"the replica was written by a newer yizhan (steps of version {version}): install that")
        end = _HEAD.size + size
        return zlib.decompress(body[_HEAD.size : end]), body[end:]
    except (struct.error, zlib.error) as error:
        raise StoreError(f"a step of the replica can't be read: {error}") from error
