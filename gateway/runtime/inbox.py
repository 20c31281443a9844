"""How much may wait in memory for the disk, and what is done about more."""

import logging
from collections import Counter

from gateway.mqtt import Session
from gateway.runtime.limits import IntakeLimits

log = logging.getLogger(__name__)

ROOM_AGAIN = 0.5  # the share of the bounds below which reading goes on


class Inbox:
    """Belongs to the intake thread. `bytes`: of all payloads that were let in and are not yet with the writer."""

    def __init__(self, session: Session, counters: Counter[str], limits: IntakeLimits) -> None:
        self.limits = limits
        self.bytes = 0
        self._session, self._counters = session, counters
        self._full_since: float | None = None  # by the steady clock

    @property
    def full(self) -> bool:
        """Whether it is full; while it is, nothing more is read from the broker."""
        return self._full_since is not None

    def guard(self, waiting: int, waiting_bytes: int, moment: float) -> None:
        """So much waits: if it is too much, and that does not pass soon, leave the broker, which keeps the rest for us,
        until half of it is written."""
        limits, session = self.limits, self._session
        share = max(waiting / limits.inbox_messages, waiting_bytes / limits.inbox_bytes)
        if share < ROOM_AGAIN:
            self._full_since = None
            if session.held:
                session.resume()
        elif share > 1 and self._full_since is None:
            self._full_since = moment
            self._counters["overflows"] += 1
        overdue = self._full_since is not None and moment - self._full_since >= limits.inbox_patience_s
        if overdue and not session.held:
            log.warning("%d messages wait for the disk: leaving the broker until half of them are stored", waiting)
            session.hold()
