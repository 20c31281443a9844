"""Which messages of a device we have: `(boot, seq)` identifies one for ever, so a repeat is stored once.

Of two boots the one first heard later is newer. Numbers of one boot are kept as ranges; a device that counts without
holes costs two integers. Messages without `seq` fall back to a weaker rule: the same topic and payload with its own
`ts`, or marked as a redelivery by the broker, within the last `RECENT` messages of the device is a repeat.
"""

from collections import deque
from collections.abc import Iterator
from enum import Enum

BOOTS = 64  # older boots kept for each device; a repeat from an even older one would be stored again
RANGES = 4_096  # holes kept for each boot, then the lowest are given up
RECENT = 32

Range = tuple[int, int]


class Verdict(Enum):
    NEW = "new"  # newer than all before: it may move the live state
    LATE = "late"  # never seen, but older than what we know: history only
    REPEAT = "repeat"


class Seen:
    """`top` is the highest seq of the newest `boot`; -2 before the first, so that no seq equals top + 1."""

    __slots__ = ("boot", "floor", "older", "ranges", "recent", "start", "top")

    def __init__(self) -> None:
        self.boot: str | None = None
        self.top = -2
        self.start = -2  # where the range that ends at `top` begins
        self.floor = 0  # nothing below is awaited
        self.ranges: list[Range] = []  # below `start`, ascending
        self.older: dict[str | None, list[Range]] = {}
        self.recent: deque[int] | None = None

    def admit(self, boot: str | None, seq: int, oldest: int | None) -> Verdict:
        """Take note of a message; the caller handles `seq == top + 1` of the newest boot itself."""
        if boot != self.boot or self.top == -2:
            if boot in self.older:
                return self._admit_older(self.older[boot], seq)
            self._begin(boot, seq, oldest)
            return Verdict.NEW
        if oldest is not None and oldest > self.floor:
            self.floor = oldest
        if seq > self.top:
            if seq > self.top + 1:
                self.ranges.append((self.start, self.top))
                self.start = seq
                if len(self.ranges) > RANGES:
                    self._forget_lowest()
            self.top = seq
            return Verdict.NEW
        if seq >= self.start:
            return Verdict.REPEAT
        if not insert(self.ranges, seq):
            return Verdict.REPEAT
        if self.ranges[-1][1] + 1 == self.start:
            self.start = self.ranges.pop()[0]
        return Verdict.LATE

    def _begin(self, boot: str | None, seq: int, oldest: int | None) -> None:
        if self.top != -2:
            self.older[self.boot] = [*self.ranges, (self.start, self.top)]
            if len(self.older) > BOOTS:
                del self.older[next(iter(self.older))]
        self.boot, self.top, self.start, self.ranges = boot, seq, seq, []
        self.floor = min(seq, oldest) if oldest is not None else seq

    @staticmethod
    def _admit_older(ranges: list[Range], seq: int) -> Verdict:
        return Verdict.LATE if insert(ranges, seq) else Verdict.REPEAT

    def _forget_lowest(self) -> None:
        """Join the two lowest ranges: a hole that old is given up rather than growing for ever."""
        (low, _), (_, high) = self.ranges[0], self.ranges[1]
        self.ranges[:2] = [(low, high)]

    def is_older(self, boot: str | None) -> bool:
        return boot is not None and boot != self.boot and boot in self.older

    def upto(self) -> int | None:
        """The watermark: the highest seq with no hole between the floor and it. None before the first message."""
        if self.top == -2:
            return None
        for low, high in self._all():
            if high < self.floor:
                continue
            return high if low <= self.floor else None
        return None

    def _all(self) -> Iterator[Range]:
        yield from self.ranges
        yield self.start, self.top

    def repeats(self, fingerprint: int, certain: bool) -> bool:
        """The weaker rule for messages without seq: notes the fingerprint; True if it was there and is `certain`."""
        if self.recent is None:
            self.recent = deque(maxlen=RECENT)
        if certain and fingerprint in self.recent:
            return True
        self.recent.append(fingerprint)
        return False

    def dump(self) -> tuple[object, ...]:
        recent = list(self.recent) if self.recent else None
        return self.boot, self.top, self.start, self.floor, self.ranges, list(self.older.items()), recent

    @classmethod
    def load(cls, kept: tuple[object, ...]) -> "Seen":
        seen = cls()
        seen.boot, seen.top, seen.start, seen.floor, ranges, older, recent = kept  # type: ignore[assignment]
        seen.ranges = [(low, high) for low, high in ranges]  # type: ignore[attr-defined]
        seen.older = {boot: [(low, high) for low, high in held] for boot, held in older}  # type: ignore[attr-defined]
        seen.recent = deque(recent, maxlen=RECENT) if recent else None  # type: ignore[call-overload]
        return seen


def insert(ranges: list[Range], seq: int) -> bool:
    """Add `seq` to ascending, disjoint ranges, in place. False if it was there."""
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        if ranges[middle][1] < seq:
            low = middle + 1
        else:
            high = middle
    at = low
    if at < len(ranges) and ranges[at][0] <= seq:
        return False
    joins_left = at > 0 and ranges[at - 1][1] + 1 == seq
    joins_right = at < len(ranges) and ranges[at][0] == seq + 1
    if joins_left and joins_right:
        ranges[at - 1 : at + 1] = [(ranges[at - 1][0], ranges[at][1])]
    elif joins_left:
        ranges[at - 1] = (ranges[at - 1][0], seq)
    elif joins_right:
        ranges[at] = (seq, ranges[at][1])
    else:
        ranges.insert(at, (seq, seq))
    return True
