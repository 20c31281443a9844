"""Faults of ours over single inputs: each costs its input, is told once in the log, and is there for the alert side."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

log = logging.getLogger(__name__)

PLACES = 1_000  # in our code that were told of; more are told again
WAITING = 1_000

CodePlace = tuple[str, str, int]


class Contained:
    """A block for `with`. A turn of intake has twenty: a generator for each would cost as much as ten messages."""

    __slots__ = ("_note", "_station", "_what")

    def __init__(self, note: Callable[[str, Exception, str | None], None], what: str, station: str | None) -> None:
        self._note, self._what, self._station = note, what, station

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False  # none; or an InvariantError, which goes on
        self._note(self._what, error, self._station)
        return True


class Mishaps:
    """`note` each; `take` what came since. Any thread may do either. What is `expected` goes on to who expects it.

    `count` is the total since we started.
    """

    def __init__(self, expected: tuple[type[Exception], ...] = ()) -> None:
        self._through = expected
        self.count = 0
        self._told: set[CodePlace] = set()
        self._lock = threading.Lock()
        self._news: deque[tuple[str | None, str]] = deque(maxlen=WAITING)

    def note(self, what: str, error: Exception, station: str | None = None) -> None:
        """`what` could not be handled. What is expected is raised again."""
        if isinstance(error, self._through):
            raise error
        place = _place(error)
        with self._lock:
            self.count += 1
            self._news.append((station, _name_of(type(error))))
            told = place in self._told
            if not told:
                self._told = {*self._told, place} if len(self._told) < PLACES else {place}
        if not told:
            log.error("%s: a fault of this program; it is set aside, the rest goes on", what, exc_info=error)

    def contained(self, what: str, station: str | None = None) -> "Contained":
        """Whatever is raised inside costs what is inside."""
        return Contained(self.note, what, station)

    @property
    def waiting(self) -> bool:
        """Whether there is something to `take`."""
        return bool(self._news)

    def take(self) -> list[tuple[str | None, str]]:
        """(station, or None for the whole gateway; the name of the error) of those since the last call."""
        taken = []
        while self._news:
            taken.append(self._news.popleft())
        return taken


def _name_of(kind: type[BaseException]) -> str:
    """As people look it up: `KeyError`, `struct.error`."""
    return kind.__name__ if kind.__name__[:1].isupper() else f"{kind.__module__}.{kind.__name__}"


def _place(error: BaseException) -> CodePlace:
    """Where it was raised: the same fault again is no news, whatever its text."""
    trace, file, line = error.__traceback__, "", 0
    while trace is not None:
        file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return type(error).__name__, file, line
