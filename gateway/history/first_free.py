"""When the first of several in use will be free. Pure.

The first of twelve to end is not the one that looks nearest its end: the chance that all of them go on is the product
of each one's chance, and the middle of that comes much sooner than any single one's. People who come and go together
are not independent, so nothing is told on faith: every time in the past at which all were taken is forecast from the
rest of the past, the interval is widened until it would have covered `COVERAGE` of them, and where a last third that
was held back does not bear it out, or all were taken too seldom, there is no forecast.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.history.forecast import (
    COVERAGE,
    FOLDS,
    LOOK_EVERY_MS,
    Pools,
    Remaining,
    UseSpan,
    part_of_day,
    pools_of,
    quantile,
    survivors,
)
from gateway.model import Millis

SPELLS = 30  # times at which all were taken; with fewer there is no forecast
BORNE_OUT = 0.65  # of the looks at the last third: what COVERAGE may come to by chance
WIDEST = 0.98  # an interval that must take in more of the past than that says nothing
PRESENT = 0.75  # of those that were ever used: with more of them out of order it is another group
STEP_MS = 15_000


class Spell(NamedTuple):
    """All were in use, since `starts`, from `begin` on; at `end` the first one was free."""

    starts: tuple[Millis, ...]
    begin: Millis
    end: Millis


# How long those uses lasted that lasted as long as one in use now: durations, the first longer one, how long it lasts.
Lasting = list[tuple[list[Millis], int, Millis]]


class FirstFree:
    """What the uses of one group teach. `members` are the past sessions of each of its resources."""

    def __init__(self, members: Sequence[Sequence[UseSpan]], zone: ZoneInfo, most: int) -> None:
        """`most` sessions, the newest, are learnt from."""
        used = [sorted(sessions) for sessions in members if sessions]
        past = sorted(chain.from_iterable(used))[-most:]
        self._zone, self.size = zone, len(used)
        self._pools = pools_of(past, zone)
        spells = [spell for spell in spells_of(used) if past and spell.begin >= past[0].start]
        self.spells = len(spells)
        self.level = _level(past, spells, zone)

    def remaining(self, starts: Sequence[Millis], now: Millis) -> Remaining | None:
        """Until the first of those in use since `starts` ends; None where the past does not bear a forecast."""
        if self.level is None or not PRESENT * self.size <= len(starts) <= self.size:
            return None
        lasting = _lasting(self._pools, starts, now, self._zone)
        if not lasting:
            return None
        shares = (1 - self.level) / 2, 0.5, (1 + self.level) / 2
        return Remaining(*[_when(lasting, share) for share in shares])


def spells_of(members: Sequence[Sequence[UseSpan]]) -> list[Spell]:
    """Every time at which all members were in use, in order."""
    events = sorted(
        event
        for number, sessions in enumerate(members)
        for session in sessions
        for event in ((session.start, 1, number), (session.end, 0, number))
    )
    spells, taken, begin = [], dict[int, Millis](), 0
    for at, starts, number in events:
        if starts:
            taken[number], begin = at, at
            continue
        if len(taken) == len(members) and at > begin:
            spells.append(Spell(tuple(taken.values()), begin, at))
        taken.pop(number, None)
    return spells


def _lasting(pools: Pools, starts: Sequence[Millis], now: Millis, zone: ZoneInfo) -> Lasting:
    """How long uses lasted that had gone on as long as each present one. A use that outlasts nearly all past ones is
    left out."""
    lasting: Lasting = []
    for start in starts:
        elapsed = max(0, now - start)
        lasted = survivors(pools, part_of_day(start, zone), elapsed)
        if lasted is not None:
            lasting.append((*lasted, elapsed))
    return lasting


def _ended(lasting: Lasting, wait: Millis) -> float:
    """The chance that at least one has ended after `wait`."""
    none_did = 1.0
    for durations, first, elapsed in lasting:
        none_did *= (len(durations) - max(first, bisect_right(durations, elapsed + wait))) / (len(durations) - first)
    return 1 - none_did


def _when(lasting: Lasting, share: float) -> Millis:
    """The wait after which one has ended with the chance of `share`, to STEP_MS."""
    low, high = 0, min(durations[-1] - elapsed for durations, _, elapsed in lasting) // STEP_MS + 1
    while low < high:
        middle = (low + high) // 2
        if _ended(lasting, middle * STEP_MS) >= share:
            high = middle
        else:
            low = middle + 1
    return low * STEP_MS


def _level(past: Sequence[UseSpan], spells: Sequence[Spell], zone: ZoneInfo) -> float | None:
    """How wide the middle part must be, None where no width can be trusted."""
    if len(spells) < SPELLS:
        return None
    folds = [spells[len(spells) * n // FOLDS : len(spells) * (n + 1) // FOLDS] for n in range(FOLDS)]
    cut = FOLDS * 2 // 3
    distances = [_distances(past, fold, zone) for fold in folds]
    learnt, held_back = (sorted(chain.from_iterable(part)) for part in (distances[:cut], distances[cut:]))
    every = sorted([*learnt, *held_back])
    if not learnt or not held_back:
        return None
    level = quantile(every, COVERAGE)
    borne_out = bisect_right(held_back, quantile(learnt, COVERAGE)) / len(held_back)
    return level if borne_out >= BORNE_OUT and level <= WIDEST else None


def _distances(past: Sequence[UseSpan], fold: Sequence[Spell], zone: ZoneInfo) -> list[float]:
    """How far out each true end lay, 0 at the middle and 1 at the rim, by what the rest of the past says."""
    begin, end = min(fold[0].starts), fold[-1].end
    pools = pools_of([spell for spell in past if spell.end <= begin or spell.start >= end], zone)
    distances = []
    for spell in fold:
        for now in range(spell.begin, spell.end, LOOK_EVERY_MS):
            lasting = _lasting(pools, spell.starts, now, zone)
            if lasting:
                distances.append(abs(2 * _ended(lasting, spell.end - now) - 1))
    return distances
