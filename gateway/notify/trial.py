"""A trial of each configured channel, with what the provider really answered. For `doctor --send-test`.

It sends what an alert looks like, in the same words and through the same sender: a robot that wants a keyword, a mail
server that refuses a subject or an address that is a redirect shows now.
"""

from collections.abc import Iterable, Iterator

from config.schema.alerts import Channel
from gateway.alerts.places import Places
from gateway.model import Millis
from gateway.notify.base import SendError
from gateway.notify.channels import sender_of
from gateway.notify.texts import test_message


def send_tests(
    channels: Iterable[Channel], places: Places, link: str | None, now: Millis
) -> Iterator[tuple[str, str | None]]:
    """(channel, None) where the provider took it, else (channel, what is wrong)."""
    for channel in channels:
        try:
            sender_of(channel).send(test_message(channel.id, places, channel.lang, now, link))
        except (SendError, ValueError) as error:
            yield channel.id, str(error)
        except Exception as error:  # noqa: BLE001  a fault of ours costs this channel's trial, not the others'
            yield channel.id, f"{type(error).__name__} in the sender: {error}"
        else:
            yield channel.id, None
