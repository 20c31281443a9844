"""Forecasts of when something will be free, learnt anew each day from the journal, in the writer's quiet moments."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from zoneinfo import ZoneInfo

from config.kinds import named
from gateway.history.first_free import FirstFree
from gateway.history.forecast import ENOUGH, Forecast, UseSpan
from gateway.history.utilization import uses
from gateway.live import Live
from gateway.model import Interval, Millis
from gateway.store.base import Reader

KINDS = named("one_at_a_time")
DAY_MS = 86_400_000
LOOK_BACK_MS = 39 * DAY_MS  # a reader keeps forty days open
FIRST_AFTER_MS = 60_000  # once the start is over
MOST = 2_000  # sessions, the newest: a tenth of a second of learning

Group = tuple[str, str, str | None]  # station, kind, type


def sessions_of(intervals: Iterable[Interval]) -> list[UseSpan]:
    """Uses whose beginning and end were both seen: from free to taken, and from taken to free."""
    return [UseSpan(use.start, use.end) for use in uses(intervals) if use.whole and use.end is not None]


class Forecasts:
    """`tidy` is a chore: one resource's history, or one group's learning, at a time."""

    def __init__(self, live: Live, opened: Callable[[], Reader], zones: Mapping[str, ZoneInfo]) -> None:
        """`opened`: a reader of all that is known of these stations, in whichever folder; another for each learning."""
        self._live, self._opened, self._zones = live, opened, zones
        self._reader: Reader | None = None
        self._due: Millis | None = None
        self._resources: list[tuple[Group, str]] = []
        self._sessions: dict[Group, list[list[UseSpan]]] = defaultdict(list)  # of each resource

    def follow(self, zones: Mapping[str, ZoneInfo]) -> None:
        """The stations that there are now. Any thread."""
        self._zones = zones

    def again(self) -> None:
        """More is known than a moment ago. Any thread."""
        self._due = 0

    def tidy(self, now: Millis) -> bool:
        """True if there is more. StoreError."""
        if self._resources:
            group, resource = self._resources.pop()
            self._sessions[group].append(sessions_of(self._history(group[0], resource, now)))
            return True
        self.close()
        if self._sessions:
            self._learn(*self._sessions.popitem())
            return bool(self._sessions)
        if self._due is None:
            self._due = now + FIRST_AFTER_MS
        if now < self._due:
            return False
        self._due = now + DAY_MS
        self._resources = [
            ((station.id, facts.resource.kind, facts.resource.type), facts.resource.id)
            for station in list(self._live.stations.values())  # they may change on another thread
            for facts in station.facts()
            if facts.resource.kind in KINDS
        ]
        return bool(self._resources)

    def _history(self, station: str, resource: str, now: Millis) -> Sequence[Interval]:
        reader = self._reader = self._reader or self._opened()
        return reader.history(station, resource, now - LOOK_BACK_MS, now)

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _learn(self, group: Group, members: list[list[UseSpan]]) -> None:
        """One assignment, since the documents are made on another thread."""
        name, kind, type_ = group
        sessions = sorted(chain.from_iterable(members))
        zone, station = self._zones.get(name), self._live.stations.get(name)
        if len(sessions) >= ENOUGH and zone is not None and station is not None:
            forecasts = Forecast(sessions[-MOST:], zone), FirstFree(members, zone, MOST)
            station.forecasts = {**station.forecasts, (kind, type_): forecasts}
