"""From the configuration to a live state that has heard nothing yet."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from config.building import building
from config.kinds import SPECS
from config.mistakes import KeyPath
from config.resources import values_of
from config.schema import AreaSettings, OverrideSettings, ResourceSettings, Settings, SourceSettings, StationSettings
from gateway.base.local_time import HOUR_MS
from gateway.core.foreign import BoundSource, Foreign
from gateway.dialects import BadSource, Decoder, bind, has_own_will
from gateway.dialects import Source as SourceWords
from gateway.evidence.checks import CheckState, OpenDays
from gateway.evidence.facts import Facts
from gateway.evidence.opening import MINUTE_MS, Patience, Promise
from gateway.kinds import KINDS
from gateway.live import Area, Device, Live, PlaceOpening, Station
from gateway.live.checks import ask_of
from gateway.model import KindName, Millis, Resource
from gateway.policy.hours import composed, problem
from gateway.policy.override import Override, OverrideTarget
from gateway.policy.privacy import PERSONAL, Public, bands
from gateway.wire import Signals

Openings = Callable[[StationSettings, AreaSettings | None], PlaceOpening | None]


@building()
def build(settings: Settings, stations: Iterable[StationSettings], opening: Openings, now: Millis) -> Live:
    """A `Live` with these stations. `opening` gives the hours of a station, or of an area that has its own."""
    live = Live()
    shown = _Shown(settings)
    patience = Patience(
        settings.promises.hold_min * MINUTE_MS, settings.promises.patience_min * MINUTE_MS, shown.tick_ms
    )
    speakers: dict[tuple[str, str], list[Facts]] = defaultdict(list)
    for one in stations:
        station = Station(one.id, dict(one.name), region=one.region, tick_ms=shown.tick_ms)
        station.promise = Promise(patience)
        if one.location is not None:
            station.location = one.location.model_dump(exclude_none=True)
        hours = opening(one, None)
        if hours is not None:
            station.opening = hours
        for part in one.areas:
            area = Area(part.id, dict(part.name), opening(one, part))
            for item in part.resources:
                resource = resource_of(settings, one, part, item)
                facts = shown.guarded(resource)
                area.facts.append(facts)
                speakers[one.id, resource.device].append(facts)
            station.areas.append(area)
        _ask_checks(settings, one, station, now)
        _set_by_hand(live, one)
        live.add_station(station, now)
    for (station_id, device_id), fed in speakers.items():
        decode = decoder({facts.resource.kind for facts in fed})
        live.devices[station_id, device_id] = Device(station_id, device_id, fed, decode)
    return live


def _ask_checks(settings: Settings, configured: StationSettings, station: Station, now: Millis) -> None:
    """What people look at there, and of which resources."""
    days = OpenDays(station.opening, settings.zone_of(configured))
    for asked in configured.checks:
        period_ms = asked.every_h * HOUR_MS
        station.checks[asked.id] = CheckState(
            station.id, asked.id, asked.of, period_ms, days, now, entry=asked.entry
        )  # fmt: skip
    for facts in station.facts():
        ask_of(facts, station)


class _Shown:
    """What the public may know of people, as configured."""

    def __init__(self, settings: Settings) -> None:
        self.tick_ms = round(settings.privacy.tick_s * 1000)
        self._bands = bands(settings.privacy.people_bands)

    def guarded(self, resource: Resource) -> Facts:
        """Nothing heard of it yet."""
        step_ms = max(1, resource.ttl_ms // 4) if resource.kind in PERSONAL else 1
        facts = Facts(resource, KINDS[resource.kind], step_ms)
        if SPECS[resource.kind].holds_people:
            facts.known.guard(Public(self._bands, self.tick_ms))
        return facts


def _set_by_hand(live: Live, station: StationSettings) -> None:
    """What the configuration itself overrides."""
    targets: list[tuple[OverrideTarget, OverrideSettings | None]] = [(OverrideTarget(station.id), station.override)]
    targets += [(OverrideTarget(station.id, area.id), area.override) for area in station.areas]
    targets += [
        (OverrideTarget(station.id, None, one.id), one.override) for area in station.areas for one in area.resources
    ]
    for target, said in targets:
        if said is not None:
            until = round(said.until.timestamp() * 1000) if said.until is not None else None
            live.overrides.put(target, Override(said.status, until, "configuration", said.reason or ""))


def foreign(settings: Settings, live: Live) -> Foreign:
    """The sources that the configuration names for stations of `live`. BadSource with the resource's name in it."""
    sources, speakers = [], Speakers()
    for station, area, item in settings.resources():
        if item.source is None or station.id not in live.stations:
            continue
        resource = resource_of(settings, station, area, item)
        try:
            decoder = speakers.bind(item.source, resource)
        except BadSource as error:
            raise BadSource(f"stations.{station.id}.{item.id}.source: {error}") from None
        device = live.devices[station.id, resource.device]
        sources.append(BoundSource(decoder, device, own_will=has_own_will(item.source.dialect)))
    return Foreign(sources)


class Speakers:
    """Binds sources, and sees that no device is spoken for by two: their messages would be taken for one another's."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def bind(self, source: SourceSettings, resource: Resource) -> Decoder:
        """BadSource says what to write instead."""
        other = self._known.setdefault((resource.station, resource.device), resource.id)
        if other != resource.id:
            raise BadSource(f"the source of {other} already speaks for device {resource.device}; leave device: out")
        return bind(SourceWords(**source.model_dump()), resource)

    def problem(
        self, settings: Settings, station: StationSettings, area: AreaSettings, item: ResourceSettings
    ) -> str | None:
        """Why the source of this resource can't be bound; None where it can, or where there is none."""
        if item.source is not None:
            try:
                self.bind(item.source, resource_of(settings, station, area, item))
            except BadSource as error:
                return str(error)
        return None


def mistakes(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """What only the gateway can tell is wrong: hours that nobody can answer for, and sources that no dialect reads."""
    for number, route in enumerate(settings.alerts.routes):
        wrong = problem(route.hours) if route.hours is not None else None
        if wrong is not None:
            yield ("alerts", "routes", number, "hours"), wrong
    speakers = Speakers()
    for at, station in enumerate(settings.stations):
        here: KeyPath = ("stations", at)
        wrong = problem(composed(station))
        if wrong is not None:
            yield (*here, "hours"), wrong
        for number, area in enumerate(station.areas):
            yield from _mistakes_in(settings, station, area, speakers, (*here, "areas", number))


def _mistakes_in(
    settings: Settings, station: StationSettings, area: AreaSettings, speakers: Speakers, here: KeyPath
) -> Iterator[tuple[KeyPath, str]]:
    wrong = problem(composed(station, area)) if area.hours is not None or area.special_days else None
    if wrong is not None:
        yield (*here, "hours"), wrong
    for place, item in enumerate(area.resources):
        bad = speakers.problem(settings, station, area, item)
        if bad is not None:
            yield (*here, "resources", place, "source"), bad


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
