"""A station as the roll-ups see it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from config.kinds import NAMES, named
from gateway.model import KindName, Resource
from gateway.policy.privacy import PERSONAL

NOBODYS: frozenset[KindName] = frozenset(NAMES) - named("occupied_by_somebody")
"""Kinds that nobody occupies: measured for themselves, but in no sum, which they would only thin."""

METERED: frozenset[KindName] = named("metered")
"""Kinds that count energy and sessions."""

ENTRANCES: frozenset[KindName] = named("entrance")
"""Kinds through which one comes in."""

COUNTERS: frozenset[KindName] = named("counts_people")
"""Kinds that count who comes in."""

ROOMS = PERSONAL - NOBODYS
"""Kinds whose use tells of persons: strangers' sums leave them out, or a sum beside another would give one away."""


@dataclass(frozen=True, slots=True)
class Place:
    """A station with its resources; their `area` groups them."""

    station: str
    zone: ZoneInfo
    resources: Sequence[Resource]

    def scopes_of(self, resource: Resource) -> tuple[str, ...]:
        """The scopes whose kept sums the resource counts into: its own first. Sums of rooms are added up when asked
        for."""
        own = scope_of(self.station, resource=resource.id)
        if resource.kind in NOBODYS | ROOMS:
            return (own,)
        return own, scope_of(self.station, area=resource.area), scope_of(self.station)

    def for_strangers(self) -> "Place":
        """The same place without resources that tell of persons."""
        return replace(self, resources=[resource for resource in self.resources if resource.kind not in ROOMS])


def scope_of(station: str, *, area: str | None = None, resource: str | None = None) -> str:
    """The name of a row's owner. An area's has a `#`, which no resource's id can have."""
    if resource is not None:
        return f"{station}/{resource}"
    return station if area is None else f"{station}/#{area}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is about: stations of one zone, or an area or a resource of one."""

    places: Sequence[Place]
    area: str | None = None
    resource: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        return self.places[0].zone

    @property
    def scopes(self) -> list[str]:
        sums = [scope_of(place.station, area=self.area, resource=self.resource) for place in self.places]
        if self.resource is not None:
            return sums
        rooms = [
            scope_of(resource.station, resource=resource.id) for resource in self.resources if resource.kind in ROOMS
        ]
        return sums + rooms

    @property
    def resources(self) -> list[Resource]:
        """What is summed up: one resource whatever its kind, else all that count."""
        every = [resource for place in self.places for resource in place.resources]
        if self.resource is not None:
            return [resource for resource in every if resource.id == self.resource]
        return [resource for resource in every if self.area in (None, resource.area) and resource.kind not in NOBODYS]

    @property
    def entrance_sensors(self) -> dict[tuple[str, str], list[Resource]]:
        """(station, entrance) → its counters and doors. Without a name an area is one entrance, `#` and its id."""
        sensors: dict[tuple[str, str], list[Resource]] = {}
        for place in self.places:
            for resource in place.resources:
                asked = self.resource in (None, resource.id) and self.area in (None, resource.area)
                if asked and resource.kind in ENTRANCES | COUNTERS:
                    sensors.setdefault((place.station, resource.entrance or f"#{resource.area}"), []).append(resource)
        return sensors
