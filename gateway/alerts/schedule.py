"""Deadlines by key: one heap, entries that were overtaken are dropped when they surface."""

import heapq
from typing import Generic, TypeVar

from gateway.model import Millis

K = TypeVar("K", bound=tuple[str, ...])


class Schedule(Generic[K]):
    """At most one deadline a key; ties go by key, so that the order is the same on every run."""

    def __init__(self) -> None:
        self._due: dict[K, Millis] = {}
        self._heap: list[tuple[Millis, K]] = []

    def put(self, key: K, due: Millis | None) -> None:
        """Replace the key's deadline; None takes it away."""
        if due is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due:
            self._due[key] = due
            heapq.heappush(self._heap, (due, key))

    def of(self, key: K) -> Millis | None:
        """The key's deadline."""
        return self._due.get(key)

    def next(self) -> Millis | None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self, now: Millis) -> K | None:
        """Take the earliest key that is due by `now`."""
        due = self.next()
        if due is None or due > now:
            return None
        key = heapq.heappop(self._heap)[1]
        del self._due[key]
        return key
