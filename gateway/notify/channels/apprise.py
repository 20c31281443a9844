"""Everything else, through apprise (an extra: 150 services, 30 MB). Loaded on the first message only.

Not for WeCom, DingTalk or Feishu: apprise 2.2 takes HTTP 200 with an error in the body for success.
"""

from config.schema.alerts import Channel
from gateway.notify.base import Sender, SendError, StaffMessage
from gateway.notify.settings import url_of


class Apprise:
    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: StaffMessage) -> None:
        try:
            import apprise
        except ImportError as error:
            raise SendError("apprise is not installed: .venv/bin/pip install 'yizhan[apprise]'") from error
        outlet = apprise.Apprise()
        if not outlet.add(self._url):
            raise SendError("apprise does not know this kind of url", permanent=True)
        if not outlet.notify(title=message.title, body="\n".join(message.text.splitlines()[1:])):
            raise SendError(f"apprise: {self._url.partition(':')[0]} did not take the message")


def build(channel: Channel) -> Sender:
    return Apprise(url_of(channel))
