"""WeCom (企业微信): a group robot, or with `corp_id` the messages of an app of one's own to members. Source:
developer.work.weixin.qq.com, "群机器人配置说明", "获取access_token", "发送应用消息" and the global error codes."""

import logging
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from config.schema.alerts import Channel
from gateway.model import Millis
from gateway.notify import robots
from gateway.notify.base import Sender, SendError, StaffMessage
from gateway.notify.http import Answer, Target, exchange, post_json
from gateway.notify.plain import cut_bytes, inert
from gateway.notify.settings import secret_of, target_of
from gateway.notify.tokens import AccessToken

log = logging.getLogger(__name__)

CODES = robots.Codes(
    busy=frozenset({-1, 45009, 45033}),  # system busy, more than twenty a minute, too many at a time
    # message type, parameter or too long, empty, robot address, robot taken out of its group
    wrong=frozenset({40008, 40058, 44004, 45002, 93000, 93004, 93008}),
)
MAX_BYTES = 4096
HOST: Final = "https://qyapi.weixin.qq.com"
APP_CODES: Final = robots.Codes(busy=CODES.busy, wrong=frozenset({40008, 40058, 44004, 45002}))
"""Members, rights and addresses that may send (60011, 60020, 81013) an administrator mends while messages wait."""
APP_BYTES: Final = 2048
REPEATS_S: Final = 1_800
"""So long WeCom itself leaves out the same message to the same member: a retry after a lost answer shows once."""


class Wecom:
    def __init__(self, target: Target) -> None:
        self._target = target

    def send(self, message: StaffMessage) -> None:
        body = {"msgtype": "markdown", "markdown": {"content": robots.markdown(message, MAX_BYTES)}}
        answer = post_json(self._target, body, message.sent_at)
        robots.check("wecom", answer, "errcode", CODES)


class WecomApp:
    """Plain text, which members see in WeChat, too."""

    def __init__(self, channel: Channel, secret: str) -> None:
        if channel.agent_id is None or not channel.to:
            raise ValueError(f"alerts.channels.{channel.id}: an app of WeCom needs agent_id and to beside corp_id")
        self._channel, self._secret = channel, secret
        self._target = Target((channel.url or HOST).rstrip("/"), channel.timeout_s, channel.allow_private)
        self._token = AccessToken("wecom", self._fetch)

    def send(self, message: StaffMessage) -> None:
        body = {
            "touser": "|".join(self._channel.to), "msgtype": "text", "agentid": self._channel.agent_id,
            "text": {"content": _text(message)}, "enable_duplicate_check": 1,
            "duplicate_check_interval": REPEATS_S,
        }  # fmt: skip

        def ask(token: str) -> Answer:
            return post_json(self._at("message/send", access_token=token), body, message.sent_at)

        answer = self._token.call(message.sent_at, ask)
        robots.check("wecom", answer, "errcode", APP_CODES)
        left_out = str(answer.json().get("invaliduser") or "")
        if left_out and set(left_out.split("|")) >= set(self._channel.to):
            raise SendError(f"wecom: no receiver is a member who may see the app: {left_out}")
        if left_out:
            log.warning("channel %s: not members who may see the app: %s", self._channel.id, left_out)

    def _fetch(self, now: Millis, _anew: bool) -> Answer:
        target = self._at("gettoken", corpid=self._channel.corp_id or "", corpsecret=self._secret)
        return exchange(target, "GET", None, now, {})

    def _at(self, path: str, **query: str) -> Target:
        return replace(self._target, url=f"{self._target.url}/cgi-bin/{path}?{urlencode(query)}")


def _text(message: StaffMessage) -> str:
    """What is too long loses lines, never the link."""
    tail = "\n".join(["", *([message.link] if message.link else []), robots.SIGNATURE])
    text = "\n".join(map(inert, (message.title, *message.lines)))
    return cut_bytes(text, APP_BYTES - len(tail.encode())) + tail


def build(channel: Channel) -> Sender:
    if channel.corp_id is None:
        return Wecom(target_of(channel))
    secret = secret_of(channel)
    if secret is None:
        raise ValueError(f"alerts.channels.{channel.id}: an app of WeCom needs secret_file beside corp_id")
    return WecomApp(channel, secret.decode().strip())
