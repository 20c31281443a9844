"""Where the next one belongs and when to open: in which time nothing of a kind was free, and how much is used when a
place opens and closes. Plain counting on intervals, with what is not known beside it. Pure.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from gateway.base.local_time import HOUR_MS
from gateway.history.utilization import Minutes, Part, measure, part_of
from gateway.model import Interval, Millis

EDGE_MS: Final = HOUR_MS // 2
"""The first and the last part of an opening that is told."""
SHUT_MS: Final = HOUR_MS
"""A place that closes for less has not closed for the day."""
WEEK_MS: Final = 7 * 24 * HOUR_MS

StateHistory = Sequence[Interval]
"""What one resource was, in order."""


@dataclass(frozen=True, slots=True)
class Saturation:
    """What is known of the resources of one kind: `full`: one at least was in use and none free; `known`: that, or one
    was free;
    `unknown`: none was free as far as is known. Closed time, and time in which all were broken, is in none."""

    full: Millis = 0
    known: Millis = 0
    unknown: Millis = 0
    open_share: float = 0.0
    """The part of the window that was open, as far as is known."""

    @property
    def full_per_week(self) -> Millis | None:
        """As if all open time of the window were known; None where nothing is."""
        return None if not self.known else round(WEEK_MS * self.full / self.known * self.open_share)

    @property
    def coverage(self) -> float | None:
        whole = self.known + self.unknown
        return self.known / whole if whole else None


@dataclass(frozen=True, slots=True)
class Edges:
    """The first and last half hours of openings: what was used of all places in them."""

    openings: int = 0
    first: Minutes = field(default_factory=Minutes)
    last: Minutes = field(default_factory=Minutes)


def saturation(histories: Sequence[StateHistory], start: Millis, end: Millis) -> Saturation:
    """How long resources that stand side by side were all in use, in [start, end)."""
    full = known = unknown = 0
    for begin, until, parts in _stretches(histories, start, end):
        length = until - begin
        if parts["free"]:
            known += length
        elif parts["unknown"]:
            unknown += length
        elif parts["occupied"]:
            full += length
            known += length
    return Saturation(full, known, unknown, (known + unknown) / (end - start) if end > start else 0.0)


def edges(histories: Sequence[StateHistory], start: Millis, end: Millis) -> Edges:
    """Openings that begin and end in the window; none of what never closes."""
    openings = list(_openings(histories, start, end))
    told = Edges(len(openings))
    for begin, until in openings:
        for history in histories:
            told.first.add(measure(history, begin, min(begin + EDGE_MS, until)))
            told.last.add(measure(history, max(begin, until - EDGE_MS), until))
    return told


def _openings(histories: Sequence[StateHistory], start: Millis, end: Millis) -> Iterator[tuple[Millis, Millis]]:
    """From closing to closing; a stretch of which nothing is known may have been anything, so it ends none."""
    spans: list[tuple[bool, Millis, Millis]] = []
    told = ((parts["closed"] == len(histories), a, b) for a, b, parts in _stretches(histories, start, end))
    for shut, group in groupby(told, key=lambda moment: moment[0]):
        whole = list(group)
        span = shut, whole[0][1], whole[-1][2]
        if shut and span[2] - span[1] < SHUT_MS and spans:
            spans[-1] = spans[-1][0], spans[-1][1], span[2]
        elif spans and spans[-1][0] == shut:
            spans[-1] = shut, spans[-1][1], span[2]
        else:
            spans.append(span)
    for number in range(1, len(spans) - 1):
        shut, begin, until = spans[number]
        if not shut:
            yield begin, until


def _stretches(
    histories: Sequence[StateHistory], start: Millis, end: Millis
) -> Iterator[tuple[Millis, Millis, Counter[Part]]]:
    """[start, end) cut wherever one of them changes, with how many are in each part. What no interval covers is
    unknown."""
    changes: list[tuple[Millis, int, Part]] = []
    for number, history in enumerate(histories):
        at = start
        for interval in history:
            if interval.end <= start or interval.start >= end:
                continue
            if interval.start > at:
                changes.append((at, number, "unknown"))
            changes.append((max(interval.start, start), number, part_of(interval.axes)))
            at = interval.end
        if at < end:
            changes.append((at, number, "unknown"))
    present: list[Part] = ["unknown"] * len(histories)
    parts = Counter[Part](present)
    at = start
    for moment, group in groupby(sorted(changes, key=lambda change: change[:2]), key=lambda change: change[0]):
        if moment > at:
            yield at, moment, parts
            at = moment
        for _, number, part in group:
            parts[present[number]] -= 1
            parts[part] += 1
            present[number] = part
    if at < end and histories:
        yield at, end, parts
