"""How well stations kept their promise to be open, and how much of their equipment worked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from config.schema import Settings, StationSettings
from gateway.base.local_time import day_start, next_day
from gateway.history.first_sign import LEARNT_FROM_MS, Missing, missing
from gateway.history.promises import Promised, promised
from gateway.history.utilization import Minutes
from gateway.model import Millis, OpeningChange
from gateway.runtime import place_of
from gateway.store.base import Reader
from gateway.store.days import CORE
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
        return {kind: _share(one.known_open, one.known_open + one.broken) for kind, one in self.minutes.items()}

    @property
    def coverage(self) -> float | None:
        known = sum(one.known_open + one.broken for one in self.minutes.values())
        return _share(known, known + sum(one.unknown for one in self.minutes.values()))


@dataclass(frozen=True, slots=True)
class KeptPromise:
    """One station in one stretch of time."""

    station: StationSettings
    start: Millis
    end: Millis
    promised: Promised
    working: Working


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
    changes = changes_of(settings, stations, window)
    rows = []
    for station in stations:
        zone = settings.zone_of(station)
        for start, end in _stretches(window, zone, by_day=by_day):
            done = promised(changes[station.id], start, end)
            rows.append(KeptPromise(station, start, end, done, _working(settings, station, rollups, (start, end))))
    return rows


def changes_of(
    settings: Settings, stations: Sequence[StationSettings], window: tuple[Millis, Millis]
) -> dict[str, list[OpeningChange]]:
    """What history has of the promises of these stations, in every shard's folder."""
    root = settings.store.path
    folders = [root, *sorted(path.parent for path in root.glob(f"*/{CORE}"))]
    return openings(folders, [station.id for station in stations], *window)


def without_a_sign(settings: Settings, stations: Sequence[StationSettings], now: Millis) -> dict[str, Missing]:
    """Stations that have opened, usually had a sign an hour ago at the latest, and have none."""
    changes = changes_of(settings, stations, (now - LEARNT_FROM_MS, now))
    found = {station.id: missing(changes[station.id], now) for station in stations}
    return {station: silent for station, silent in found.items() if silent is not None}


def by_days(changes: Sequence[OpeningChange], window: tuple[Millis, Millis], zone: ZoneInfo) -> dict[Millis, Promised]:
    """The same, day by day."""
    return {start: promised(changes, start, end) for start, end in _stretches(window, zone, by_day=True)}


def _stretches(window: tuple[Millis, Millis], zone: ZoneInfo, *, by_day: bool) -> list[tuple[Millis, Millis]]:
    start, end = window
    if not by_day:
        return [window]
    found = []
    at = day_start(start, zone)
    while at < end:
        until = next_day(at, zone)
        found.append((max(at, start), min(until, end)))
        at = until
    return found


def _working(
    settings: Settings, station: StationSettings, rollups: RollupReader, window: tuple[Millis, Millis]
) -> Working:
    working, place = Working(), place_of(settings, station)
    for one in place.resources:
        for minutes in rollups.minutes(Asked([place], resource=one.id), *window, "day").values():
            working.add(one.kind, minutes)
    return working


def _share(part: Millis, whole: Millis) -> float | None:
    return part / whole if whole else None
