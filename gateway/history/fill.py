"""How full that was which holds several: people in a room, units of lockers and bays. Pure arithmetic on levels.

A level is what a count says from its moment on, until the next one. It counts only where the resource's own state is
known and open, so what is stale, out of order or closed is in neither sum.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from gateway.history.utilization import Minutes, measure, part_of
from gateway.model import Interval, Millis
from gateway.policy.activities import GRACE_MS

LOOK_BACK_MS = 3_600_000
"""So far back one looks for the beginning of a booking that was given up."""
_GIVEN_UP_WITHIN_MS = 300_000  # after its grace, at the latest


class Level(NamedTuple):
    """From `at` on `taken` of `size` are taken; None: not known."""

    at: Millis
    taken: int | None
    size: int


@dataclass(slots=True)
class _Span:
    start: Millis
    end: Millis
    level: Level


def fill(intervals: Sequence[Interval], levels: Sequence[Level], start: Millis, end: Millis, *, units: bool) -> Minutes:
    """What a resource that holds several adds up to inside [start, end); `levels` in order, the first at or before.

    `units`: half of them taken for an hour is half an hour of being occupied. Else it is occupied while anybody is
    there, and a use begins when the first one comes.
    """
    total = measure(intervals, start, end)
    total.no_shows = _no_shows(intervals, levels, start, end)
    counted, empty, arrivals = False, False, 0
    for interval in intervals:
        part = part_of(interval.axes)
        if part not in ("occupied", "free"):
            empty = False
            continue
        for span in _spans(levels, max(interval.start, start), min(interval.end, end)):
            length, taken, size = span.end - span.start, span.level.taken or 0, span.level.size
            counted = True
            total.in_use += length if taken else 0
            total.taken += min(taken, size) * length
            total.places += size * length
            if interval.axes.use in ("free", "occupied"):
                share = min(taken, size) * length // size if units else length if taken else 0
                setattr(total, part, getattr(total, part) - length)
                total.occupied += share
                total.free += length - share
            if not units and taken and empty and span.start > start:
                arrivals += 1
            empty = not taken
    if counted and not units:
        total.sessions = arrivals
    return total


def _spans(levels: Sequence[Level], start: Millis, end: Millis) -> list[_Span]:
    """The known levels inside [start, end)."""
    spans = []
    at = start
    while at < end:
        number = bisect_right(levels, at, key=lambda level: level.at)
        until = min(end, levels[number].at) if number < len(levels) else end
        level = levels[number - 1] if number else None
        if level is not None and level.taken is not None and level.size > 0:
            spans.append(_Span(at, until, level))
        at = until
    return spans


def _no_shows(intervals: Sequence[Interval], levels: Sequence[Level], start: Millis, end: Millis) -> int:
    """Bookings that were given up inside [start, end): reserved for the time of grace, nobody seen, then free."""
    no_shows = 0
    for before, after in pairwise(intervals):
        held = before.end - before.start
        given_up = before.axes.use == "reserved" and before.end == after.start and part_of(after.axes) == "free"
        if not given_up or not start <= before.end < end or not GRACE_MS <= held <= GRACE_MS + _GIVEN_UP_WITHIN_MS:
            continue
        no_shows += all(not span.level.taken for span in _spans(levels, before.start, before.end))
    return no_shows
