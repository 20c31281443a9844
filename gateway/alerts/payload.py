"""An alert as JSON for the API, the stream, webhooks and `yz-alert/…`: the contract's section 4."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gateway.alerts.words import Alert, AlertEvent
from gateway.model import Millis

_STATES = {
    "opened": "open", "acknowledged": "acknowledged", "closed": "closed", "released": "open", "reopened": "open",
}  # fmt: skip
# Our own troubles belong to no station; no station id can hold an underscore.
OWN = "_system"


def rfc3339(at: Millis) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alert_json(alert: Alert, history: Iterable[tuple[Millis, str, str, str | None]] = ()) -> dict[str, Any]:
    """`history` are (at, action, by, text)."""
    return {
        "id": alert.id,
        "station": alert.station,
        "resource": alert.resource,
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "opened_at": rfc3339(alert.opened_at),
        "changed_at": rfc3339(alert.changed_at),
        "cause": alert.cause,
        "detail": {**alert.detail, "subject": alert.subject, "since": rfc3339(alert.since)},
        "history": [
            {"at": rfc3339(at), "action": action, "state": _STATES.get(action), "by": by, "text": text}
            for at, action, by, text in history
        ],
    }


def topic_of(alert: Alert) -> str:
    return f"yz-alert/{alert.station or OWN}/{alert.id}"


def retained(event: AlertEvent) -> tuple[str, bytes]:
    """Topic and payload to publish retained: empty when the alert is closed. Names of staff stay home."""
    alert = event.alert
    topic = topic_of(alert)
    if alert.state == "closed":
        return topic, b""
    document = alert_json(alert)
    del document["history"]
    return topic, json.dumps(document, ensure_ascii=False).encode()
