"""What the past of a station teaches: where another one is wanted, and how much opening earlier or closing later would
matter. Counted from the journal, with what is not known beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.schema import Settings, StationSettings
from gateway.history.saturation import Edges, Saturation, edges, saturation
from gateway.model import Interval, KindName, Millis, Resource
from gateway.runtime import place_of
from gateway.store.base import Reader
from gateway.store.place import NOBODYS

Group = tuple[KindName, str | None]
"""A kind and its type."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """`kinds`: how many there are, and when none was free. `edges`: of all that somebody uses."""

    start: Millis
    end: Millis
    kinds: Mapping[Group, tuple[int, Saturation]]
    edges: Edges

    def fullest_first(self) -> list[tuple[Group, tuple[int, Saturation]]]:
        """The kinds; those of which nothing is known stand with those that were never full."""
        return sorted(self.kinds.items(), key=lambda row: -(row[1][1].full_per_week or 0))


def lessons(settings: Settings, station: StationSettings, reader: Reader, window: tuple[Millis, Millis]) -> Lessons:
    """The lessons of [start, end). StoreError when the journal can't be read."""
    start, end = window
    groups: dict[Group, list[Resource]] = {}
    for resource in place_of(settings, station).resources:
        if resource.kind not in NOBODYS:
            groups.setdefault((resource.kind, resource.type), []).append(resource)
    histories: dict[Group, list[Sequence[Interval]]] = {
        group: [reader.history(resource.station, resource.id, start, end) for resource in resources]
        for group, resources in groups.items()
    }
    kinds = {group: (len(told), saturation(told, start, end)) for group, told in histories.items()}
    return Lessons(start, end, kinds, edges([history for told in histories.values() for history in told], start, end))
