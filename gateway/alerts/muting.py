"""What may be kept quiet: opening hours mute equipment, maintenance mutes security too, nothing mutes a safety item."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from config.kinds import SPECS
from gateway.alerts.kinds import Class
from gateway.model import Change, Millis, Resource

_DEFAULT_TTL_MS = 180_000


class Mutes:
    """The resources, and which of them are closed or in maintenance now. `mute_when_closed`: kinds that opening hours
    mute.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        mute_when_closed: Container[str],
        worked_on: Callable[[Resource], bool],
        stations: Iterable[str] = (),
    ) -> None:
        """`worked_on` says whether somebody has this in maintenance before its axes show it. `stations`: also those
        without any resource.
        """
        self._stations = frozenset(stations)
        self.mute_when_closed, self._worked_on = mute_when_closed, worked_on
        self._resources = {(resource.station, resource.id): resource for resource in resources}
        self._by_device = _by_device(self._resources)
        self._closed: set[tuple[str, str]] = set()
        self._maintained: set[tuple[str, str]] = set()

    def update(self, change: Change) -> bool:
        """Take in a change; True when it muted or unmuted something."""
        key = (change.resource.station, change.resource.id)
        closed = _keep(self._closed, key, wanted=change.after.access == "closed")
        maintained = _keep(self._maintained, key, wanted=change.after.health == "maintenance")
        return closed or maintained

    def would_move(self, change: Change) -> bool:
        """Whether `update` has anything to take in."""
        said = change.after.access == "closed", change.after.health == "maintenance"
        return self.state(change.resource.station, change.resource.id) != said

    def follow(self, gone: Iterable[Resource], here: Iterable[Resource], stations: Iterable[str]) -> None:
        """Some resources went, others are new or told anew. `stations`: all that there are now."""
        self._stations = frozenset(stations)
        gone, here = list(gone), list(here)
        before = [self._resources.pop((resource.station, resource.id), resource) for resource in gone]
        for resource in gone:
            for keys in (self._closed, self._maintained):
                keys.discard((resource.station, resource.id))
        for resource in here:
            before.append(self._resources.get((resource.station, resource.id), resource))
            self._resources[resource.station, resource.id] = resource
        if self._by_device or any(resource.device != resource.id for resource in (*before, *here)):
            self._by_device = _by_device(self._resources)

    def clear(self) -> None:
        """Nothing is closed nor in maintenance, as before the first change."""
        self._closed.clear()
        self._maintained.clear()

    def state(self, station: str, resource: str) -> tuple[bool, bool]:
        """(closed, in maintenance), for `put_back`."""
        key = (station, resource)
        return key in self._closed, key in self._maintained

    def put_back(self, station: str, resource: str, state: tuple[bool, bool]) -> None:
        """As `state` said before."""
        for keys, wanted in zip((self._closed, self._maintained), state, strict=True):
            _keep(keys, (station, resource), wanted=wanted)

    def muted(self, kind_class: Class, resources: Sequence[Resource]) -> bool:
        """Only when every one of the resources is: a site with an AED is never muted as a whole."""
        return (
            kind_class != "system"
            and bool(resources)
            and all(self._one(kind_class, resource) for resource in resources)
        )

    def in_maintenance(self, kind_class: Class, resources: Sequence[Resource]) -> bool:
        """Staff work on all of it: who repairs a pile makes faults."""
        return kind_class != "system" and bool(resources) and all(self._maintains(resource) for resource in resources)

    def _maintains(self, resource: Resource) -> bool:
        at_work = (resource.station, resource.id) in self._maintained or self._worked_on(resource)
        return at_work and not SPECS[resource.kind].vital

    def knows(self, station: str, resource: str | None) -> bool:
        """Is this (or at least its station) still configured?"""
        if resource is not None:
            return (station, resource) in self._resources
        return station in self._stations or any(key[0] == station for key in self._resources)

    def _one(self, kind_class: Class, resource: Resource) -> bool:
        if SPECS[resource.kind].vital:
            return False
        key = (resource.station, resource.id)
        closed = kind_class == "equipment" and resource.kind in self.mute_when_closed and key in self._closed
        return closed or key in self._maintained

    def resource(self, station: str | None, resource: str | None) -> Resource | None:
        return self._resources.get((station or "", resource or ""))

    def of_device(self, station: str, device: str) -> Sequence[Resource]:
        fed = self._by_device.get((station, device))
        if fed is not None:
            return fed
        resource = self._resources.get((station, device))
        return () if resource is None or resource.device != device else (resource,)

    def ttl_ms(self, resources: Sequence[Resource]) -> Millis:
        return max((resource.ttl_ms for resource in resources), default=_DEFAULT_TTL_MS)


def _keep(keys: set[tuple[str, str]], key: tuple[str, str], *, wanted: bool) -> bool:
    """Put `key` in or out; True if that was news."""
    if (key in keys) == wanted:
        return False
    (keys.add if wanted else keys.discard)(key)
    return True


def _by_device(resources: Mapping[tuple[str, str], Resource]) -> dict[tuple[str, str], list[Resource]]:
    """By device its resources, where it feeds others than the one of its own name: most feed that alone."""
    fed_by: dict[tuple[str, str], list[Resource]] = {}
    for resource in resources.values():
        if resource.device != resource.id:
            fed_by.setdefault((resource.station, resource.device), []).append(resource)
    for key, fed in fed_by.items():
        own = resources.get(key)
        if own is not None and own.device == own.id:
            fed.insert(0, own)
    return fed_by
