"""Boxes whose line came or went → facts for the alert core."""

from gateway.alerts.facts import Fact, box_offline
from gateway.live.box_lines import BoxLines
from gateway.model import Millis


class BoxWatch:
    """Belongs to the intake thread. After a start every box is news."""

    def __init__(self, lines: BoxLines) -> None:
        self._lines = lines

    def __bool__(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self._lines.news)

    def look(self, now: Millis) -> list[Fact]:
        """One for each box that is news, told as one of the first of its stations."""
        news = sorted(self._lines.news)
        self._lines.news.clear()
        return [self._fact(name, now) for name in news]

    def _fact(self, name: str, now: Millis) -> Fact:
        line = self._lines.lines.get(name)
        stations = sorted(station.id for station in self._lines.stations_of(name))
        online, since = (True, now) if line is None else (line.online, line.since)
        return box_offline(now, not online, stations, name, since)
