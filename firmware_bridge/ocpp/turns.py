"""A TLS handshake costs more than all else that a caller can ask for: some are under way, the others wait.

Who has waited longest is next, but nobody who has waited for so long that he will have given up before we are done. Of
a crowd too large for that, those get in who dialled lately, and the others when they dial again. Who gives up meanwhile
has cost nothing.
"""

import asyncio
from typing import Protocol

from gateway.base.clock import monotonic_s

AT_ONCE = 64
PATIENCE_S = 6.0  # piles wait 10 s and more for an answer to their dialling, and part of it is for the handshake
STALLED_S = 3.0  # has not answered for so long: another may begin beside it
WAITING_S = 60.0


class Shaking(Protocol):
    """A connection whose handshake waits for its turn."""

    def begin(self) -> None: ...
    def drop(self) -> None: ...


class HandshakeTurns:
    """On the loop's thread. `ask` once for a connection, `done` when it is in, or gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[Shaking, float] = {}  # since when, the newest last
        self._underway: dict[Shaking, float] = {}
        self._scheduled = False

    def ask(self, link: Shaking) -> None:
        self._waiting[link] = monotonic_s()
        self._soon()

    def done(self, link: Shaking) -> None:
        """Nothing where it has never asked."""
        self._waiting.pop(link, None)
        if self._underway.pop(link, None) is not None:
            self._soon()

    def look(self, now_s: float) -> None:
        """Every two seconds."""
        for link in [link for link, since in self._underway.items() if now_s - since > STALLED_S]:
            self.done(link)
        for link in [link for link, since in self._waiting.items() if now_s - since > WAITING_S]:
            link.drop()

    def _soon(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        """One a turn of the loop, so that others have theirs."""
        self._scheduled = False
        if self._waiting and len(self._underway) < AT_ONCE:
            now_s = monotonic_s()
            patient = (link for link, since in self._waiting.items() if now_s - since < PATIENCE_S)
            link = next(patient, None) or next(reversed(self._waiting))
            del self._waiting[link]
            self._underway[link] = now_s
            self._soon()
            link.begin()
