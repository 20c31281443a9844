"""A small world for the alert core: resources that report, fall silent, break; its clock moves when told."""

from collections.abc import Iterable

from gateway.alerts.case import Policy
from gateway.alerts.core import Alerts
from gateway.alerts.facts import Fact
from gateway.alerts.words import Alert, AlertEvent
from gateway.model import Axes, Change, KindName, Millis, Resource, axes_of

T0 = 1_800_000_000_000
TTL = 180_000
LIVE = axes_of("active", "ok", "open", "free", "live")
STALE = axes_of("active", "ok", "open", "free", "stale")
OFFLINE = axes_of("active", "ok", "open", "free", "offline")


def seat(number: int, kind: KindName = "seat", station: str = "yanshan") -> Resource:
    name = f"{kind}-{number:02}"
    return Resource(station, "lounge", name, kind, name, ttl_ms=TTL)


class World:
    """Feeds the core as the pipeline would, and keeps what it said."""

    def __init__(self, resources: Iterable[Resource], policy: Policy | None = None, now: Millis = T0) -> None:
        self.resources = list(resources)
        self.policy = policy
        self.now = now
        self.last: dict[tuple[str, str], Millis] = {}
        self.axes = dict.fromkeys((resource.id for resource in self.resources), LIVE)
        self.said: list[AlertEvent] = []
        self.bridges: dict[tuple[str, str], str] = {}
        self.core = self.fresh_core()
        self.hear(*self.resources)
        self.prime()

    def fresh_core(self) -> Alerts:
        return Alerts(self.resources, lambda *device: self.last.get(device), self.policy, self.bridges)

    def prime(self) -> None:
        states = [Change(resource, self.now, LIVE, self.axes[resource.id], "start") for resource in self.resources]
        self.said += self.core.prime(states, self.now)

    def restart(self, *closed: Alert) -> None:
        """`closed`: what the store would add to the open ones, closed otherwise than by the sensor."""
        known = [*self.core.desk.open_alerts(), *closed]
        self.core = self.fresh_core()
        self.core.restore(known)
        self.prime()

    def hear(self, *resources: Resource) -> None:
        for resource in resources:
            self.last[resource.station, resource.device] = self.now

    def become(self, axes: Axes, *resources: Resource, cause: str = "message", detail: str | None = None) -> None:
        changes = [Change(resource, self.now, self.axes[resource.id], axes, cause, detail) for resource in resources]
        self.axes |= {resource.id: axes for resource in resources}
        self.said += self.core.on_changes(changes, self.now)

    def learn(self, *facts: Fact) -> None:
        self.said += self.core.on_facts(facts, self.now)

    def until(self, then: Millis) -> None:
        while (due := self.core.next_deadline()) is not None and due <= then:
            self.now = max(due, self.now)
            self.said += self.core.tick(self.now)
        self.now = then

    def wait(self, seconds: float) -> None:
        self.until(self.now + int(seconds * 1000))

    def lines(self) -> list[str]:
        return [f"{event.alert.kind} {event.alert.subject} {event.action}" for event in self.said]
