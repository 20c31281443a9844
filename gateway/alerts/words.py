"""The words of alerting: what the core says, the store keeps, the notifiers send and the API shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.model import Millis, Signal

Severity = Literal["info", "warning", "critical"]
AlertState = Literal["open", "acknowledged", "closed"]
Action = Literal["opened", "acknowledged", "closed", "commented", "released", "reopened", "muted"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
# An event of these actions is told to staff; the others are only kept.
TOLD: frozenset[Action] = frozenset({"opened", "closed", "reopened"})
SENSOR = "sensor"
# Who closed an alert because staff began to work on what it is about.
MAINTENANCE = "maintenance"
# Who closed an alert because what it is about was taken out of the configuration.
REMOVED = "configuration"


@dataclass(frozen=True, slots=True)
class Alert:
    """One trouble from raise to clear. `id` follows from what, where and since when, so a replay names it the same.

    `station` is None for our own troubles; `subject` is the resource, device, screen or gateway it is about.
    """

    id: str
    station: str | None
    subject: str
    resource: str | None
    kind: str
    severity: Severity
    state: AlertState
    since: Millis
    opened_at: Millis
    changed_at: Millis
    cause: str
    detail: Mapping[str, Signal] = field(default_factory=dict)
    acknowledged_by: str | None = None
    closed_by: str | None = None


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One line of an alert's history, with the alert as it is after it. `(alert.id, at, action)` names it for ever.

    `by` is "sensor" for the machine, else the name of the staff key. "released" takes an acknowledgement back,
    "reopened" a closing by hand; the text of "muted" is until when nothing is told, in RFC 3339.
    """

    alert: Alert
    at: Millis
    action: Action
    by: str = SENSOR
    text: str | None = None


class UnknownAlertError(KeyError):
    """No open alert has this id: it was closed already, or never was."""


DeliveryState = Literal["waiting", "delivered", "dead", "dropped"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed to one channel. `id` follows from alert, action and channel: planning twice plans once.

    `action` is that of the event, or "escalated": told later, and only while nobody has acknowledged.
    `via` is the channel that took it: `channel` itself or its fallback. `error` says how the last attempt failed.
    """

    id: str
    channel: str
    alert: Alert
    action: str
    at: Millis
    due: Millis
    state: DeliveryState = "waiting"
    attempts: int = 0
    done_at: Millis | None = None
    via: str | None = None
    error: str | None = None
