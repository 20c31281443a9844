"""The steps between our journal and the replica: those in memory, the one under way, and what is confirmed."""

import threading
from collections import deque

from gateway.store.step_words import StoreStep

RECENT_MOST = 32 << 20  # bytes of steps in memory; older ones are read from the journal


class StepsUnderWay:
    """The writer puts steps, the sender takes them in order. `changed` is notified of each change, and is the lock."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.confirmed = self.newest = 0
        self.sent = 0  # in all
        self._recent: deque[StoreStep] = deque()
        self._recent_bytes = 0
        self._sending = 0  # the step that is under way; 0: none is
        self._again = False  # it was replaced meanwhile

    def __len__(self) -> int:
        """How many the replica lacks."""
        return max(0, self.newest - self.confirmed)

    def put(self, step: StoreStep) -> None:
        """The newest; the same number again replaces what was put before."""
        with self.changed:
            while self._recent and self._recent[-1].n >= step.n:
                self._recent_bytes -= len(self._recent.pop().body)
            self._again = self._again or self._sending >= step.n
            self.confirmed = min(self.confirmed, step.n - 1)
            self._recent.append(step)
            self._recent_bytes += len(step.body)
            while self._recent_bytes > RECENT_MOST and len(self._recent) > 1:
                self._recent_bytes -= len(self._recent.popleft().body)
            self.newest = step.n
            self.changed.notify_all()

    def next(self) -> StoreStep | None:
        """The step behind the last confirmed one, if it is in memory: from now on it is under way."""
        with self.changed:
            while self._recent and self._recent[0].n <= self.confirmed:
                self._recent_bytes -= len(self._recent.popleft().body)
            first = self._recent[0] if self._recent else None
            if first is None or first.n != self.confirmed + 1:
                return None
            self._sending, self._again = first.n, False  # with the same lock: from now on it may be replaced
            return first

    def in_journal(self) -> int:
        """Up to which step what the replica lacks must be read from the journal."""
        with self.changed:
            return self._recent[0].n - 1 if self._recent else self.newest

    def begin(self, n: int) -> None:
        """A step that was read from the journal is under way."""
        with self.changed:
            self._sending, self._again = n, False

    def delivered(self, n: int) -> None:
        """The one under way is there; that does not count where it was replaced meanwhile."""
        with self.changed:
            self._sending = 0
            if not self._again:
                self.confirmed = n
                self.sent += 1
                self.changed.notify_all()

    def pass_over(self, n: int) -> None:
        """What is missing up to `n` is nowhere any more."""
        with self.changed:
            if not self._again:
                self.confirmed = max(self.confirmed, n)
                self.changed.notify_all()

    def reaches(self, n: int, patience_s: float) -> bool:
        """Wait until the replica has all up to `n`. False where that takes too long."""
        with self.changed:
            return self.changed.wait_for(lambda: self.confirmed >= n, patience_s)

    def broke_off(self) -> None:
        with self.changed:
            self._sending = 0
            self.changed.notify_all()

    def wake(self) -> None:
        with self.changed:
            self.changed.notify_all()
