"""A plain webhook: JSON by POST, signed so that the receiver can tell us from anybody else.

`X-Yizhan-Signature: v1=<hex>` is HMAC-SHA-256 over "<X-Yizhan-Timestamp>.<body>" with the shared secret; a receiver
refuses timestamps older than a few minutes. `X-Yizhan-Id` stays the same when a message is sent again.
"""

import hashlib
import hmac
import json

from config.schema.alerts import Channel
from gateway.alerts.payload import alert_json
from gateway.notify.base import Sender, StaffMessage
from gateway.notify.http import Target, request
from gateway.notify.settings import secret_of, target_of


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
        headers = {"Content-Type": "application/json; charset=utf-8", "X-Yizhan-Id": message.id}
        headers["X-Yizhan-Timestamp"] = str(message.sent_at // 1000)
        if self._secret is not None:
            headers["X-Yizhan-Signature"] = sign(self._secret, headers["X-Yizhan-Timestamp"], data)
        request(self._target, "POST", data, message.sent_at, headers)


def sign(secret: bytes, timestamp_s: str, body: bytes) -> str:
    return "v1=" + hmac.digest(secret, timestamp_s.encode() + b"." + body, hashlib.sha256).hex()


def build(channel: Channel) -> Sender:
    return Webhook(target_of(channel), secret_of(channel))
