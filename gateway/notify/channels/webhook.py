"""A plain webhook: JSON by POST, signed after Standard Webhooks (`notify/signing`) where there is a secret."""

import json

from config.schema.alerts import Channel
from gateway.alerts.payload import alert_json
from gateway.notify.base import Sender, StaffMessage
from gateway.notify.http import Target, request
from gateway.notify.settings import secret_of, target_of
from gateway.notify.signing import headers_of, key_of


class Webhook:
    def __init__(self, target: Target, secret: bytes | None) -> None:
        self._target = target
        self._secret = secret

    def send(self, message: StaffMessage) -> None:
        alerts = [alert_json(alert) for alert in message.alerts]
        body = {
            "id": message.id, "action": message.action, "severity": message.severity, "title": message.title,
            "text": message.text, "link": message.link, "alert": alerts[0] if len(alerts) == 1 else None,
            "alerts": alerts,
        }  # fmt: skip
        data = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        keys = () if self._secret is None else (key_of(self._secret.decode()),)
        headers = headers_of(message.id, message.sent_at, data, keys)
        request(self._target, "POST", data, message.sent_at, headers)


def build(channel: Channel) -> Sender:
    return Webhook(target_of(channel), secret_of(channel))
