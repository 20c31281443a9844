"""Which wall screens stand in a station, from their check-ins, and which of them are missed.

Anybody may open a screen's page, and names are its own choice. So a screen is a wall, which can be missed, once it has
checked in for `TRIED` times as long as it may be silent; a passer-by's browser is forgotten as soon as it falls silent.
"""

from collections import defaultdict, deque
from dataclasses import dataclass

from gateway.alerts.facts import Fact
from gateway.alerts.facts import screen as screen_fact
from gateway.model import Millis

TRIED = 3
SCREENS_MOST = 16  # of a station
FORGET_AFTER_MS = 86_400_000  # a wall that has been missed for so long was taken down
WAITING_MOST = 10_000  # check-ins between two looks


@dataclass(slots=True)
class _Screen:
    first: Millis
    last: Millis
    wall: bool = False


class Screens:
    """`check_in` may be called by any thread, the rest belongs to the intake thread."""

    def __init__(self, silent_ms: Millis) -> None:
        self._silent_ms = silent_ms
        self._waiting: deque[tuple[str, str, Millis]] = deque(maxlen=WAITING_MOST)
        self._stations: dict[str, dict[str, _Screen]] = defaultdict(dict)

    def __bool__(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self._waiting or self._stations)

    @property
    def walls(self) -> int:
        """How many hang somewhere, and are not missed for good. Any thread."""
        return sum(screen.wall for screens in list(self._stations.values()) for screen in list(screens.values()))

    def forget(self, station: str) -> None:
        """It was taken out of the configuration."""
        self._stations.pop(station, None)

    def check_in(self, station: str, name: str, at: Millis) -> None:
        self._waiting.append((station, name, at))

    def resume(self, station: str, name: str, missed_at: Millis) -> None:
        """After a start: a wall that was missed before."""
        self._stations[station][name] = _Screen(missed_at, missed_at - self._silent_ms, wall=True)

    def look(self, now: Millis) -> list[Fact]:
        """For each wall whether it is missed; a wall that is forgotten is not missed any more."""
        while self._waiting:
            self._heard(*self._waiting.popleft())
        facts = [fact for station, screens in self._stations.items() for fact in self._judged(station, screens, now)]
        for station in [station for station, screens in self._stations.items() if not screens]:
            del self._stations[station]
        return facts

    def _heard(self, station: str, name: str, at: Millis) -> None:
        screens = self._stations[station]
        screen = screens.get(name)
        if screen is not None:
            screen.last = at
            screen.wall = screen.wall or at - screen.first >= TRIED * self._silent_ms
        elif len(screens) < SCREENS_MOST or _made_room(screens):
            screens[name] = _Screen(at, at)

    def _judged(self, station: str, screens: dict[str, _Screen], now: Millis) -> list[Fact]:
        facts = []
        for name, screen in list(screens.items()):
            missed_ms = now - screen.last - self._silent_ms
            forgotten = missed_ms >= (FORGET_AFTER_MS if screen.wall else 0)
            if forgotten:
                del screens[name]
            if screen.wall:
                facts.append(screen_fact(now, missed_ms >= 0 and not forgotten, station, name))
        return facts


def _made_room(screens: dict[str, _Screen]) -> bool:
    """Drop whoever is no wall and was heard longest ago. No stranger drives a wall out."""
    strangers = [(screen.last, name) for name, screen in screens.items() if not screen.wall]
    if strangers:
        del screens[min(strangers)[1]]
    return bool(strangers)
