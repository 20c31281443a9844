"""What happens in a running gateway → alert events. It decides and tells nobody. Belongs to the intake thread."""

from collections.abc import Callable, Sequence

from config.schema import Settings
from gateway.alerting.configured import Reconfigured, bridges_of, policy_of
from gateway.alerting.facts import Watch, openings_at_start
from gateway.alerting.missed import missed_alarms
from gateway.alerting.ourselves import Failing, Ourselves, OwnTroubles
from gateway.alerts.core import Alerts
from gateway.alerts.facts import Fact
from gateway.alerts.rules import BY_BOX, BY_CHECK
from gateway.alerts.succession import Succeeded
from gateway.alerts.words import Alert, AlertEvent
from gateway.core.outcome import Outcome
from gateway.live import Live
from gateway.live.replacing import Moved
from gateway.model import Change, Millis, Resource
from gateway.store.base import Store


class Follower:
    """Feeds the alert core with what is durable. One input that fails costs itself."""

    def __init__(self, settings: Settings, live: Live, store: Store, gateway: str) -> None:
        self._live, self._store, self._mishaps = live, store, live.mishaps
        self._facts = {
            (facts.resource.station, facts.resource.id): facts
            for station in live.stations.values()
            for facts in station.facts()
        }
        resources = [facts.resource for facts in self._facts.values()]
        self.core = Alerts(
            resources,
            self._last_heard,
            policy_of(settings),
            bridges_of(settings),
            self._worked_on,
            live.mishaps,
            live.stations,
        )
        self.watch = Watch(settings, live, gateway)
        self._own = OwnTroubles(settings, gateway, store.folder)

    def begin(
        self,
        known: Sequence[Alert],
        stored: Callable[[str], Alert | None],
        upto: int,
        now: Millis,
    ) -> list[AlertEvent]:
        """After the live state was restored. `known`: the stored alerts that are not settled; `stored` finds
        one by its id; `upto`: the batch that was followed last.
        """
        contained, events, facts = self._mishaps.contained, list[AlertEvent](), list[Fact]()
        with contained("taking up the open alerts"):
            self.core.restore(known)
        with contained("taking up what was watched"):
            self.watch.resume(known)
        self._own.resume({alert.subject: ("", True) for alert in known if alert.kind == "channel_failing"})
        states = [
            Change(
                facts.resource,
                facts.since or now,
                facts.axes,
                facts.axes,
                BY_CHECK if facts.found_wrong else BY_BOX if facts.fresh.is_cut else "start",
                facts.known.trouble,
            )
            for facts in self._facts.values()
        ]
        with contained("alerts that follow from the state at start"):
            events += self.core.prime(states, now)
        with contained("alarms that came after alerts last followed the journal"):
            facts += missed_alarms(self._store, self._live, stored, upto)
        with contained("looking at signals for alerts"):
            facts += openings_at_start(self._live, known, now) + self.watch.look(now)
        with contained("what was seen before the start"):
            events += self.core.on_facts(facts, now)
        return events

    def configure(self, change: Reconfigured, moved: Moved, now: Millis) -> list[AlertEvent]:
        """Another configuration holds, and the live state has followed it. What is told of what went ends."""
        settings = change.settings
        for facts in moved.lost:
            self._facts.pop((facts.resource.station, facts.resource.id), None)
        here = [facts for _, facts in moved.same] + moved.fresh
        self._facts.update(((facts.resource.station, facts.resource.id), facts) for facts in here)
        self.watch.configure(settings, moved, change.removed)
        self._own.configure(settings)
        if change.alerts_too:
            self.core.succession.judge_by(policy_of(settings), bridges_of(settings))
        return self.core.succession.follow(
            Succeeded(
                [facts.resource for facts in moved.lost],
                [facts.resource for facts in here],
                self._live.stations,
                change.removed,
                change.ended,
            ),
            now,
        )

    def follow(self, outcome: Outcome, now: Millis) -> list[AlertEvent]:
        """Follow an outcome that is durable."""
        contained, events, facts = self._mishaps.contained, list[AlertEvent](), list[Fact]()
        if outcome.changes:
            with contained("what changes say about alerts"):
                events += self.core.on_changes(outcome.changes, now)
        with contained("what messages say about alerts"):
            facts = self.watch.follow(outcome, now)
        if facts:
            with contained("what messages say about alerts"):
                events += self.core.on_facts(facts, now)
        return events

    def tick(self, now: Millis, ourselves: Ourselves, failing: Callable[[Millis], Failing]) -> list[AlertEvent]:
        """Whatever is due by `now`, and how we and our channels are; `failing` tells of those."""
        contained, events, facts = self._mishaps.contained, list[AlertEvent](), list[Fact]()
        for station, error in self._mishaps.take():
            with contained("telling of a fault of ours"):
                self.watch.mishap(station, error, now)
        with contained("looking at signals for alerts"):
            facts = self.watch.look(now)
        with contained("looking at ourselves"):
            facts += self._own.look(ourselves, now)
        with contained("looking at channels"):
            facts += self._own.channels(failing(now), now)
        with contained("what is seen of alerts"):
            events += self.core.on_facts(facts, now)
        with contained("what is due of alerts"):
            events += self.core.tick(now)
        return events

    def next_deadline(self) -> Millis | None:
        """When `tick` has something to do, at the latest."""
        times = (self.core.next_deadline(), self.watch.next_look())
        return min((at for at in times if at is not None), default=None)

    def _last_heard(self, station: str, device: str) -> Millis | None:
        known = self._live.devices.get((station, device))
        return known.seen_at if known is not None else None

    def _worked_on(self, resource: Resource) -> bool:
        effect = self._facts[resource.station, resource.id].effect
        return effect is not None and effect.maintenance
