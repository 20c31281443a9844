"""Words for the store's tests: a little station, its messages, and stores to keep them in."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.model import Axes, Batch, Change, Millis, Rejected, Resource, axes_of

MIDNIGHT = 1_780_012_800_000  # 2026-05-29T00:00Z
HOUR, DAY = 3_600_000, 86_400_000
NOON = MIDNIGHT + 12 * HOUR
SEAT = Resource(station="yanshan", area="lounge", id="seat-01", kind="seat", device="seat-01")
SEATS = [replace(SEAT, id=f"seat-{n:02d}", device=f"seat-{n:02d}") for n in range(3)]

FREE = axes_of("active", "ok", "open", "free", "live")
TAKEN = axes_of("active", "ok", "open", "occupied", "live")
STALE = axes_of("active", "ok", "open", "free", "stale")


def batch(first_seq: int, count: int, at: Millis, step: Millis = 0) -> Batch:
    made = Batch()
    for seq in range(first_seq, first_seq + count):
        received = at + (seq - first_seq) * step
        payload = b'{"ts":%d,"boot":"b1","seq":%d,"occupied":true}' % (received - 20, seq)
        made.append(b"yz/yanshan/seat-%02d/state" % (seq % 3), payload, received, 0)
    return made


def change(at: Millis, after: Axes, resource: Resource = SEAT) -> Change:
    return Change(resource, at, FREE, after, "message")


def refused(at: Millis, payload: bytes = b"{", reason: str = "not_json") -> Rejected:
    return Rejected(b"yz/yanshan/seat-01/state", payload, at, reason)


def messages(batches: Iterable[tuple[int, Batch]]) -> list[tuple[bytes, bytes, Millis, int]]:
    return [
        row
        for _, stored in batches
        for row in zip(stored.topics, stored.payloads, stored.received, stored.flags, strict=True)
    ]
