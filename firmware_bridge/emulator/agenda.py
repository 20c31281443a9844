"""What happens when: a queue of calls in order of time, then of entry."""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import Any


class CallQueue:
    """Calls of the form `call(at, subject)`. The unit of time is the owner's; equal times keep the order of entry."""

    __slots__ = ("_entered", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[float, Any], None], Any]] = []
        self._entered = 0

    def add(self, at: float, call: Callable[[float, Any], None], subject: Any = None) -> None:
        self._entered += 1
        heappush(self._heap, (at, self._entered, call, subject))

    def shift(self, by: float) -> None:
        """Put everything off by this much; the order stays."""
        self._heap = [(at + by, *rest) for at, *rest in self._heap]

    @property
    def next_due(self) -> float:
        return self._heap[0][0] if self._heap else inf

    def run_next(self) -> float:
        """Make the earliest call and return its time. IndexError when nothing is planned."""
        at, _, call, subject = heappop(self._heap)
        call(at, subject)
        return at
