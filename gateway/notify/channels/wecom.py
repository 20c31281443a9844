"""WeCom (企业微信) group robot. Source: developer.work.weixin.qq.com, "群机器人配置说明" and the global error codes."""

from config.schema.alerts import Channel
from gateway.notify import robots
from gateway.notify.base import Sender, StaffMessage
from gateway.notify.http import Target, post_json
from gateway.notify.settings import target_of

CODES = robots.Codes(
    busy=frozenset({-1, 45009, 45033}),  # system busy, more than twenty a minute, too many at a time
    # message type, parameter or too long, empty, robot address, robot taken out of its group
    wrong=frozenset({40008, 40058, 44004, 45002, 93000, 93004, 93008}),
)
MAX_BYTES = 4096


class Wecom:
    def __init__(self, target: Target) -> None:
        self._target = target

    def send(self, message: StaffMessage) -> None:
        body = {"msgtype": "markdown", "markdown": {"content": robots.markdown(message, MAX_BYTES)}}
        answer = post_json(self._target, body, message.sent_at)
        robots.check("wecom", answer, "errcode", CODES)


def build(channel: Channel) -> Sender:
    return Wecom(target_of(channel))
