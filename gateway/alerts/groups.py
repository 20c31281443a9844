"""Folding: forty devices that fall silent at once are one trouble, the router's.

A group is what shares a fate: a station, or the devices behind one bridge. It is offline when all of it is silent,
when at least three and most of it are, or when one is silent and nobody else has been heard since it should have
spoken, each being overdue by two heartbeats (a heartbeat is a third of the ttl). The last rule finds a dead router at
the first expiry instead of the last.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median_low
from typing import Literal

from gateway.model import Change, Millis, Resource

Verdict = Literal["alone", "wait", "offline"]
# When was this device of this station last heard: None for never.
LastHeard = Callable[[str, str], Millis | None]


@dataclass(slots=True)
class DeviceGroup:
    """Devices of one fate. `silent` maps a device to the last moment at which its voice would prove nothing."""

    station: str
    name: str | None
    ttl_ms: dict[str, Millis] = field(default_factory=dict)
    silent: dict[str, Millis] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "station_offline" if self.name is None else "bridge_offline"

    def forget(self, device: str) -> None:
        self.ttl_ms.pop(device, None)
        self.silent.pop(device, None)

    def grace_ms(self) -> Millis:
        """Within this half of it should have spoken, by which it would be back: an AED that reports once a day must
        not keep a dead station quiet for a day."""
        return median_low(self.ttl_ms.values()) if self.ttl_ms else 0

    def mostly_silent(self, pct: int) -> bool:
        count, total = len(self.silent), len(self.ttl_ms)
        return total >= 2 and (count == total or (count >= 3 and 100 * count >= pct * total))

    def verdict(self, device: str, now: Millis, heard: LastHeard) -> Verdict:
        """Is this silence the device's own? "wait" while the others have neither spoken nor missed two heartbeats.

        Who speaks much more seldom is no witness: an AED that reports once a day must not hold up a seat.
        """
        peers = [peer for peer in self.ttl_ms if peer != device]
        peers = [peer for peer in peers if self.ttl_ms[peer] <= 2 * self.ttl_ms[device]]
        last = {peer: heard(self.station, peer) or 0 for peer in peers if peer not in self.silent}
        if not peers or any(at > self.silent[device] for at in last.values()):
            return "alone"
        overdue = all(now >= at + self.ttl_ms[peer] * 2 // 3 for peer, at in last.items())
        return "offline" if overdue else "wait"

    def is_back(self, since: Millis, pct: int, heard: LastHeard) -> bool:
        """Half of the devices have spoken since, or nobody is silent any more."""
        if not self.silent:
            return True
        speaking = (device for device in self.ttl_ms if device not in self.silent)
        back = sum(1 for device in speaking if (heard(self.station, device) or 0) > since)
        return not self.mostly_silent(pct) and 2 * back >= len(self.ttl_ms)


class Groups:
    """The groups of every device: its station, and its bridge if one is named."""

    def __init__(self, bridges: Mapping[tuple[str, str], str]) -> None:
        self._bridges = bridges
        self._groups: dict[tuple[str, str | None], DeviceGroup] = {}

    def of(self, station: str, device: str) -> list[DeviceGroup]:
        """Outermost first."""
        bridge = self._bridges.get((station, device)) if self._bridges else None
        whole = self.get(station, None)
        return [whole] if bridge is None else [whole, self.get(station, bridge)]

    def get(self, station: str, name: str | None) -> DeviceGroup:
        group = self._groups.get((station, name))
        if group is None:
            group = self._groups[station, name] = DeviceGroup(station, name)
        return group

    def forget(self, station: str, device: str) -> None:
        """It is no more."""
        for group in self.of(station, device):
            group.forget(device)
            if not group.ttl_ms:
                del self._groups[station, group.name]

    def renew(self, resources: Iterable[Resource]) -> None:
        """They may be good for longer or shorter than before."""
        for resource in resources:
            for group in self.of(resource.station, resource.device):
                if resource.device in group.ttl_ms:
                    group.ttl_ms[resource.device] = resource.ttl_ms

    def bridge(self, bridges: Mapping[tuple[str, str], str]) -> None:
        """From now on devices speak through these."""
        if bridges == self._bridges:
            return
        self._bridges = bridges
        for (station, name), group in self._groups.items():
            for device in list(group.ttl_ms) if name is not None else ():
                if bridges.get((station, device)) != name:
                    group.forget(device)
        for (station, device), name in bridges.items():
            whole, own = self.get(station, None), self.get(station, name)
            if device in whole.ttl_ms:
                own.ttl_ms.setdefault(device, whole.ttl_ms[device])
            if device in whole.silent:
                own.silent.setdefault(device, whole.silent[device])

    def hear_all(self) -> None:
        """Nobody is silent, as before the first silence."""
        for group in self._groups.values():
            group.silent.clear()

    def follow(self, change: Change) -> None:
        """A device belongs to its group once it was heard, until it is removed."""
        resource = change.resource
        for group in self.of(resource.station, resource.device):
            if change.after.lifecycle != "active":
                group.forget(resource.device)
            elif change.after.evidence != "never":
                group.ttl_ms.setdefault(resource.device, resource.ttl_ms)

    def would_lose(self, change: Change) -> bool:
        """Whether `follow` has anybody leave. That somebody joins is one step, which is done or not."""
        resource = change.resource
        return change.after.lifecycle != "active" and any(
            resource.device in group.ttl_ms for group in self.of(resource.station, resource.device)
        )
