"""WeCom (企业微信) group robot. Source: developer.work.weixin.qq.com, "群机器人配置说明" and the global error codes."""

from config.schema.alerts import Channel
from gateway.notify import robots
from gateway.notify.base import Message, Sender
from gateway.notify.http import Target, post_json
from gateway.notify.settings import target_of

BUSY = frozenset({-1, 45009, 45033})  # system busy, calls too often, too many at a time
WRONG = frozenset({40008, 40058, 93000})  # message type, parameter, robot address
MAX_BYTES = 4096


class Wecom:
    def __init__(self, target: Target) -> None:
        self._target = target

    def send(self, message: Message) -> None:
        content = robots.markdown(message).encode()[:MAX_BYTES].decode(errors="ignore")
        body = {"msgtype": "markdown", "markdown": {"content": content}}
        answer = post_json(self._target, body, message.sent_at)
        robots.check("wecom", answer, "errcode", busy=BUSY, wrong=WRONG)


def build(channel: Channel) -> Sender:
    return Wecom(target_of(channel))
