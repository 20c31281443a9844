"""Messages in WeChat (微信) by a mini-program: subscription messages (订阅消息), or device messages (设备消息).

Source: developers.weixin.qq.com, "subscribeMessage.send", "hardwareDevice.send", "getStableAccessToken" and the error
codes of each.
"""

import logging
import threading
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from config.schema.alerts import Channel
from gateway.model import Millis
from gateway.notify import robots
from gateway.notify.base import Sender, SendError, StaffMessage
from gateway.notify.http import Answer, Target, post_json
from gateway.notify.plain import plain
from gateway.notify.settings import secret_of
from gateway.notify.tokens import AccessToken

log = logging.getLogger(__name__)

HOST: Final = "https://api.weixin.qq.com"
CODES: Final = robots.Codes(
    # busy, more than the day's quota, more than a minute's, too many to one receiver at a time
    busy=frozenset({-1, 45009, 45011, 43108}),
    # the message as such: no such page, a value that fits no keyword of the template, words that are not allowed
    wrong=frozenset({41030, 47003, 45168}),
)
QUOTA: Final = frozenset({45009})
QUOTA_PAUSE_S: Final = 3_600.0
"""A quota is a day's: asked again each hour."""
NOBODY: Final = frozenset({40003, 43101})
"""This receiver is none, or wants no message (any more); others may."""
LONGEST: Final = {
    "thing": 20, "character_string": 32, "phrase": 5, "name": 10, "letter": 32, "symbol": 5, "const": 20, "number": 32,
}  # fmt: skip
"""So many characters a value of a template may have, by the beginning of its keyword."""
SEVERITIES: Final = {"critical": "紧急", "warning": "告警", "info": "提示"}
ZONE: Final = ZoneInfo("Asia/Shanghai")
"""The zone in which WeChat tells a message's time."""
REMEMBERED: Final = 1_000


class Wechat:
    """One template for all receivers. Who took a message is remembered while others are tried again."""

    def __init__(self, channel: Channel, secret: str) -> None:
        if channel.app_id is None or channel.template is None or not channel.to:
            raise ValueError(f"alerts.channels.{channel.id}: needs app_id, secret_file, template and to")
        self._channel = channel
        self._target = Target((channel.url or HOST).rstrip("/"), channel.timeout_s, channel.allow_private)
        self._secret = secret
        self._token = AccessToken("wechat", self._fetch)
        self._taken: OrderedDict[str, dict[str, bool]] = OrderedDict()  # by message and receiver: took it, or refused
        self._lock = threading.Lock()

    def send(self, message: StaffMessage) -> None:
        if self._channel.device_sn is not None:
            self._post(message, "message/device/subscribe/send", self._to_device(message))
            return
        self._to_each(message)

    def _to_each(self, message: StaffMessage) -> None:
        """Each receiver once. SendError where one is to be tried again, or none takes it."""
        taken, refused = self._took(message.id), list[SendError]()  # refused: this time
        for receiver in self._channel.to:
            if receiver in taken:
                continue
            took = True
            try:
                self._post(message, "message/subscribe/send", {"touser": receiver, **self._body(message)})
            except _NobodyError as error:
                log.warning("channel %s: a receiver does not take messages: %s", self._channel.id, error)
                refused.append(error)
                took = False
            taken[receiver] = took
        if refused and not any(taken.values()):
            raise SendError(str(refused[0]), permanent=True)

    def _took(self, message: str) -> dict[str, bool]:
        with self._lock:
            taken = self._taken.setdefault(message, {})
            self._taken.move_to_end(message)
            if len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)
            return taken

    def _post(self, message: StaffMessage, path: str, body: dict[str, Any]) -> None:
        def ask(token: str) -> Answer:
            return post_json(self._at(f"{path}?access_token={token}"), body, message.sent_at)

        answer = self._token.call(message.sent_at, ask)
        code = answer.json().get("errcode")
        if code in NOBODY:
            raise _NobodyError(f"wechat: errcode {code}: {answer.json().get('errmsg')}", permanent=True)
        if code in QUOTA:
            raise SendError(f"wechat: errcode {code}: the day's quota is used up", retry_after_s=QUOTA_PAUSE_S)
        robots.check("wechat", answer, "errcode", CODES)

    def _fetch(self, now: Millis, anew: bool) -> Answer:
        body = {
            "grant_type": "client_credential", "appid": self._channel.app_id, "secret": self._secret,
            "force_refresh": anew,
        }  # fmt: skip
        return post_json(self._at("stable_token"), body, now)

    def _at(self, path: str) -> Target:
        return replace(self._target, url=f"{self._target.url}/cgi-bin/{path}")

    def _body(self, message: StaffMessage) -> dict[str, Any]:
        page = {"page": self._channel.page} if self._channel.page else {}
        lang = "en_US" if self._channel.lang == "en" else "zh_CN"
        data = {name: {"value": _value(name, word, message)} for name, word in self._channel.fields.items()}
        return {"template_id": self._channel.template, "lang": lang, "data": data, **page}

    def _to_device(self, message: StaffMessage) -> dict[str, Any]:
        device = {"sn": self._channel.device_sn, "modelId": self._channel.model_id}
        return {"to_openid_list": list(self._channel.to), **device, **self._body(message)}


class _NobodyError(SendError):
    """One receiver, not the message."""


def _value(keyword: str, word: str, message: StaffMessage) -> str:
    """What stands under a keyword of the template (`thing1`, `time2`), no longer than such a keyword may be."""
    kind = keyword.rstrip("0123456789")
    if kind in ("time", "date"):
        return f"{datetime.fromtimestamp(message.sent_at / 1000, ZONE):%Y年%m月%d日 %H:%M}"
    where, _, what = message.title.lstrip("🔴🟠🔵✅ ").rpartition(" · ")
    words = {
        "title": message.title, "where": where or what, "what": what, "severity": SEVERITIES[message.severity],
        "text": " ".join(message.lines), "first": message.lines[0] if message.lines else "",
        "last": message.lines[-1] if message.lines else "",
    }  # fmt: skip
    text = words[word].translate({ord(mark): None for mark in "🔴🟠🔵✅"}).strip()
    return plain(text or "-", LONGEST.get(kind, 20))


def build(channel: Channel) -> Sender:
    secret = secret_of(channel)
    if secret is None:
        raise ValueError(f"alerts.channels.{channel.id}: needs secret_file, with the app's secret")
    return Wechat(channel, secret.decode().strip())
