"""Visits (人次): ways in, for each entrance and local day an interval that holds the truth. Pure.

A sensor's count is no truth: it misses people and counts some twice. What it may have got wrong is said as `ErrorPct`,
and what chance adds to that is allowed for. The sensors of one entrance are intersected; where they don't meet, one of
them lies, and both are told. Entrances are added. What leaves is a band whose edges are multiples of `CROWD`: any two
bands of the same people overlap in at least so many, so no combination of answers tells of fewer.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.model import Millis
from gateway.policy.privacy import CROWD, Band

MOST_A_SECOND = 1
"""No more people than this come in through one entrance, for as long as `UNSEEN_MS`."""
UNSEEN_MS = 10 * 60_000
"""What passed in a longer time that nobody saw is bounded by nothing."""
SPREAD = 3.0
"""Standard deviations of chance that are allowed for, on either side, and one person more for small numbers."""
WATCHED = 0.95
"""A reader that was live for a smaller part of the open time may have let in more."""


class ErrorPct(NamedTuple):
    """How many of 100 people a sensor misses at most, and how many it counts twice at most."""

    missed: float
    double: float


COUNTER = ErrorPct(2, 5)
CARD = ErrorPct(10, 2)
"""One follows another on the same card; a card is held up twice."""
OPENING = ErrorPct(0, 25)
"""Some openings of a door let nobody through."""


@dataclass(frozen=True, slots=True)
class VisitBounds:
    """Visits as one sensor or one entrance tells them: from `low` to `high`, None where nothing bounds them.

    `coverage`: the part of the open time that was watched, 0 to 1; None where it was closed all day.
    """

    low: int
    high: int | None
    coverage: float | None


def counted(least: int, most: int | None, error: ErrorPct, coverage: float | None) -> VisitBounds:
    """What a sensor's count from `least` to `most` says of the people, who are whole."""
    high = None if most is None else _most_people(max(0, most), error.missed / 100)
    return VisitBounds(_fewest_people(max(0, least), error.double / 100), high, coverage)


def by_totals(least: int, most: int, unseen_ms: Millis, seen_ms: Millis, error: ErrorPct) -> VisitBounds:
    """A counter of totals. `seen_ms`, `unseen_ms`: open time over which its totals tell, and do not."""
    bound = None if unseen_ms > UNSEEN_MS else most + unseen_ms * MOST_A_SECOND // 1000
    open_ms = seen_ms + unseen_ms
    return counted(least, bound, error, seen_ms / open_ms if open_ms else None)


def by_cards(cards: int, error: ErrorPct, coverage: float | None, *, only_way: bool) -> VisitBounds:
    """Cards that were let in, or passages that a counter told one by one. `only_way`: whoever comes in is told."""
    watched = coverage is None or coverage >= WATCHED
    return counted(cards, cards if only_way and watched else None, error, coverage)


def by_openings(openings: int, error: ErrorPct, coverage: float | None) -> VisitBounds:
    """Visits by a door's openings. Each visitor comes in and goes out, so an opening stands for half a visit at least
    and any number at most."""
    return counted(openings // 2, None, error, coverage)


def entrance(parts: Sequence[VisitBounds]) -> tuple[VisitBounds, bool]:
    """What the sensors of one entrance (one at least) tell together, and whether they agree."""
    low = max(part.low for part in parts)
    highs = [part.high for part in parts if part.high is not None]
    high = min(highs, default=None)
    watched = [part.coverage for part in parts if part.coverage is not None]
    coverage = max(watched, default=None)
    if high is None or low <= high:
        return VisitBounds(low, high, coverage), True
    widest = max(highs) if len(highs) == len(parts) else None
    return VisitBounds(min(part.low for part in parts), widest, coverage), False


def published(bounds: VisitBounds) -> Band:
    """What may be told of an entrance's day: both edges lie between two crowds."""
    low = bounds.low - bounds.low % CROWD
    return Band(low, None if bounds.high is None else bounds.high - bounds.high % CROWD + CROWD - 1)


def mean_coverage(parts: Iterable[float | None]) -> float | None:
    """The mean coverage of days or entrances, which weigh alike; closed ones (None) are left out."""
    known = [part for part in parts if part is not None]
    return sum(known) / len(known) if known else None


def _fewest_people(count: int, double: float) -> int:
    """The smallest number of people of whom a sensor that counts some twice may count so many."""
    if not double:
        return count
    return max(0, math.floor(_people(count, 1 + double, SPREAD * math.sqrt(double * (1 - double)))) - 1)


def _most_people(count: int, missed: float) -> int:
    """The largest number of people of whom a sensor that misses some may count so few."""
    if not missed:
        return count
    return math.ceil(_people(count, 1 - missed, -SPREAD * math.sqrt(missed * (1 - missed)))) + 1


def _people(count: int, share: float, spread: float) -> float:
    """n with share·n + spread·√n = count."""
    root = (math.sqrt(spread * spread + 4 * share * count) - spread) / (2 * share)
    return root * root
