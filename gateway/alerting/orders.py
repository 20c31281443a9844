"""Work orders in a running gateway: which claims wait for evidence, and what the evidence says."""

from collections.abc import Callable, Iterable

from gateway.alerts.desk import AlertDesk
from gateway.alerts.kinds import KINDS
from gateway.alerts.orders import Order, OrderEvent, assign, verify
from gateway.alerts.words import MAINTENANCE, Alert, AlertEvent
from gateway.live import Live
from gateway.model import Millis

LOOK_EVERY_MS = 1_000
FOUND_BY_PERSON = "check_problem"
"""The kind of alert that only a person can see is over."""


def orders_for(events: Iterable[AlertEvent], now: Millis) -> list[OrderEvent]:
    """What a person found wrong is work at once, for nobody in particular."""
    return [
        assign(event.alert.id[:12], event.alert, event.alert.station, event.alert.resource, event.alert.subject, "",
               "check", now)
        for event in events
        if event.action == "opened" and event.alert.kind == FOUND_BY_PERSON and event.alert.station is not None
    ]  # fmt: skip


class Orders:
    """Orders reported as done, until they are closed or reopened. Belongs to the intake thread."""

    def __init__(
        self, live: Live, alerts: AlertDesk, closed: Callable[[str], Alert | None], done: Iterable[Order] = ()
    ) -> None:
        """`closed` finds an alert that is closed; None for one that nobody knows."""
        self._live, self._alerts, self._closed = live, alerts, closed
        self._done = {order.id: order for order in done}
        self._look_at: Millis = 0

    def follow(self, event: OrderEvent) -> None:
        """Follow a step that somebody took with an order."""
        if event.order.state == "done":
            self._done[event.order.id] = event.order
        else:
            self._done.pop(event.order.id, None)

    def next_look(self) -> Millis | None:
        return self._look_at if self._done else None

    def look(self, now: Millis) -> list[OrderEvent]:
        """Claims that the evidence has settled."""
        if not self._done or now < self._look_at:
            return []
        self._look_at = now + LOOK_EVERY_MS
        events: list[OrderEvent] = []
        for order in list(self._done.values()):
            with self._live.mishaps.contained(f"work order {order.id}", order.station):
                event = verify(order, self._holds(order), now)
                if event is not None and event.action == "reopened" and self._found_by_person(order):
                    continue  # it waits for whoever looks
                if event is not None:
                    self.follow(event)
                    events.append(event)
        return events

    def _holds(self, order: Order) -> bool | None:
        """Is the trouble still seen? None where nobody can tell: it clears just now, or only a person can see it."""
        if order.alert is None:
            return None
        alert = self._alerts.find(order.alert)
        if alert is None:
            return self._hidden(order.alert)
        if alert.kind == FOUND_BY_PERSON:
            return None
        if KINDS[alert.kind].latched:
            return False if alert.kind == "reported" and self._sound(alert) else None
        return True if self._alerts.holds(alert) else None

    def _found_by_person(self, order: Order) -> bool:
        alert = self._alerts.find(order.alert or "")
        return alert is not None and alert.kind == FOUND_BY_PERSON

    def _hidden(self, alert_id: str) -> bool | None:
        """Whether maintenance alone closed the alert and its trouble still holds; None: to be judged once the work is
        over."""
        alert = self._closed(alert_id)
        if alert is None or alert.closed_by != MAINTENANCE or not self._alerts.holds(alert):
            return False
        return None if self._alerts.rests(alert) else True

    def _sound(self, alert: Alert) -> bool:
        """The sensors of what a visitor reported see nothing wrong."""
        station = self._live.stations.get(alert.station or "")
        facts = [known for known in station.facts() if known.resource.id == alert.resource] if station else []
        return bool(facts) and facts[0].axes.health == "ok" and facts[0].axes.evidence == "live"
