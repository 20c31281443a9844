"""Feishu (飞书) and Lark group robot. Source: open.feishu.cn, "自定义机器人使用指南" (signature, codes)."""

import base64
import hashlib
import hmac

from config.schema.alerts import Channel
from gateway.notify import robots
from gateway.notify.base import Message, Sender
from gateway.notify.http import Target, post_json
from gateway.notify.settings import secret_of, target_of

BUSY = frozenset({9499, 11232, 11233})  # too many requests
WRONG = frozenset({19001, 19002})  # robot address, parameter


class Feishu:
    def __init__(self, target: Target, secret: bytes | None) -> None:
        self._target = target
        self._secret = secret

    def send(self, message: Message) -> None:
        paragraphs: list[list[dict[str, str]]] = [[{"tag": "text", "text": line}] for line in message.lines]
        if message.link:
            paragraphs.append([{"tag": "a", "text": robots.link_text(message), "href": message.link}])
        post = {"title": message.title, "content": paragraphs}
        body: dict[str, object] = {"msg_type": "post", "content": {"post": {"zh_cn": post}}}
        if self._secret is not None:
            seconds = str(message.sent_at // 1000)
            body |= {"timestamp": seconds, "sign": sign(self._secret, seconds)}
        answer = post_json(self._target, body, message.sent_at)
        field = "StatusCode" if "code" not in answer and "StatusCode" in answer else "code"
        robots.check("feishu", answer, field, busy=BUSY, wrong=WRONG)


def sign(secret: bytes, seconds: str) -> str:
    """Base64 of HMAC-SHA-256 over nothing, with "timestamp\\nsecret" as key."""
    return base64.b64encode(hmac.digest(f"{seconds}\n".encode() + secret, b"", hashlib.sha256)).decode()


def build(channel: Channel) -> Sender:
    return Feishu(target_of(channel), secret_of(channel))
