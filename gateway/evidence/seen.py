"""Which messages of a device we have: `(boot, seq)` identifies one for ever, so a repeat is stored once.

Of two boots the one first heard later is newer. Numbers of one boot are kept as ranges; a device that counts without
holes costs two integers. Messages without `boot` and `seq` fall back to a weaker rule: the same topic and payload with
its own `ts`, or marked as a redelivery by the broker, within the last `RECENT` messages of the device is a repeat.
"""

from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum
from operator import itemgetter
from zlib import crc32

BOOTS = 64  # older boots kept for each device; a repeat from an even older one would be stored again
RANGES = 16_384  # ranges kept for each boot; beyond, a repeat from a forgotten one would be stored again
RECENT = 32

Range = tuple[int, int]
NO_BOOTS: dict[str | None, list[Range]] = {}  # one for all devices that never restarted; never written to


class SeqVerdict(Enum):
    NEW = "new"  # newer than all before: it may move the live state
    LATE = "late"  # never seen, but older than what we know: history only
    REPEAT = "repeat"
    ANEW = "anew"  # new too, and the first of a count that began again under the same boot


class Seen:
    """`top` is the highest seq of the newest `boot`; -2 before the first, so that no seq equals top + 1."""

    __slots__ = ("boot", "born", "first", "floor", "guessed", "lag", "older", "ranges", "recent", "start", "top")

    def __init__(self) -> None:
        self.boot: str | None = None
        self.born: str | None = None  # the boot that last said it is online, if it has sent nothing else yet
        self.top = -2
        self.start = -2  # where the range that ends at `top` begins
        self.floor = 0  # nothing below is awaited
        self.ranges: list[Range] = []  # below `start`, ascending
        self.older: dict[str | None, list[Range]] = NO_BOOTS
        self.guessed: str | None = None  # one of `older` that only retained messages spoke of: it may yet be the newest
        self.first: tuple[int, int, int | None] | None = (
            None  # the number the newest boot began with, content, own time
        )
        self.lag: tuple[int, int, int] | None = None  # how late its messages are, since when, how often the same
        self.recent = b""  # fingerprints, 8 bytes each: looking through as many objects takes ten times as long

    def admit(self, boot: str | None, seq: int, oldest: int | None) -> SeqVerdict:
        """Take note of a message; the caller handles `seq == top + 1` of the newest boot itself."""
        if boot != self.boot or self.top == -2:
            if boot in self.older and boot != self.guessed:
                return self._admit_older(boot, seq)
            return self._begin(boot, seq, oldest)
        if oldest is not None and oldest > self.floor:
            self.floor = oldest
        if seq > self.top:
            if seq > self.top + 1:
                self.ranges.append((self.start, self.top))
                self.start = seq
                _bound(self.ranges)
            self.top = seq
            return SeqVerdict.NEW
        if seq >= self.start or not insert(self.ranges, seq):
            return SeqVerdict.REPEAT
        if self.ranges[-1][1] + 1 == self.start:
            self.start = self.ranges.pop()[0]
        _bound(self.ranges)
        return SeqVerdict.LATE

    def admit_retained(self, boot: str | None, seq: int, oldest: int | None) -> SeqVerdict:
        """The same for what a broker kept: nobody knows from when it is, so it makes no boot the newest."""
        if boot == self.boot or boot in self.older:
            return self.admit(boot, seq, oldest) if boot != self.guessed else self._admit_older(boot, seq)
        self._remember(boot, [(seq, seq)])
        self.guessed = boot
        return SeqVerdict.NEW if self.top == -2 else SeqVerdict.LATE

    def admit_late(self, boot: str | None, seq: int) -> None:
        """Take note of a message that others overtook: it makes no boot the newest."""
        if boot == self.boot and self.top != -2:
            self.admit(boot, seq, None)
        elif boot in self.older:
            self._admit_older(boot, seq)
        else:
            self._remember(boot, [(seq, seq)])
            self.guessed = boot

    def _begin(self, boot: str | None, seq: int, oldest: int | None) -> SeqVerdict:
        had = self.older.pop(boot, [])
        if self.top != -2:
            self._remember(self.boot, [*self.ranges, (self.start, self.top)])
        fresh = insert(had, seq)
        self.boot, self.born, self.guessed, self.ranges, self.first = boot, None, None, had, None
        self.start, self.top = had.pop()
        self.floor = min(seq, oldest) if oldest is not None else seq
        if not fresh:
            return SeqVerdict.REPEAT
        return SeqVerdict.NEW if seq == self.top else SeqVerdict.LATE

    def note_first(self, seq: int, payload: bytes, ts: int | None) -> None:
        """Keep what the newest boot began with; later messages are not looked at."""
        if self.first is None and seq == self.start == self.top:
            self.first = seq, crc32(payload), ts

    def is_other_first(self, seq: int, payload: bytes, ts: int | None) -> bool:
        """Whether this number is that with which the boot began, and what comes with it is something else, and
        newer by the device's own time: sent again it may name another `oldest`."""
        if self.first is None or self.first[0] != seq or self.first[1] == crc32(payload):
            return False
        return ts is None or self.first[2] is None or ts > self.first[2]

    @property
    def is_new(self) -> bool:
        """Whether nothing of the device ever came, be it that a broker had kept it."""
        return self.top == -2 and not self.older

    def begin(self, boot: str | None, seq: int, oldest: int | None, payload: bytes, ts: int | None) -> None:
        """A count begins with this message: what was numbered before under the same boot is forgotten."""
        self.boot, self.born, self.guessed, self.ranges = boot, None, None, []
        self.start = self.top = seq
        self.floor = min(seq, oldest) if oldest is not None else seq
        self.first = seq, crc32(payload), ts

    def _remember(self, boot: str | None, ranges: list[Range]) -> None:
        if self.older is NO_BOOTS:
            self.older = {}
        self.older[boot] = ranges
        if len(self.older) > BOOTS:
            del self.older[next(iter(self.older))]

    def _admit_older(self, boot: str | None, seq: int) -> SeqVerdict:
        ranges = self.older[boot]
        if not insert(ranges, seq):
            return SeqVerdict.REPEAT
        _bound(ranges)
        return SeqVerdict.LATE

    def is_older(self, boot: str | None) -> bool:
        """True when a newer boot has been heard of, be it only that it is online."""
        if boot is None:
            return False
        if boot != self.boot:
            return boot in self.older
        return self.born is not None and self.born != boot and self.born not in self.older

    def upto(self) -> int | None:
        """The watermark: the highest seq with no hole between the floor and it. None before the first message."""
        below = None
        if self.top == -2:
            return None
        if not self.ranges:
            return self.top if self.start <= self.floor else None
        for low, high in self._all():
            if high >= self.floor:
                # A hole at the floor itself: what was stored below it is covered still, so we never go back.
                return high if low <= self.floor else below
            below = high
        return below

    def _all(self) -> Iterator[Range]:
        yield from self.ranges
        yield self.start, self.top

    def repeats(self, fingerprint: int, certain: bool) -> bool:
        """The weaker rule for messages without seq: notes the fingerprint; True if it was there and is `certain`."""
        mark = fingerprint.to_bytes(8, "big")
        if certain and mark in self.recent:
            return True
        self.recent = self.recent[-RECENT * 8 + 8 :] + mark
        return False

    def dump(self) -> tuple[object, ...]:
        older = list(self.older.items())
        return (
            self.boot, self.top, self.start, self.floor, self.ranges, older, self.recent, self.guessed, self.first,
            self.lag,
        )  # fmt: skip

    @classmethod
    def load(cls, kept: tuple[object, ...]) -> "Seen":
        seen = cls()
        seen.boot, seen.top, seen.start, seen.floor, ranges, older, recent, seen.guessed = kept[:8]  # type: ignore[assignment]
        seen.ranges = [(low, high) for low, high in ranges]  # type: ignore[attr-defined]
        seen.older = {boot: [(low, high) for low, high in held] for boot, held in older} or NO_BOOTS  # type: ignore[attr-defined]
        first, lag = kept[8:10] if len(kept) >= 10 else (None, None)
        seen.first = (
            (*first, None)[:3] if isinstance(first, tuple | list) else None
        )  # without a time: kept before it was
        seen.lag = tuple(lag) if isinstance(lag, tuple | list) else None
        seen.recent = recent if isinstance(recent, bytes) else b""
        return seen


def _bound(ranges: list[Range]) -> None:
    """Forget one range of too many. The lowest stays, so the watermark does; holes stay open, so nothing is lost."""
    if len(ranges) > RANGES:
        del ranges[1]


def holds(ranges: list[Range], seq: int) -> bool:
    """Whether `seq` is in one of ascending, disjoint ranges."""
    at = bisect_left(ranges, seq, key=itemgetter(1))
    return at < len(ranges) and ranges[at][0] <= seq


def insert(ranges: list[Range], seq: int) -> bool:
    """Add `seq` to ascending, disjoint ranges, in place. False if it was there."""
    at = bisect_left(ranges, seq, key=itemgetter(1))
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
