"""One heap of deadlines. An owner has one entry at a time: a later deadline is found out when the earlier one pops."""

import heapq
from collections.abc import Iterable
from typing import Protocol

from gateway.model import Millis


class Owner(Protocol):
    alarm: Millis | None


class Alarms:
    def __init__(self) -> None:
        self._heap: list[tuple[Millis, int, Owner]] = []
        self._count = 0
        self._forgotten = 0

    def set(self, owner: Owner, when: Millis | None) -> None:
        """Have `owner` looked at no later than `when`."""
        if when is None or (owner.alarm is not None and owner.alarm <= when):
            return
        owner.alarm = when
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, owner))

    def next(self) -> Millis | None:
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: Millis) -> Owner | None:
        """The next owner whose time has come; None when nobody's has. Superseded entries are passed over."""
        while self._heap and self._heap[0][0] <= now:
            when, _, owner = heapq.heappop(self._heap)
            if owner.alarm == when:
                owner.alarm = None
                return owner
        return None

    def forget(self, owners: Iterable[Owner]) -> None:
        """They are no more. The heap lets go of them when they are many in it."""
        for owner in owners:
            self._forgotten += owner.alarm is not None
            owner.alarm = None
        if self._forgotten > len(self._heap) // 2:
            self._forgotten = 0
            self._heap = [entry for entry in self._heap if entry[2].alarm == entry[0]]
            heapq.heapify(self._heap)

    def shift(self, by: Millis) -> None:
        """The clock was set: every deadline moves along."""
        # Superseded entries go: an owner that had two would be moved twice, and then neither would fire.
        self._heap = [(when + by, count, owner) for when, count, owner in self._heap if owner.alarm == when]
        heapq.heapify(self._heap)  # without them the rest need not be a heap
        for when, _, owner in self._heap:
            owner.alarm = when
