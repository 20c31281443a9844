"""Copy this file to `gateway/notify/channels/NAME.py`, change every line, and run `python -m config.schema_json`.

Say in the first line whose protocol it is, and where the provider documents it. Retry, back-off, the cap per hour and
the record of what was delivered are the worker's: a sender sends once. Its tests have the provider's documented
answers (tests/gateway/notify/test_senders.py); docs/alerts.md says when a message counts as taken.
"""

from config.schema.alerts import Channel
from gateway.notify.base import Sender, SendError, StaffMessage
from gateway.notify.http import Target, post_json
from gateway.notify.settings import target_of

# REPEAT_MS = 60_000: only if the receiver forgets what is not said again.


class Toy:
    """Sends `{"text": …}`; a message is taken when the answer says `{"ok": true}`."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def send(self, message: StaffMessage) -> None:
        answer = post_json(self._target, {"text": message.text}, message.sent_at)
        answer.check()
        if answer.json().get("ok") is not True:
            # permanent=True only where the provider says that this message will never be taken.
            raise SendError(f"{answer.host}: {answer.json().get('error', 'took nothing')}")


def build(channel: Channel) -> Sender:
    return Toy(target_of(channel))
