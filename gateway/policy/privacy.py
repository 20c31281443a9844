"""What the public may know of people in rooms and at doors: bands on a slow tick, so that nobody can be singled out.

Three rules, for every way out (document, feeds, pages, history without a key):
1. A count leaves only as a band at least `CROWD` people wide, so that 0 to 4 people look the same.
2. A band is that of the last tick, never of this moment, so that nobody sees who has just come or gone.
3. A total is added up from published bands, so that subtracting them from it tells nothing new.
Times of messages from rooms and doors are rounded down, since a message may be somebody's step through the door.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from config.kinds import named
from gateway.model import KindName, Millis, Use

CROWD = 5
"""As many people hide one (k): no band is narrower."""

PERSONAL: frozenset[KindName] = named("tells_of_persons")
"""Kinds whose messages tell of persons. A seat's own free or occupied is public by purpose."""

CrowdLevel = Literal["quiet", "some", "busy", "full"]
Coarse = Literal["open", "quiet", "busy"]
_COARSE: dict[CrowdLevel, Coarse] = {"quiet": "quiet", "some": "open", "busy": "busy", "full": "busy"}


class Band(NamedTuple):
    """From `low` to `high` people, both included; `high` None: no upper end."""

    low: int
    high: int | None


def bands(bounds: Iterable[int]) -> tuple[Band, ...]:
    """The bands with these lower bounds (`privacy.people_bands`), joined until each is wide enough."""
    lows = [0]
    for bound in sorted(bounds):
        if bound >= lows[-1] + CROWD:
            lows.append(bound)
    return tuple(Band(low, high - 1 if high else None) for low, high in zip(lows, [*lows[1:], None], strict=True))


def total(parts: Iterable[Band | None]) -> Band | None:
    """All rooms together, from what is published of each; None where one of them is not known."""
    low, high = 0, 0
    for band in parts:
        if band is None:
            return None
        low += band.low
        high = -1 if band.high is None or high < 0 else high + band.high
    return Band(low, None if high < 0 else high)


def level(band: Band, capacity: int | None) -> CrowdLevel:
    """A word for a band. Without a capacity nobody can call it busy or full."""
    if band.low == 0:
        return "quiet"
    if capacity is None or 2 * band.low < capacity:
        return "some"
    return "full" if band.low >= capacity else "busy"


def coarse(band: Band | None, capacity: int | None) -> tuple[Coarse, Use]:
    """What is shown of a room marked `coarse`: a word, and its `use`, unknown where the band can't tell full from free.

    So a room too small to hold a crowd never gives anybody away: it is only `open`.
    """
    if band is None or capacity is None or capacity < CROWD:
        return "open", "unknown"
    word = _COARSE[level(band, capacity)]
    if band.low >= capacity:
        return word, "occupied"
    return word, "free" if band.high is not None and band.high < capacity else "unknown"


def rounded(at: Millis | None, step_ms: Millis) -> Millis | None:
    """A time, rounded down: `observed_at` and `since` to the tick, `valid_until` to a quarter of the ttl."""
    return None if at is None else at - at % step_ms


class Public:
    """What the public sees of one room's count: the band as it was at the last tick. The first count shows at once."""

    __slots__ = ("_all", "_people", "_shown", "_tick", "_tick_ms")

    def __init__(self, of: tuple[Band, ...], tick_ms: Millis) -> None:
        self._all = of
        self._tick_ms = tick_ms
        self._tick: Millis | None = None
        self._people: int | None = None
        self._shown: Band | None = None

    @property
    def terms(self) -> tuple[tuple[Band, ...], Millis]:
        """The bands, and how long a tick is."""
        return self._all, self._tick_ms

    def put(self, people: int | None, now: Millis) -> None:
        """The count from now on; None: unknown."""
        self._roll(now)
        self._people = people
        if self._tick is None and people is not None:
            self._tick, self._shown = self._floor(now), self._band()

    def at(self, now: Millis) -> Band | None:
        """The band to show at `now`, which must not go back."""
        self._roll(now)
        return self._shown

    def next_tick(self, now: Millis) -> Millis:
        """When the answer may change."""
        return self._floor(now) + self._tick_ms

    def _roll(self, now: Millis) -> None:
        tick = self._floor(now)
        if self._tick is not None and tick > self._tick:
            self._tick, self._shown = tick, self._band()

    def _floor(self, now: Millis) -> Millis:
        return now - now % self._tick_ms

    def _band(self) -> Band | None:
        people = self._people
        return None if people is None else next(band for band in reversed(self._all) if band.low <= max(people, 0))
