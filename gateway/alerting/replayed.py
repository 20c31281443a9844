"""Alerts of recorded messages, for `yizhan replay`: the same core, no store and nobody told."""

from collections.abc import Iterator
from typing import Any

from config.schema import Settings
from gateway.alerting.configured import bridges_of, policy_of
from gateway.alerting.facts import Watch
from gateway.alerts.core import Alerts
from gateway.alerts.payload import alert_json
from gateway.alerts.words import AlertEvent
from gateway.core.outcome import Outcome
from gateway.live import Live
from gateway.model import Millis


class ReplayedAlerts:
    """Call it with each outcome in order: one record for each event that is due by then."""

    def __init__(self, settings: Settings, live: Live) -> None:
        self._live = live
        resources = [facts.resource for station in live.stations.values() for facts in station.facts()]
        self._core = Alerts(resources, self._last_heard, policy_of(settings), bridges_of(settings))
        self._watch = Watch(settings, live, settings.gateway.id)

    def __call__(self, outcome: Outcome, now: Millis) -> Iterator[dict[str, Any]]:
        events: list[AlertEvent] = []
        while (due := self._core.next_deadline()) is not None and due < now:
            events += self._core.tick(due)
        events += self._core.on_changes(outcome.changes, now)
        events += self._core.on_facts([*self._watch.follow(outcome, now), *self._watch.look(now)], now)
        for event in events + self._core.tick(now):
            shown = alert_json(event.alert)
            del shown["history"]
            yield {"at": event.at, "action": event.action, "alert": shown}

    def _last_heard(self, station: str, device: str) -> Millis | None:
        known = self._live.devices.get((station, device))
        return known.seen_at if known is not None else None
