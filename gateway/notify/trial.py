"""One test message to each configured channel, with what the provider really answered. For `doctor --send-test`."""

from collections.abc import Iterable, Iterator

from config.schema.alerts import Channel
from gateway.model import Millis
from gateway.notify.base import SendError
from gateway.notify.table import sender_of
from gateway.notify.texts import test_message


def send_tests(channels: Iterable[Channel], now: Millis) -> Iterator[tuple[str, str | None]]:
    """(channel, None) where the provider took it, else (channel, what is wrong)."""
    for channel in channels:
        try:
            sender_of(channel).send(test_message(channel.id, channel.lang, now))
        except (SendError, ValueError) as error:
            yield channel.id, str(error)
        else:
            yield channel.id, None
