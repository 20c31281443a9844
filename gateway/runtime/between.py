"""Work that changes the live state between two turns of intake, when nothing waits to be stored or acknowledged."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from gateway.base.clock import monotonic_s
from gateway.model import InvariantError, Millis

PATIENCE_S = 10.0
"""So long may the disk take for what came before."""
KEPT_PAUSES = 1_000

Work = Callable[[Millis], None]
"""If it fails, nobody knows what is left of the state: that ends the process."""


class UnchangedError(Exception):
    """It could not be done: nothing has changed."""


@dataclass(frozen=True, slots=True)
class _Asked:
    work: Work
    since_s: float
    done: "Future[None]" = field(default_factory=Future)


class BetweenTurns:
    """`ask` may be called by any thread, the rest belongs to intake. True while work waits: then nothing is read.

    `pauses_s`: for how long reading rested each time, the last ones.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Asked] = deque()
        self.pauses_s: deque[float] = deque(maxlen=KEPT_PAUSES)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def ask(self, work: Work) -> "Future[None]":
        """Done, or UnchangedError where the store does not get there."""
        asked = _Asked(work, monotonic_s())
        self._waiting.append(asked)
        return asked.done

    def refuse(self, trouble: str | None) -> None:
        """What the store is in trouble for, or has kept waiting for too long."""
        for asked in list(self._waiting):
            if trouble is not None or monotonic_s() - asked.since_s > PATIENCE_S:
                self._waiting.remove(asked)
                why = trouble or f"what came before was not stored within {PATIENCE_S:.0f} s"
                asked.done.set_exception(UnchangedError(why))

    def work(self, now: Millis) -> None:
        """Do it all. InvariantError where some of it failed."""
        while self._waiting:
            asked = self._waiting.popleft()
            try:
                asked.work(now)
            except Exception as error:
                asked.done.set_exception(UnchangedError(repr(error)))
                raise InvariantError(f"a change of the live state was left half done: {error!r}") from error
            self.pauses_s.append(monotonic_s() - asked.since_s)
            asked.done.set_result(None)
