"""What people do with alerts, and what they ask of them."""

from gateway.alerts.book import Book
from gateway.alerts.case import Case
from gateway.alerts.kinds import KINDS
from gateway.alerts.words import Alert, AlertEvent, UnknownAlertError
from gateway.model import Millis


class AlertDesk:
    """Acts give the events that follow; UnknownAlertError for an alert that is closed or never was."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def acknowledge(self, alert_id: str, by: str, now: Millis) -> list[AlertEvent]:
        """Somebody takes care: no escalation. A second time says nothing new."""
        case, alert = self._known(alert_id)
        if alert.state != "acknowledged":
            self._book.say(case, "acknowledged", now, by, state="acknowledged", acknowledged_by=by)
            self._book.arm(case)
        return self._book.collect()

    def close(self, alert_id: str, by: str, now: Millis) -> list[AlertEvent]:
        """Closed by hand: silent until the condition has gone and come again."""
        case, _ = self._known(alert_id)
        self._book.close_alert(case, now, by)
        if KINDS[case.kind].latched:
            case.holds = False
        case.told = case.holds
        self._book.arm(case)
        return self._book.collect()

    def comment(self, alert_id: str, by: str, text: str, now: Millis) -> list[AlertEvent]:
        """Staff leave a word."""
        case, _ = self._known(alert_id)
        self._book.say(case, "commented", now, by, text=text)
        return self._book.collect()

    def open_alerts(self) -> list[Alert]:
        """Open and acknowledged alerts, oldest first. Any thread may ask."""
        alerts = [alert for case in self._book.open.copy().values() if (alert := case.alert) is not None]
        return sorted(alerts, key=lambda alert: (alert.opened_at, alert.id))

    def find(self, alert_id: str) -> Alert | None:
        """The open alert of this id."""
        case = self._book.open.get(alert_id)
        return case.alert if case is not None else None

    def holds(self, alert: Alert) -> bool:
        """Does the sensor still say so?"""
        case = self._case(alert)
        return case is not None and case.holds

    def rests(self, alert: Alert) -> bool:
        """Was it closed for maintenance, and is not yet judged anew?"""
        case = self._case(alert)
        return case is not None and case.resting

    def _case(self, alert: Alert) -> Case | None:
        return self._book.cases.get((alert.station or "", alert.subject, alert.kind))

    def _known(self, alert_id: str) -> tuple[Case, Alert]:
        case = self._book.open.get(alert_id)
        if case is None or case.alert is None:
            raise UnknownAlertError(alert_id)
        return case, case.alert
