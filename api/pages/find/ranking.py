"""Who comes first: where one is served soonest, on foot and with waiting. Full and closed ones follow, too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from msgspec import UNSET

from api.geo import LatLon, distance_m
from api.pages.find.needs import TOILET, matches
from api.pages.place import PagePlace
from gateway.base.times import from_rfc3339
from gateway.live.station_document import SummaryLine
from gateway.model import Millis, Usable

DETOUR: Final = 1.3
"""How much longer the way is than the line."""
WALK_M_MIN: Final = 75
UNKNOWN_MIN: Final = 10
"""What is not known costs as much as ten minutes' walk: a free one nearer than that comes first."""
FULL_MIN: Final = 30
"""How long one waits where nobody knows better."""
CLOSED_MIN: Final = 240
MINUTE_MS: Final = 60_000

State = Literal["free", "unknown", "full", "closed"]


class Standing(Protocol):
    """One station as the live view has it. `deadline`: until when it may be told so."""

    @property
    def station(self) -> str: ...
    @property
    def summary(self) -> Sequence[SummaryLine]: ...
    @property
    def open_now(self) -> Usable: ...
    @property
    def deadline(self) -> Millis | None: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for. `need` a key of needs.py or empty, `words` in lower case, `region` one of any level."""

    need: str = ""
    words: tuple[str, ...] = ()
    region: str = ""
    near: LatLon | None = None


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """`metres` and `walk_min` as the crow flies and on foot, None without a position."""

    place: PagePlace
    standing: Standing
    state: State
    metres: float | None
    walk_min: int | None
    cost_min: float


def ranked(wish: Wish, places: Iterable[tuple[PagePlace, Standing]], now: Millis) -> list[FoundPlace]:
    """All that suit; equal ones stay in the order of the configuration."""
    suiting = [_found(wish, place, standing, now) for place, standing in places if _suits(wish, place, standing)]
    return sorted(suiting, key=lambda spot: spot.cost_min)


def _suits(wish: Wish, place: PagePlace, standing: Standing) -> bool:
    if wish.region and wish.region not in place.region:
        return False
    if not all(word in place.words for word in wish.words):
        return False
    if wish.need == TOILET:
        return bool(place.toilets)
    return not wish.need or any(matches(wish.need, line) for line in standing.summary)


def _found(wish: Wish, place: PagePlace, standing: Standing, now: Millis) -> FoundPlace:
    lines = [line for line in standing.summary if not wish.need or matches(wish.need, line)]
    state = state_of(lines[:1] if not wish.need else lines, standing.open_now)
    metres = None
    if wish.near is not None and place.lat is not None and place.lon is not None:
        metres = distance_m(wish.near, (place.lat, place.lon))
    walk = 0.0 if metres is None else metres * DETOUR / WALK_M_MIN
    far = 1e6 if wish.near is not None and metres is None else 0.0  # nobody knows where it is
    cost = walk + far + _wait_min(state, lines, now)
    return FoundPlace(place, standing, state, metres, None if metres is None else max(1, round(walk)), cost)


def state_of(lines: Sequence[SummaryLine], open_now: Usable) -> State:
    """The best state of these kinds."""
    if any(line.usable_min for line in lines):
        return "free"
    if any(line.usable_max for line in lines) or not lines:
        return "unknown"
    return "closed" if open_now == "no" else "full"


def _wait_min(state: State, lines: Sequence[SummaryLine], now: Millis) -> float:
    if state == "full":
        ahead = [from_rfc3339(line.next_free.at) - now for line in lines if line.next_free is not UNSET]
        return max(5.0, min(ahead) / MINUTE_MS) if ahead else FULL_MIN
    return {"free": 0, "unknown": UNKNOWN_MIN, "closed": CLOSED_MIN}[state]
