"""How well stations kept their promise to be open, and how much of their equipment worked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from config.schema import Settings, StationSettings
from gateway.base.local_time import day_start, pieces
from gateway.history.activities import HeldCount
from gateway.history.first_sign import LEARNT_FROM_MS, Missing, missing
from gateway.history.promises import Promised, promised
from gateway.history.utilization import Minutes
from gateway.model import ActivityEnded, Millis, OpeningChange
from gateway.runtime import place_of
from gateway.store.activities import ended
from gateway.store.base import Reader
from gateway.store.days import store_folders
from gateway.store.openings import openings
from gateway.store.place import Asked
from gateway.store.rollup_reader import RollupReader


@dataclass(slots=True)
class Working:
    """By kind, what is known of the time in which equipment should work: `worked` and `broken`, the rest `unknown`."""

    minutes: dict[str, Minutes] = field(default_factory=dict)

    def add(self, kind: str, minutes: Minutes) -> None:
        self.minutes.setdefault(kind, Minutes()).add(minutes)

    @property
    def shares(self) -> dict[str, float | None]:
        """0 to 1 by kind; None where nothing is known."""
        return {
            kind: _share(minutes.known_open, minutes.known_open + minutes.broken)
            for kind, minutes in self.minutes.items()
        }

    @property
    def coverage(self) -> float | None:
        known = sum(minutes.known_open + minutes.broken for minutes in self.minutes.values())
        return _share(known, known + sum(minutes.unknown for minutes in self.minutes.values()))


@dataclass(frozen=True, slots=True)
class KeptPromise:
    """One station in one stretch of time."""

    station: StationSettings
    zone: ZoneInfo
    start: Millis
    end: Millis
    promised: Promised
    working: Working
    held: HeldCount
    days: Mapping[Millis, Promised]
    recorded_from: Millis | None
    """The first moment of which anything is kept, so far as it matters here; None: there is none."""

    def is_recorded(self, day: Millis) -> bool:
        """Is anything kept of the day that begins then?"""
        return self.recorded_from is not None and day_start(self.recorded_from, self.zone) <= day


def kept(
    settings: Settings,
    stations: Sequence[StationSettings],
    reader: Reader,
    window: tuple[Millis, Millis],
    *,
    by_day: bool,
) -> list[KeptPromise]:
    """A row a station, or one for each of its local days. StoreError where the store can't be read."""
    rollups = RollupReader(settings.store.path, reader)
    changes, over = changes_of(settings, stations, window), held_of(settings, stations, window)
    rows = []
    for station in stations:
        zone, days = settings.zone_of(station), dict[Millis, Promised]()
        working = _working_by_day(settings, station, rollups, window)
        whole, first = Promised(), next((change.at for change in changes[station.id]), None)
        for start, end in pieces(*window, zone, "day"):
            days[start] = done = promised(changes[station.id], start, end)
            whole.add(done)
            if by_day:
                worked = working.get(day_start(start, zone), Working())
                held = HeldCount.of(activity for activity in over[station.id] if start <= activity.start < end)
                rows.append(KeptPromise(station, zone, start, end, done, worked, held, {start: done}, first))
        if not by_day:
            held = HeldCount.of(over[station.id])
            rows.append(KeptPromise(station, zone, *window, whole, _together(working.values()), held, days, first))
    return rows


def changes_of(
    settings: Settings, stations: Sequence[StationSettings], window: tuple[Millis, Millis]
) -> dict[str, list[OpeningChange]]:
    """What history has of the promises of these stations, in every shard's folder."""
    return openings(store_folders(settings.store.path), [station.id for station in stations], *window)


def held_of(
    settings: Settings, stations: Sequence[StationSettings], window: tuple[Millis, Millis]
) -> dict[str, list[ActivityEnded]]:
    """The activities of these stations that began in the window and are over."""
    return ended(store_folders(settings.store.path), [station.id for station in stations], *window)


def without_a_sign(settings: Settings, stations: Sequence[StationSettings], now: Millis) -> dict[str, Missing]:
    """Stations that have opened, usually had a sign an hour ago at the latest, and have none."""
    changes = changes_of(settings, stations, (now - LEARNT_FROM_MS, now))
    by_station = {station.id: missing(changes[station.id], now) for station in stations}
    return {station: silent for station, silent in by_station.items() if silent is not None}


def _working_by_day(
    settings: Settings, station: StationSettings, rollups: RollupReader, window: tuple[Millis, Millis]
) -> dict[Millis, Working]:
    """By the start of each local day of which anything is told."""
    days: dict[Millis, Working] = {}
    place = place_of(settings, station)
    for resource in place.resources:
        for day, minutes in rollups.minutes(Asked([place], resource=resource.id), *window, "day").items():
            days.setdefault(day, Working()).add(resource.kind, minutes)
    return days


def _together(days: Iterable[Working]) -> Working:
    whole = Working()
    for day in days:
        for kind, minutes in day.minutes.items():
            whole.add(kind, minutes)
    return whole


def _share(part: Millis, whole: Millis) -> float | None:
    return part / whole if whole else None
