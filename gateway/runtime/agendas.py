"""What the calendars of areas say, on its way from the thread that reads them into the live state."""

from collections import deque
from collections.abc import Mapping

from gateway.calendars.wanted import AreaKey
from gateway.live import Live
from gateway.live.state import TRY_AGAIN_MS
from gateway.model import Millis
from gateway.policy.activities import Agenda


class AgendaInbox:
    """`put` may be called by any thread, the rest belongs to intake."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._coming: deque[Mapping[AreaKey, Agenda]] = deque()
        self._waiting: dict[AreaKey, Agenda] = {}  # not yet taken in
        self._try_at: Millis = 0

    def put(self, changed: Mapping[AreaKey, Agenda]) -> None:
        self._coming.append(changed)

    def take_in(self, now: Millis) -> None:
        """Take in the agendas that came. One that fails is tried again in a while."""
        while self._coming:
            self._waiting |= self._coming.popleft()
        if not self._waiting or now < self._try_at <= now + TRY_AGAIN_MS:
            return
        for (station, area), agenda in list(self._waiting.items()):
            with self._live.mishaps.contained(f"calendar of {station}/{area}", station):
                self._live.programme(station, area, agenda, now)
                del self._waiting[station, area]
        self._try_at = now + TRY_AGAIN_MS if self._waiting else 0
