"""DingTalk (钉钉) group robot. Source: open.dingtalk.com, "自定义机器人安全设置" (signature) and its error codes."""

import base64
import hashlib
import hmac
from dataclasses import replace
from urllib.parse import quote_plus

from config.schema.alerts import Channel
from gateway.model import Millis
from gateway.notify import robots
from gateway.notify.base import Sender, StaffMessage
from gateway.notify.http import Target, post_json
from gateway.notify.plain import inert
from gateway.notify.settings import secret_of, target_of

CODES = robots.Codes(
    busy=frozenset({-1, 130101, 410100}),  # busy, more than twenty a minute
    # parameter; no such token, group dissolved, token, robot stopped, message type, no such robot; content refused
    wrong=frozenset({40035, 300001, 400013, 400101, 400102, 400105, 400106, 430101, 430102, 430103, 430104}),
    # 310000 is also a wrong signature and an address that is not allowed, which an operator mends
    unworthy=("keyword", "关键词"),
)
MAX_BYTES = 5000


class Dingtalk:
    def __init__(self, target: Target, secret: bytes | None) -> None:
        self._target = target
        self._secret = secret

    def send(self, message: StaffMessage) -> None:
        text = robots.markdown(message, MAX_BYTES)
        body = {"msgtype": "markdown", "markdown": {"title": inert(message.title), "text": text}}
        answer = post_json(self._signed(message.sent_at), body, message.sent_at)
        robots.check("dingtalk", answer, "errcode", CODES)

    def _signed(self, now: Millis) -> Target:
        if self._secret is None:
            return self._target
        mark = "&" if "?" in self._target.url else "?"
        return replace(self._target, url=f"{self._target.url}{mark}timestamp={now}&sign={sign(self._secret, now)}")


def sign(secret: bytes, now: Millis) -> str:
    """Base64 of HMAC-SHA-256 over "timestamp\\nsecret" with the secret as key, ready for a query."""
    text = f"{now}\n".encode() + secret
    return quote_plus(base64.b64encode(hmac.digest(secret, text, hashlib.sha256)))


def build(channel: Channel) -> Sender:
    return Dingtalk(target_of(channel), secret_of(channel))
