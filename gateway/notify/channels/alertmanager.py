"""Prometheus Alertmanager, API v2: POST /api/v2/alerts, with the end told as soon as it is known.

It keeps nothing over a restart and expects its clients to say again and again what is still firing (prometheus.io,
"Sending alerts": "Clients are expected to continuously re-send alerts as long as they are still active").
"""

from typing import Any

from config.schema.alerts import Channel
from gateway.alerts.payload import rfc3339
from gateway.alerts.words import Alert
from gateway.notify.base import Sender, StaffMessage
from gateway.notify.http import Target, post_json
from gateway.notify.settings import target_of

# An explicit end outlasts its resolve timeout of five minutes and a restart of ours; it is told anew each minute.
FIRING_FOR_MS = 3_600_000
TEST_MS = 60_000
REPEAT_MS = 60_000  # it resolves after five minutes, and forgets at its restart


class Alertmanager:
    def __init__(self, target: Target) -> None:
        self._target = target

    def send(self, message: StaffMessage) -> None:
        entries = [_entry(alert, message, title) for alert, title in zip(message.alerts, message.titles, strict=True)]
        post_json(self._target, entries, message.sent_at).check()


def _entry(alert: Alert, message: StaffMessage, title: str) -> dict[str, Any]:
    test = message.action == "test"
    name, severity = ("yizhan_test", "info") if test else (alert.kind, alert.severity)
    labels = {"alertname": name, "severity": severity, "subject": alert.subject, "alert": alert.id}
    labels |= {name: value for name, value in (("station", alert.station), ("resource", alert.resource)) if value}
    end = alert.changed_at if alert.state == "closed" else message.sent_at + (TEST_MS if test else FIRING_FOR_MS)
    text = message.text if len(message.alerts) == 1 else title
    return {
        "labels": labels,
        "annotations": {"summary": title, "description": text, "cause": alert.cause},
        "startsAt": rfc3339(alert.opened_at),
        "endsAt": rfc3339(end),
    }


def build(channel: Channel) -> Sender:
    target = target_of(channel)
    if "/api/v2/alerts" in target.url:
        return Alertmanager(target)
    return Alertmanager(Target(target.url.rstrip("/") + "/api/v2/alerts", target.timeout_s, target.allow_private))
