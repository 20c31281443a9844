"""Prometheus Alertmanager, API v2: POST /api/v2/alerts, with the end told as soon as it is known."""

from typing import Any

from config.schema.alerts import Channel
from gateway.alerts.payload import rfc3339
from gateway.alerts.words import Alert
from gateway.notify.base import Message, Sender
from gateway.notify.http import Target, post_json
from gateway.notify.settings import target_of

# An explicit end keeps Alertmanager from resolving after its five minutes; we tell it the true end when it comes.
FIRING_FOR_MS = 30 * 86_400_000


class Alertmanager:
    def __init__(self, target: Target) -> None:
        self._target = target

    def send(self, message: Message) -> None:
        body = [_entry(alert, message) for alert in message.alerts] or [_test(message)]
        post_json(self._target, body, message.sent_at)


def _entry(alert: Alert, message: Message) -> dict[str, Any]:
    labels = {"alertname": alert.kind, "severity": alert.severity, "subject": alert.subject, "alert": alert.id}
    labels |= {name: value for name, value in (("station", alert.station), ("resource", alert.resource)) if value}
    end = alert.changed_at if alert.state == "closed" else message.sent_at + FIRING_FOR_MS
    return {
        "labels": labels,
        "annotations": {"summary": message.title, "description": message.text, "cause": alert.cause},
        "startsAt": rfc3339(alert.opened_at),
        "endsAt": rfc3339(end),
    }


def _test(message: Message) -> dict[str, Any]:
    return {
        "labels": {"alertname": "yizhan_test", "severity": "info"},
        "annotations": {"summary": message.title},
        "startsAt": rfc3339(message.sent_at),
        "endsAt": rfc3339(message.sent_at + 60_000),
    }


def build(channel: Channel) -> Sender:
    target = target_of(channel)
    if "/api/v2/alerts" in target.url:
        return Alertmanager(target)
    return Alertmanager(Target(target.url.rstrip("/") + "/api/v2/alerts", target.timeout_s, target.allow_private))
