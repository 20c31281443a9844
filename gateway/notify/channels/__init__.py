"""The kinds of channel, one file each: a file here is a kind. It is imported when a channel of its kind is configured.

A file has `build(channel) -> Sender`, and `REPEAT_MS` if its receiver forgets what is not said again. To add one, copy
`_template.py`; `python -m config.schema_json` afterwards tells editors of it.
"""

from importlib import import_module
from types import ModuleType

from config.modules import module_of, names_in
from config.schema.alerts import Channel
from gateway.model import Millis
from gateway.notify.base import Sender

CHANNELS = names_in("gateway/notify/channels")


def sender_of(channel: Channel) -> Sender:
    """The channel's sender. ValueError when its address or secret can't be had."""
    sender: Sender = _module(channel).build(channel)
    return sender


def repeat_ms_of(channel: Channel) -> Millis | None:
    """After how long an alert that is still open is sent again; None where the receiver keeps what it was told."""
    repeat_ms: Millis | None = getattr(_module(channel), "REPEAT_MS", None)
    return repeat_ms


def _module(channel: Channel) -> ModuleType:
    return import_module(f"{__name__}.{module_of(channel.kind)}")
