"""What staff have muted for a while: of it nothing is told. (Alarm standards call this shelving.)"""

from collections.abc import Iterable

from gateway.alerts.kinds import KINDS
from gateway.alerts.words import Alert, AlertEvent
from gateway.base.times import from_rfc3339
from gateway.model import Millis

MUTED_MOST_MS = 7 * 86_400_000
Muted = tuple[str | None, str, str, Millis, str]
"""Station, subject and kind of an alert, when it was muted, and until when in RFC 3339."""


def can_be_muted(alert: Alert) -> bool:
    """Not what threatens people, nor a trouble of ours that makes us blind: those are told to the end."""
    return not (alert.severity == "critical" and KINDS[alert.kind].muting == "system")


class Shelf:
    """By station, subject and kind: from when until when nothing is told. What was told before is told to its end."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str | None, str, str], tuple[Millis, Millis]] = {}

    def resume(self, muted: Iterable[Muted]) -> None:
        """After a start: what was muted lately, the oldest first."""
        for station, subject, kind, at, until in muted:
            self._put((station, subject, kind), at, until)

    def take(self, event: AlertEvent) -> None:
        """Hear of what staff do."""
        if event.action == "muted" and event.text is not None:
            alert = event.alert
            self._put((alert.station, alert.subject, alert.kind), event.at, event.text)

    def holds(self, alert: Alert) -> bool:
        """Is nothing told of this alert?"""
        span = self._spans.get((alert.station, alert.subject, alert.kind))
        return span is not None and can_be_muted(alert) and span[0] < alert.opened_at < span[1]

    def _put(self, key: tuple[str | None, str, str], at: Millis, text: str) -> None:
        until = from_rfc3339(text)
        if until <= at:
            self._spans.pop(key, None)
        else:
            self._spans[key] = at, until
