"""One station as the configuration has it: a live state that has heard nothing yet, not part of anything."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from config.kinds import SPECS
from config.resources import values_of
from config.schema import AreaSettings, OverrideSettings, ResourceSettings, Settings, StationSettings
from gateway.base.local_time import HOUR_MS
from gateway.evidence.checks import CheckState, OpenDays
from gateway.evidence.facts import Facts
from gateway.evidence.opening import MINUTE_MS, Patience, Promise
from gateway.kinds import KINDS
from gateway.live import Area, Device, PlaceOpening, Station
from gateway.live.checks import ask_of
from gateway.model import KindName, Millis, Resource
from gateway.policy.override import CONFIGURATION, Override, OverrideTarget
from gateway.policy.privacy import PERSONAL, Public, bands
from gateway.wire import Signals

OpeningOf = Callable[[StationSettings, AreaSettings | None], PlaceOpening | None]


@dataclass(frozen=True, slots=True)
class StationPlan:
    """A station with the devices that speak there, by their ids, and what the configuration itself overrides."""

    station: Station
    devices: dict[str, Device]
    by_hand: tuple[tuple[OverrideTarget, Override], ...]


class StationPlans:
    """Makes one for each configured station. `opening` gives the hours of a station, or of an area with its own."""

    def __init__(self, settings: Settings, opening: OpeningOf, now: Millis) -> None:
        self._settings, self._opening, self._now = settings, opening, now
        self._tick_ms = round(settings.privacy.tick_s * 1000)
        self._bands = bands(settings.privacy.people_bands)
        self._days: dict[tuple[PlaceOpening, ZoneInfo], OpenDays] = {}  # places with the same hours share them
        promises = settings.promises
        self._patience = Patience(promises.hold_min * MINUTE_MS, promises.patience_min * MINUTE_MS, self._tick_ms)

    def of(self, configured: StationSettings) -> StationPlan:
        station = Station(configured.id, dict(configured.name), region=configured.region, tick_ms=self._tick_ms)
        station.promise = Promise(self._patience)
        if configured.location is not None:
            station.location = configured.location.model_dump(exclude_none=True)
        hours = self._opening(configured, None)
        if hours is not None:
            station.opening = hours
        speakers: dict[str, list[Facts]] = defaultdict(list)
        for part in configured.areas:
            area = Area(part.id, dict(part.name), self._opening(configured, part))
            for item in part.resources:
                facts = self._guarded(resource_of(self._settings, configured, part, item))
                area.facts.append(facts)
                speakers[facts.resource.device].append(facts)
            station.areas.append(area)
        self._ask_checks(configured, station)
        return StationPlan(
            station,
            {
                name: Device(station.id, name, fed, decoder({facts.resource.kind for facts in fed}))
                for name, fed in speakers.items()
            },
            tuple(_by_hand(configured)),
        )

    def _guarded(self, resource: Resource) -> Facts:
        """What the public may know of people, as configured. Nothing heard of it yet."""
        step_ms = max(1, resource.ttl_ms // 4) if resource.kind in PERSONAL else 1
        facts = Facts(resource, KINDS[resource.kind], step_ms)
        if SPECS[resource.kind].holds_people:
            facts.known.guard(Public(self._bands, self._tick_ms))
        return facts

    def _ask_checks(self, configured: StationSettings, station: Station) -> None:
        """What people look at there, and of which resources."""
        key = station.opening, self._settings.zone_of(configured)
        days = self._days.get(key) or self._days.setdefault(key, OpenDays(*key))
        for asked in configured.checks:
            period_ms = asked.every_h * HOUR_MS
            station.checks[asked.id] = CheckState(
                station.id, asked.id, asked.of, period_ms, days, self._now, entry=asked.entry
            )  # fmt: skip
        for facts in station.facts():
            ask_of(facts, station)


def _by_hand(station: StationSettings) -> Iterable[tuple[OverrideTarget, Override]]:
    """What the configuration itself overrides."""
    targets: list[tuple[OverrideTarget, OverrideSettings | None]] = [(OverrideTarget(station.id), station.override)]
    targets += [(OverrideTarget(station.id, area.id), area.override) for area in station.areas]
    targets += [
        (OverrideTarget(station.id, None, resource.id), resource.override)
        for area in station.areas
        for resource in area.resources
    ]
    for target, said in targets:
        if said is not None:
            until = round(said.until.timestamp() * 1000) if said.until is not None else None
            yield target, Override(said.status, until, CONFIGURATION, said.reason or "")


def resource_of(settings: Settings, station: StationSettings, area: AreaSettings, item: ResourceSettings) -> Resource:
    """What the core keeps of a configured resource, defaults filled in."""
    return Resource(**values_of(settings, station, area, item))


_decoders: dict[frozenset[KindName], Callable[[bytes], Any]] = {}


def decoder(kinds: Iterable[KindName]) -> Callable[[bytes], Any]:
    """A decoder for the state messages of a device that feeds resources of these kinds. One object for each set."""
    wanted = frozenset(kinds)
    if wanted not in _decoders:
        shapes = [KINDS[kind].Shape for kind in sorted(wanted)]
        shape = shapes[0] if len(shapes) == 1 else _joined(shapes)
        _decoders[wanted] = msgspec.json.Decoder(shape).decode
    return _decoders[wanted]


def _joined(shapes: list[type[msgspec.Struct]]) -> type[msgspec.Struct]:
    own = {field.name for field in msgspec.structs.fields(Signals)}
    every = {field.name: field for shape in shapes for field in msgspec.structs.fields(shape) if field.name not in own}
    fields = [(field.name, field.type, msgspec.UNSET) for field in every.values()]
    names = {field.name: field.encode_name for field in every.values()}
    return msgspec.defstruct("Shape", fields, bases=(Signals,), gc=False, forbid_unknown_fields=True, rename=names.get)
