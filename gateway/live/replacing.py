"""A station comes into the live state, leaves it, or takes the place of the one of its name, while all others stay.

What was known of a resource that is still the same thing stays known, as over a restart.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.evidence.facts import Facts, kept, put_back
from gateway.live.entry import look_at_doors
from gateway.live.places import Device, Station
from gateway.live.state import Live
from gateway.model import Millis, Resource

Departed = Mapping[tuple[str, str], Device]
"""Devices that were here before, by station and name: those that come back know what they knew."""


@dataclass(slots=True)
class Moved:
    """What came and what went: devices; resources that nothing is known of yet (`fresh`), that are told anew and stay
    what they are (`same`: as they were before, and now), and that are no longer (`lost`). `unlike`: devices that feed
    one of `fresh`, and had fed something of its name.
    """

    came: list[Device] = field(default_factory=list)
    went: list[Device] = field(default_factory=list)
    fresh: list[Facts] = field(default_factory=list)
    same: list[tuple[Facts, Facts]] = field(default_factory=list)
    lost: list[Facts] = field(default_factory=list)
    unlike: set[Device] = field(default_factory=set)


class Strange(NamedTuple):
    """Which resources are another thing than before though they are called the same: their source is another."""

    resources: frozenset[tuple[str, str]] = frozenset()

    def same(self, old: Resource, new: Resource) -> bool:
        """Whether what was known of it holds of it still: a seat that becomes a door has told nothing yet."""
        like = (old.kind, old.type, old.device) == (new.kind, new.type, new.device)
        return like and (new.station, new.id) not in self.resources


class Replacing:
    """Changes `live`, on its thread, between two turns, when nothing that it collects waits to be taken."""

    def __init__(self, live: Live, now: Millis, strange: Strange, departed: Departed) -> None:
        self._live, self._now, self._strange, self._departed = live, now, strange, departed
        self.moved = Moved()
        self._gone: set[Station] = set()  # whose document waited to be made

    def add(self, station: Station, devices: Mapping[str, Device]) -> None:
        """Take in a station that is not there."""
        self._seat(station, devices, {})
        self._enter(station)

    def remove(self, name: str) -> None:
        """Take a station out, with all that is in it."""
        live, station = self._live, self._live.stations.pop(name)
        self.moved.went += [live.devices.pop((name, device)) for device in _devices_of(station)]
        self.moved.lost += station.facts()
        self._forget(station, frozenset())

    def replace(self, station: Station, devices: Mapping[str, Device]) -> None:
        """Put a station in the place of the one of its name."""
        live, old = self._live, self._live.stations[station.id]
        known = {name: live.devices.pop((old.id, name)) for name in _devices_of(old)}
        handed_on, stay = self._seat(station, devices, known)
        self.moved.went += [device for name, device in known.items() if name not in devices]
        self.moved.lost += [facts for facts in old.facts() if facts not in handed_on and facts not in stay]
        _take_over(old, station, self._now)
        self._forget(old, stay)
        self._enter(station)

    def finish(self) -> None:
        """After the last of them."""
        self._live.dirty = [station for station in self._live.dirty if station not in self._gone]

    def _seat(
        self, station: Station, devices: Mapping[str, Device], known: Mapping[str, Device]
    ) -> tuple[set[Facts], set[Facts]]:
        """Devices that are there already stay the objects that they are, and feed the new resources from now on.

        Returns what was known of resources that are told anew, and those of which nothing is another: they stay, too.
        """
        handed_on, stay, instead = set[Facts](), set[Facts](), dict[Facts, Facts]()
        for name, planned in devices.items():
            device = known.get(name) or self._departed.get((station.id, name)) or planned
            if name not in known:
                self.moved.came.append(device)
            before = {facts.resource.id: facts for facts in device.facts} if device is not planned else {}
            self._live.devices[station.id, name] = device
            for facts in planned.facts:
                old = before.get(facts.resource.id)
                if old is not None and name in known and self._nothing_is_another(old, facts):
                    old.checks = facts.checks
                    instead[facts] = old
                    stay.add(old)
                elif self._know(old, facts, device):
                    handed_on.add(before[facts.resource.id])
            device.facts, device.decode = tuple(instead.get(facts, facts) for facts in planned.facts), planned.decode
        for area in station.areas if instead else ():
            area.facts = [instead.get(facts, facts) for facts in area.facts]
        return handed_on, stay

    def _nothing_is_another(self, old: Facts, new: Facts) -> bool:
        key = (new.resource.station, new.resource.id)
        if old.resource != new.resource or old.fresh.step_ms != new.fresh.step_ms or key in self._strange.resources:
            return False
        before, guard = old.known.public, new.known.public
        return guard is None or (before is not None and before.terms == guard.terms)

    def _know(self, old: Facts | None, facts: Facts, device: Device) -> bool:
        """Hand on what was known, if it is still the same thing; whether it is."""
        if old is not None and self._strange.same(old.resource, facts.resource):
            _carry_over(old, facts)
            self.moved.same.append((old, facts))
            return True
        self.moved.fresh.append(facts)
        if old is not None:
            self.moved.unlike.add(device)
        return False

    def _enter(self, station: Station) -> None:
        """Hours and what is set by hand are asked: the overrides are configured before."""
        live, now = self._live, self._now
        barred = station.judged.proof == "contradicted"
        for facts in station.facts():
            facts.barred = barred
        look_at_doors(station, now)
        live.add_station(station, now)
        for area in station.areas:
            if area.agenda.activities:
                live.programme(station.id, area.id, area.agenda, now)
        for check in station.checks.values():
            live.rounds.take_up(station, check, now)

    def _forget(self, station: Station, stay: AbstractSet[Facts]) -> None:
        """Nothing of the live state leads to it any more, nor anything of it to itself: it goes at once."""
        if station.dirty:
            self._gone.add(station)
        gone = [facts for facts in station.facts() if facts not in stay]
        self._live.alarms.forget([station, *station.areas, *station.checks.values(), *gone])
        for area in station.areas:
            area.station = None
        for facts in gone:
            facts.doubt.leave()


def _devices_of(station: Station) -> list[str]:
    return list(dict.fromkeys(facts.resource.device for facts in station.facts()))


def _carry_over(old: Facts, new: Facts) -> None:
    """What a restart would know, and what only a restart makes us forget."""
    put_back(new, old.axes, kept(old))
    new.fresh.promised_anew(old.fresh, old.resource.ttl_ms)
    new.entered_at, new.renew_at = old.entered_at, old.renew_at
    before, guard = old.known.public, new.known.public
    if before is not None and guard is not None and guard.terms == before.terms:
        new.known.guard(before)


def _take_over(old: Station, new: Station, now: Millis) -> None:
    """What belongs to the station itself."""
    old.promise.goes_on(new.promise.terms)
    new.promise, new.judged, new.opening_kept = old.promise, old.judged, old.opening_kept
    new.access, new.access_until, new.made_at = old.access, old.access_until, old.made_at
    shown = {(facts.resource.kind, facts.resource.type) for facts in new.facts()}
    new.forecasts = {group: known for group, known in old.forecasts.items() if group in shown}
    areas = {area.id: area for area in old.areas}
    for area in new.areas:
        if area.id in areas:
            was = areas[area.id]
            area.agenda, area.given_up, area.over = was.agenda, was.given_up, was.over
    for name, check in new.checks.items():
        if name in old.checks:
            check.goes_on(old.checks[name])
        else:
            check.begin(now)
