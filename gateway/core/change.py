"""The core follows another configuration: what is needed is made beside it, then it changes between two turns."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from config.difference import Difference
from config.schema import Settings, SourceSettings, StationSettings
from gateway.core.foreign import BoundSource
from gateway.core.pipeline import Pipeline
from gateway.core.plan import Speakers, resource_of
from gateway.core.station_plan import OpeningOf, StationPlan, StationPlans
from gateway.dialects import Decoder, has_own_will
from gateway.live import Device
from gateway.live.replacing import Moved, Replacing, Strange
from gateway.model import Millis, Resource

DEPARTED_MOST = 10_000
"""Devices that were taken out, and are remembered in case they come back."""

DeviceKey = tuple[str, str]
"""Station and resource."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A source to come: who decodes it, and which device that feeds."""

    decoder: Decoder
    device: DeviceKey
    own_will: bool


@dataclass(frozen=True, slots=True)
class CorePlan:
    """`added`, `changed`: stations made anew. `sources` begin, `ended` are those that speak no more."""

    added: Sequence[StationPlan]
    changed: Sequence[StationPlan]
    removed: Sequence[str]
    sources: Mapping[DeviceKey, Bound]
    ended: frozenset[DeviceKey]
    strange: Strange


def core_plan(
    old: Settings, difference: Difference, stations: Sequence[StationSettings], opening: OpeningOf, now: Millis
) -> CorePlan:
    """Make it; any thread may. `stations`: those of `difference.settings` that are ours. BadSource."""
    ours = {station.id for station in stations}
    plans = StationPlans(difference.settings, opening, now)
    changed = [station for station in difference.changed if station.id in ours]
    added = [station for station in difference.added if station.id in ours]
    others = {station.id for station in changed} | set(difference.removed)
    before = dict(_sources(old, [station for station in old.stations if station.id in others]))
    after = dict(_sources(difference.settings, [*changed, *added]))
    speakers = Speakers()
    return CorePlan(
        [plans.of(station) for station in added],
        [plans.of(station) for station in changed],
        difference.removed,
        {
            key: Bound(speakers.bind(words, resource), (key[0], resource.device), has_own_will(words.dialect))
            for key, (resource, words) in after.items()
            if words is not None and before.get(key) != (resource, words)
        },
        frozenset(key for key, told in before.items() if told[1] is not None and after.get(key) != told),
        Strange(frozenset(key for key in before if key in after and before[key][1] != after[key][1])),
    )


def _sources(
    settings: Settings, stations: Sequence[StationSettings]
) -> Iterator[tuple[DeviceKey, tuple[Resource, SourceSettings | None]]]:
    for station in stations:
        for area in station.areas:
            for item in area.resources:
                yield (station.id, item.id), (resource_of(settings, station, area, item), item.source)


class Changing:
    """Applies plans to a pipeline, one after the other. Belongs to the intake thread."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._departed: OrderedDict[DeviceKey, Device] = OrderedDict()

    def apply(self, plan: CorePlan, now: Millis) -> Moved:
        """Nothing may wait in the pipeline. Returns what came and went."""
        live = self._pipeline.live
        plans = (*plan.added, *plan.changed)
        live.overrides.configure(
            dict.fromkeys(plan.removed, ()) | {station_plan.station.id: station_plan.by_hand for station_plan in plans}
        )
        replacing = Replacing(live, now, plan.strange, self._departed)
        for name in plan.removed:
            if name in live.stations:
                replacing.remove(name)
        for station_plan in plan.changed:
            replacing.replace(station_plan.station, station_plan.devices)
        for station_plan in plan.added:
            replacing.add(station_plan.station, station_plan.devices)
        replacing.finish()
        moved = replacing.moved
        self._pipeline.follow(moved.came, moved.went)
        self._pipeline.foreign.change(
            plan.ended,
            {
                key: BoundSource(bound.decoder, live.devices[bound.device], own_will=bound.own_will)
                for key, bound in plan.sources.items()
            },
        )
        self._remember(moved)
        return moved

    def _remember(self, moved: Moved) -> None:
        for device in moved.came:
            self._departed.pop((device.station, device.id), None)
        for device in moved.went:
            self._departed[device.station, device.id] = device
        while len(self._departed) > DEPARTED_MOST:
            self._departed.popitem(last=False)
