"""What a notifier is: one message out, or a typed error. Retry, back-off, caps and records are the worker's."""

from dataclasses import dataclass
from typing import Protocol

from gateway.alerts.words import Alert, Severity
from gateway.model import Millis
from gateway.notify.plain import plain


@dataclass(frozen=True, slots=True)
class StaffMessage:
    """What a person reads, in one language. `id` stays the same over retries, so that a receiver can tell a repeat.

    `alerts` are what it is about, several for a digest, and `titles` their own titles in the same order. `sent_at` is
    the moment of this attempt.
    """

    id: str
    title: str
    lines: tuple[str, ...]
    severity: Severity
    action: str
    sent_at: Millis
    alerts: tuple[Alert, ...] = ()
    titles: tuple[str, ...] = ()
    link: str | None = None

    @property
    def text(self) -> str:
        """All of it as plain text."""
        return "\n".join((self.title, *self.lines, *((self.link,) if self.link else ())))


REASON_CHARS = 300


class SendError(Exception):
    """Not delivered, or not known to be. `permanent`: the same message will never be taken, so trying again is futile.

    `retry_after_s` is what the provider asked for. The text names the provider's own code and holds no more of the
    provider's words than fit a line.
    """

    def __init__(self, text: str, *, permanent: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(plain(text, REASON_CHARS))
        self.permanent = permanent
        self.retry_after_s = retry_after_s


class Sender(Protocol):
    """One channel. Returns only when the provider said that it took the message. See `channels.repeat_ms_of` for one
    whose receiver keeps nothing."""

    def send(self, message: StaffMessage) -> None:
        """SendError otherwise, within the channel's time limit."""
        ...
