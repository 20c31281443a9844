"""The outbox as the notify thread reads it: a store in trouble has nothing due, and the thread lives on."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from gateway.alerts.words import Alert, Delivery
from gateway.model import Millis
from gateway.store.alerts_reader import AlertReader
from gateway.store.base import StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")


class SteadyOutbox:
    """See `notify.post.Outbox`. Trouble is logged when it begins and when it ends."""

    def __init__(self, folder: Path, lanes: Iterable[str] = ()) -> None:
        """`lanes`: the channels that have a thread of their own for dangers."""
        self._lanes = frozenset(lanes)
        self._reader = AlertReader(folder)
        self._trouble = False

    def configure(self, lanes: Iterable[str]) -> None:
        """These have a thread of their own from now on. Any thread."""
        self._lanes = frozenset(lanes)

    def due(self, now: Millis, *, dangers_of: str | None = None) -> list[Delivery]:
        """All but dangers, which have lanes of their own, unless their channel is no longer there; or those that are
        owed to this channel."""
        return self._try(lambda: self._reader.due(now, dangers_of=dangers_of, lanes=self._lanes), [])

    def next_due(self, now: Millis) -> Millis | None:
        return self._try(lambda: self._reader.next_due(now), None)

    def sent_at(self, channel: str, since: Millis) -> list[Millis]:
        return self._try(lambda: self._reader.sent_at(channel, since), [])

    def standing(self, channel: str) -> list[Alert]:
        return self._try(lambda: self._reader.standing(channel), [])

    def close(self) -> None:
        self._reader.close()

    def _try(self, question: Callable[[], T], otherwise: T) -> T:
        try:
            answer = question()
        except StoreError as error:
            if not self._trouble:
                log.error("the outbox can't be read: %s", error)
            self._trouble = True
            return otherwise
        if self._trouble:
            log.info("the outbox can be read again")
        self._trouble = False
        return answer
