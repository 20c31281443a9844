"""Feishu (飞书) and Lark group robot. Source: open.feishu.cn, "自定义机器人使用指南" (signature, codes)."""

import base64
import hashlib
import hmac

from config.schema.alerts import Channel
from gateway.notify import robots
from gateway.notify.base import Sender, StaffMessage
from gateway.notify.http import Target, post_json
from gateway.notify.plain import cut_bytes, inert
from gateway.notify.settings import secret_of, target_of

CODES = robots.Codes(
    busy=frozenset({9499, 11232, 11233, 11247}),  # too many requests, of the robot or of the tenant
    wrong=frozenset({19001, 19002, 19024}),  # robot address, parameter, the robot's keyword is missing
    unworthy=("key words not found",),
)
MAX_BYTES = 12_000  # a request may have 20 KB, with the names of its fields and quotes escaped


class Feishu:
    def __init__(self, target: Target, secret: bytes | None) -> None:
        self._target = target
        self._secret = secret

    def send(self, message: StaffMessage) -> None:
        lines = cut_bytes("\n".join(map(inert, message.lines)), MAX_BYTES).split("\n")
        paragraphs: list[list[dict[str, str]]] = [[{"tag": "text", "text": line}] for line in lines]
        if message.link:
            paragraphs.append([{"tag": "a", "text": robots.link_text(message), "href": message.link}])
        paragraphs.append([{"tag": "text", "text": robots.SIGNATURE}])
        post = {"title": inert(message.title), "content": paragraphs}
        body: dict[str, object] = {"msg_type": "post", "content": {"post": {"zh_cn": post}}}
        if self._secret is not None:
            seconds = str(message.sent_at // 1000)
            body |= {"timestamp": seconds, "sign": sign(self._secret, seconds)}
        answer = post_json(self._target, body, message.sent_at)
        said = answer.json()
        field = "StatusCode" if "code" not in said and "StatusCode" in said else "code"
        robots.check("feishu", answer, field, CODES)


def sign(secret: bytes, seconds: str) -> str:
    """Base64 of HMAC-SHA-256 over nothing, with "timestamp\\nsecret" as key."""
    return base64.b64encode(hmac.digest(f"{seconds}\n".encode() + secret, b"", hashlib.sha256)).decode()


def build(channel: Channel) -> Sender:
    return Feishu(target_of(channel), secret_of(channel))
