"""Every kind of channel: one file and one line here. A file is loaded when a channel of its kind is configured."""

from importlib import import_module

from config.schema.alerts import Channel
from gateway.notify.base import Sender

CHANNELS = {
    "webhook": "gateway.notify.webhook",
    "wecom": "gateway.notify.wecom",
    "dingtalk": "gateway.notify.dingtalk",
    "feishu": "gateway.notify.feishu",
    "smtp": "gateway.notify.smtp",
    "alertmanager": "gateway.notify.alertmanager",
    "apprise": "gateway.notify.apprise",
}

# Kinds whose receiver forgets what is not said again: an Alertmanager resolves after five minutes, and at its restart.
REPEAT_MS = {"alertmanager": 60_000}


def sender_of(channel: Channel) -> Sender:
    """The channel's sender. ValueError when its address or secret can't be had."""
    sender: Sender = import_module(CHANNELS[channel.kind]).build(channel)
    return sender
