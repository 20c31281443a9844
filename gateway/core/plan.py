"""From the configuration to a live state that has heard nothing yet."""

from collections.abc import Iterable, Iterator

from config.building import building
from config.mistakes import KeyPath
from config.schema import AreaSettings, ResourceSettings, Settings, SourceSettings, StationSettings
from gateway.core.foreign import BoundSource, Foreign
from gateway.core.station_plan import OpeningOf, StationPlans, decoder, resource_of
from gateway.dialects import BadSource, Decoder, bind, has_own_will
from gateway.dialects import Source as SourceWords
from gateway.live import Live
from gateway.model import Millis, Resource
from gateway.policy.hours import composed, problem

__all__ = ["Speakers", "build", "decoder", "foreign", "mistakes", "resource_of"]


@building()
def build(settings: Settings, stations: Iterable[StationSettings], opening: OpeningOf, now: Millis) -> Live:
    """A `Live` with these stations. `opening` gives the hours of a station, or of an area that has its own."""
    live, plans = Live(), StationPlans(settings, opening, now)
    live.boxes.configure(settings.uplinks.accept, settings.owners)
    for configured in stations:
        plan = plans.of(configured)
        for target, override in plan.by_hand:
            live.overrides.put(target, override)
        live.add_station(plan.station, now)
        live.devices.update(((configured.id, name), device) for name, device in plan.devices.items())
    return live


def foreign(settings: Settings, live: Live) -> Foreign:
    """The sources that the configuration names for stations of `live`. BadSource with the resource's name in it."""
    sources, speakers = dict[tuple[str, str], BoundSource](), Speakers()
    for station, area, item in settings.resources():
        if item.source is None or station.id not in live.stations:
            continue
        resource = resource_of(settings, station, area, item)
        try:
            decoder = speakers.bind(item.source, resource)
        except BadSource as error:
            raise BadSource(f"stations.{station.id}.{item.id}.source: {error}") from None
        device = live.devices[station.id, resource.device]
        sources[station.id, item.id] = BoundSource(decoder, device, own_will=has_own_will(item.source.dialect))
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
