"""Alerts told as they happen: retained on MQTT, and to those who follow them in process."""

from collections import deque
from collections.abc import Callable, Iterable

from gateway.alerts.payload import retained, topic_of
from gateway.alerts.words import Alert, AlertEvent
from gateway.base.mishaps import Mishaps

KEPT_OVER = 200


class Telling:
    """Belongs to the intake thread. What fails for one alert or one listener costs no other."""

    def __init__(self, publish: Callable[[str, bytes], None], mishaps: Mishaps) -> None:
        self.listeners: list[Callable[[AlertEvent], None]] = []
        self._publish, self._mishaps = publish, mishaps
        self._over: deque[str] = deque(maxlen=KEPT_OVER)  # topics of alerts that are closed, for `everything`
        self._untold: dict[str, AlertEvent] = {}  # what could not be retained

    def resume(self, closed: Iterable[Alert]) -> None:
        """After a start: the last closed, newest first."""
        self._over.extend(reversed([topic_of(alert) for alert in closed]))

    def tell(self, events: Iterable[AlertEvent]) -> None:
        for event in events:
            self._retain(event)
            for listener in self.listeners:
                with self._mishaps.contained("who follows alerts", event.alert.station):
                    listener(event)

    def _retain(self, event: AlertEvent) -> None:
        self._untold.pop(event.alert.id, None)
        try:
            topic, payload = retained(event)
            self._publish(topic, payload)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._untold[event.alert.id] = event
            self._mishaps.note("telling an alert", error, event.alert.station)
        else:
            if not payload:
                self._over.append(topic)
            elif event.action == "reopened" and topic in self._over:
                self._over.remove(topic)

    def __bool__(self) -> bool:
        """Whether something could not be told."""
        return bool(self._untold)

    def again(self) -> None:
        """Tell what could not be told."""
        untold, self._untold = self._untold, {}
        for event in untold.values():
            self._retain(event)

    def everything(self, open_alerts: Iterable[Alert]) -> None:
        """Retain every open alert again and take back the last closed: the broker may have forgotten or missed it."""
        for topic in self._over:
            with self._mishaps.contained("taking back a closed alert"):
                self._publish(topic, b"")
        for alert in open_alerts:
            with self._mishaps.contained("telling an open alert", alert.station):
                self._publish(*retained(AlertEvent(alert, alert.changed_at, "opened")))
