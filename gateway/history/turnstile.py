"""How many came in between two totals of a counter. Pure.

A total only grows until the device starts anew. What it rose by is known, over a silence too, unless the device may
have started anew meanwhile. Where it did, fell or leapt, a step has a least and a most; `most` is None where nothing
bounds it. A total that is back within the hour where it was before had a glitch: what was counted from it is taken
back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, field

from gateway import wire
from gateway.base.bounds import TOTAL
from gateway.base.local_time import DAY_MS, HOUR_MS, hour_start, pieces
from gateway.history.visits import MOST_A_SECOND, UNSEEN_MS
from gateway.model import Millis

LATE_MS = HOUR_MS // 4  # by so much may a message be late, or several come at once
BACK_MS = HOUR_MS
REGISTERS = (2**16, 2**32)  # as many a counter of 16 or 32 bits knows
LONGEST_MS = 40 * DAY_MS  # over a longer silence nothing is said of the days between


class TurnstileSaid(Struct, gc=False):
    """What a counter's or a door's message tells here."""

    ts: wire.Time | None = None
    boot: wire.Boot | None = None
    seq: wire.Seq | None = None
    ins: Annotated[int, Meta(ge=TOTAL[0], le=TOTAL[1])] | None = field(default=None, name="in")
    open: bool | None = None


@dataclass(slots=True)
class Passed:
    """What passed in one hour: how often a door opened; by how much a counter's totals rose, and how much time they
    cover."""

    openings: int = 0
    least: int = 0
    most: int = 0
    seen_ms: Millis = 0

    def add(self, other: "Passed") -> None:
        self.openings += other.openings
        self.least += other.least
        self.most += other.most
        self.seen_ms += other.seen_ms


class CounterStep(NamedTuple):
    """Between two totals. `least` is negative where it takes back what was counted before."""

    since: Millis
    until: Millis
    least: int
    most: int | None

    def shared_out(self, zone: ZoneInfo) -> Iterator[tuple[Millis, Passed]]:
        """By local hour. What came in over midnight may have come in on either day."""
        if self.until - self.since > LONGEST_MS:
            return
        days = list(pieces(self.since, self.until, zone, "day")) or [(self.until, self.until)]
        for begin, until in days:
            least = self.least if len(days) == 1 else min(0, self.least)
            yield hour_start(max(begin, until - 1), zone), Passed(0, least, max(0, self.most or 0), 0)
        if self.most is not None:
            for begin, until in pieces(self.since, self.until, zone, "hour"):
                yield hour_start(begin, zone), Passed(seen_ms=until - begin)


class Turnstile(Struct, gc=False):
    """One counter or door as last heard. Kept between messages, so everything in it is plain JSON."""

    heard_at: Millis = 0
    boot: str | None = None
    older: str | None = None
    seq: int = -1
    total: int | None = None
    total_at: Millis = 0
    total_boot: str | None = None
    left: int | None = None  # the total before it fell or leapt
    left_at: Millis = 0
    came_to: int = 0  # the total after that
    open: bool | None = None

    def hear(self, told: TurnstileSaid, at: Millis, silence_ms: Millis) -> CounterStep | None:
        """What a total adds; None for the first, one without a total, and a late one. `silence_ms`: a longer one is
        a gap."""
        if not self._is_new(told, at) or told.ins is None:
            return None
        step = None if self.total is None else self._step(self.total, told.ins, told.boot, at, silence_ms)
        self.total, self.total_at, self.total_boot = told.ins, max(at, self.total_at), told.boot
        return step

    def opens(self, told: TurnstileSaid, at: Millis) -> bool:
        """Whether a door was seen opening."""
        if not self._is_new(told, at) or told.open is None:
            return False
        before, self.open = self.open, told.open
        return told.open and before is False

    def _is_new(self, told: TurnstileSaid, at: Millis) -> bool:
        if told.boot is None or told.seq is None:
            late = at < self.heard_at
        else:
            late = told.seq <= self.seq if told.boot == self.boot else told.boot == self.older
        if late:
            return False
        if told.boot is not None and told.seq is not None:
            if told.boot != self.boot:
                self.older, self.boot = self.boot, told.boot
            self.seq = told.seq
        self.heard_at = at
        return True

    def _step(self, since: int, total: int, boot: str | None, at: Millis, silence_ms: Millis) -> CounterStep:
        at = max(at, self.total_at)
        passed, rise = at - self.total_at, total - since
        can_be = 0 <= rise <= _room(passed + LATE_MS)
        from_zero = total <= _room(passed + LATE_MS)  # it may have started anew, and counted this since
        same = None if boot is None or self.total_boot is None else boot == self.total_boot
        bound = None if passed > UNSEEN_MS else max(_room(passed), total if from_zero else 0)
        if self._is_back(since, total, at):
            least = total - (self.left or 0) - (since - self.came_to)
            self.left = None
            return CounterStep(self.total_at, at, least, max(rise, 0) if can_be and same is not False else bound)
        if can_be and (same or not from_zero or (same is None and passed <= silence_ms)):
            return CounterStep(self.total_at, at, rise, rise)
        if can_be:  # either it went on, or it started anew and passed its old total
            return CounterStep(self.total_at, at, rise, bound)
        self.left, self.left_at, self.came_to = since, self.total_at, total
        through = None if same is False else _through_its_end(since, total, passed)
        if through is not None:
            return CounterStep(self.total_at, at, 0, None if bound is None else max(bound, through))
        if rise < 0 and (same or not from_zero):
            self.left = None
            return CounterStep(self.total_at, at, rise, bound)  # it runs backwards
        return CounterStep(self.total_at, at, total if same is False and from_zero else 0, bound)

    def _is_back(self, since: int, total: int, at: Millis) -> bool:
        """Whether a total goes on from before it fell or leapt."""
        if self.left is None or at - self.left_at > BACK_MS:
            return False
        through = self.left <= total and (since < self.left or total < since)
        return through and total - self.left <= _room(at - self.left_at + LATE_MS)


def _through_its_end(since: int, total: int, passed_ms: Millis) -> int | None:
    """What came in if its register was full and began at zero again; None where that can't be. It may as well have been
    reset, so this bounds what came in and does not say it.
    """
    rises = [total + size - since for size in REGISTERS if total < since < size]
    return next((rise for rise in rises if rise <= _room(passed_ms + LATE_MS)), None)


def _room(passed_ms: Millis) -> int:
    """How many people may have come in within this time."""
    return MOST_A_SECOND * passed_ms // 1000
