"""What people do with alerts, and what they ask of them."""

from dataclasses import replace

from gateway.alerts.book import Book
from gateway.alerts.case import AlertWords, Case
from gateway.alerts.kinds import KINDS
from gateway.alerts.payload import rfc3339
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

    def release(self, alert_id: str, by: str, now: Millis) -> list[AlertEvent]:
        """An acknowledgement is taken back: nobody takes care. What was not acknowledged stays as it is."""
        case, alert = self._known(alert_id)
        if alert.state == "acknowledged":
            self._book.say(case, "released", now, by, state="open", acknowledged_by=None)
            self._book.arm(case)
        return self._book.collect()

    def reopen(self, alert: Alert, by: str, now: Millis) -> list[AlertEvent]:
        """A closing by hand is taken back. ValueError where another alert about the same is open meanwhile.

        What has gone by itself since then is over for the sensor, which closes it at once.
        """
        book, key = self._book, (alert.station or "", alert.subject, alert.kind)
        case = book.cases.get(key)
        if case is not None and case.alert is not None:
            raise ValueError("another alert about the same is open by now")
        if case is None:
            resource = book.around.resource(alert.station, alert.resource)
            what = AlertWords(resource, alert.cause, alert.detail, severity=alert.severity)
            case = book.cases.add(Case(key, what, since=alert.since, fell=now))
        if KINDS[alert.kind].latched:
            case.holds = True
        case.told = False
        state = "acknowledged" if alert.acknowledged_by else "open"
        case.alert = replace(alert, closed_by=None)
        book.open[alert.id] = case
        book.say(case, "reopened", now, by, state=state, closed_by=None)
        book.arm(case)
        return book.collect()

    def mute(self, alert_id: str, by: str, until: Millis, now: Millis) -> list[AlertEvent]:
        """Tell nothing of this alert, nor of one of the same kind about the same, until then: somebody knows of it.

        An end that is not ahead ends it. Whoever mutes acknowledges.
        """
        case, _ = self._known(alert_id)
        said = self.acknowledge(alert_id, by, now) if until > now else []
        self._book.say(case, "muted", now, by, text=rfc3339(until))
        return said + self._book.collect()

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
