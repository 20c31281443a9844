"""Which rooms fit a group at a time: by their size, what is in them, their hours, their calendars, and what is so now.

A room is free (`yes`) only where its hours and calendars say so for all of the time; where anything of that is not
known it is `unknown`, with what is missing, and stands after those that are free. What is closed, booked, broken or too
small is no answer. Pure but for the functions that it is given.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from api.geo import LatLon, distance_m
from config.schema import AreaSettings, ResourceSettings, Settings, StationSettings
from gateway.live.station_document import ShownResource, StationDocument
from gateway.model import Millis
from gateway.policy.activities import Activity
from gateway.policy.hours.opening import Opening

SOON_MS: Final = 5 * 60_000
"""What begins so soon is asked of the present, too."""
AHEAD_MS: Final = 14 * 86_400_000
"""So far ahead calendars are read."""
NOW_REASONS: Final = frozenset({"planned", "removed", "fault", "maintenance"})

FreeWord = Literal["yes", "unknown"]


@dataclass(frozen=True, slots=True)
class RoomQuestion:
    """[start, end); `people` None for any size; `features` must all be there; `radius_m` needs `near`."""

    start: Millis
    end: Millis
    people: int | None = None
    features: frozenset[str] = frozenset()
    near: LatLon | None = None
    radius_m: float | None = None


@dataclass(frozen=True, slots=True)
class RoomAnswer:
    """One room. `because`: what `free` rests on, or what is not known; `shown` is it in the present document."""

    station: StationSettings
    area: AreaSettings
    room: ResourceSettings
    capacity: int | None
    free: FreeWord
    because: tuple[str, ...]
    away_m: float | None


@dataclass(frozen=True, slots=True)
class RoomSources:
    """`documents(station)` is what may be shown now, None where there is none; `hours` of an area with its own, or of
    the station; `activities` by area, None where no calendar is read here."""

    settings: Settings
    documents: Callable[[str], StationDocument | None]
    hours: Callable[[StationSettings, AreaSettings | None], Opening | None]
    activities: Callable[[str], dict[str, Sequence[Activity]]] | None


def rooms(asked: RoomQuestion, sources: RoomSources, now: Millis, most: int) -> list[RoomAnswer]:
    """Free ones first, then the unknown; in each the nearest first, else in the order of the configuration."""
    free: list[RoomAnswer] = []
    unknown: list[RoomAnswer] = []
    for station, away in _near(asked, sources.settings.stations):
        look = _Look(asked, sources, station, now)
        for area, room, capacity in _fitting(asked, station):
            reasons = look.reasons(area, room, capacity)
            if reasons is None:
                continue
            doubts = tuple(reason for reason in reasons if reason not in RESTS_ON)
            told = RoomAnswer(
                station, area, room, capacity, "unknown" if doubts else "yes", doubts or tuple(reasons), away
            )
            (unknown if doubts else free).append(told)
        if len(free) >= most:
            break
    return (free + unknown)[:most]


RESTS_ON: Final = ("open", "not_booked", "no_calendar", "free_now")
"""Reasons of a room that is free; each other one is a doubt."""


def _near(asked: RoomQuestion, stations: Iterable[StationSettings]) -> Iterator[tuple[StationSettings, float | None]]:
    """Stations within reach; those without a place only where nobody asks for a radius."""
    near = []
    for order, station in enumerate(stations):
        place = station.location
        away = None if asked.near is None or place is None else distance_m(asked.near, (place.lat, place.lon))
        if asked.radius_m is None or (away is not None and away <= asked.radius_m):
            near.append((float("inf") if away is None else away, order, station, away))
    near.sort(key=lambda item: item[:2])
    for _, _, station, away in near:
        yield station, away


def _fitting(
    asked: RoomQuestion, station: StationSettings
) -> Iterator[tuple[AreaSettings, ResourceSettings, int | None]]:
    """Rooms that have what is asked for, and are not known to be too small."""
    if station.lifecycle != "active":
        return
    for area in station.areas:
        for room in area.resources:
            if room.kind != "room" or room.lifecycle != "active" or not asked.features <= set(room.features):
                continue
            capacity = room.capacity if room.capacity is not None else area.capacity
            if asked.people is None or capacity is None or capacity >= asked.people:
                yield area, room, capacity


@dataclass(slots=True)
class _Look:
    """One station looked at: what is asked for several of its rooms is asked once."""

    asked: RoomQuestion
    sources: RoomSources
    station: StationSettings
    now: Millis
    shown: dict[str, ShownResource] = field(default_factory=dict)
    activities: dict[str, Sequence[Activity]] | None = None
    begun: bool = False

    def reasons(self, area: AreaSettings, room: ResourceSettings, capacity: int | None) -> list[str] | None:
        """Why it is free or in doubt; None where it is not free."""
        reasons: list[str] = []
        for part in (self._hours(area), self._bookings(area), self._present(room)):
            if part is None:
                return None
            reasons += part
        if self.asked.people is not None and capacity is None:
            reasons.append("capacity_unknown")
        return reasons

    def _hours(self, area: AreaSettings) -> list[str] | None:
        opening = self.sources.hours(self.station, area) or self.sources.hours(self.station, None)
        at, doubt = self.asked.start, opening is None
        while opening is not None and at < self.asked.end:
            state = opening.at(at)
            if state.now == "no":
                return None
            doubt = doubt or state.now == "unknown"
            if state.until is None:
                break
            at = state.until
        return ["hours_unknown"] if doubt else ["open"]

    def _bookings(self, area: AreaSettings) -> list[str] | None:
        if not area.calendar:
            return ["no_calendar"]
        self._begin()
        if self.activities is None:
            return ["calendar_unread"]
        booked = self.activities.get(area.id, ())
        asked = self.asked
        if any(activity.reserves and activity.start < asked.end and activity.end > asked.start for activity in booked):
            return None
        return ["not_booked"] if asked.end <= self.now + AHEAD_MS else ["calendar_too_far"]

    def _present(self, room: ResourceSettings) -> list[str] | None:
        """What is so now, where the time asked for begins now; what is broken may be so for long."""
        self._begin()
        shown = self.shown.get(room.id)
        now = self.asked.start <= self.now + SOON_MS and self.asked.end > self.now
        if shown is None:
            return ["never"] if now else []
        if NOW_REASONS & set(shown.because):
            return None
        if not now:
            return []
        if shown.usable == "no":
            return None
        return ["free_now"] if shown.usable == "yes" else list(shown.because) or ["use_unknown"]

    def _begin(self) -> None:
        if self.begun:
            return
        self.begun = True
        document = self.sources.documents(self.station.id)
        self.shown = {} if document is None else {resource.id: resource for resource in document.resources()}
        if self.sources.activities is not None:
            self.activities = self.sources.activities(self.station.id)
