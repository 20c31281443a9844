"""The one thread that writes to the store. It takes jobs in order and hands back those that are durable."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from gateway.clock import monotonic_s, now_ms
from gateway.core.pipeline import Outcome
from gateway.model import Millis
from gateway.store.base import Store, StoreError

log = logging.getLogger(__name__)

RETRY_S = (0.2, 5.0)
TIDY_EVERY_S = 2.0

Watermarks = Sequence[tuple[str, bytes]]


@dataclass(slots=True)
class Commit:
    """An outcome to make durable; then `mids` of connection `epoch` are acknowledged and `watermarks` published."""

    outcome: Outcome
    now: Millis
    epoch: int = 0
    mids: list[int] = field(default_factory=list)
    watermarks: Watermarks = ()
    parts: Sequence[tuple[int, bytes]] = ()
    number: int = 0
    seconds: float = 0.0


class Writer(threading.Thread):
    """`put` a Commit; it comes back through `done` when durable. A store in trouble is tried again until it works."""

    def __init__(self, store: Store, notify: Callable[[], None]) -> None:
        super().__init__(name="writer")
        self.store = store
        self.trouble: str | None = None
        self.done: deque[Commit] = deque()
        self.failed: BaseException | None = None
        self._jobs: SimpleQueue[Commit | Callable[[], None] | None] = SimpleQueue()
        self._notify = notify
        self._ending = threading.Event()
        self._tidy = True
        self.chores: list[Callable[[Millis], bool]] = []  # small pieces of work for quiet moments; True: there is more

    def put(self, job: Commit) -> None:
        self._jobs.put(job)

    def call(self, work: Callable[[], None]) -> None:
        """Run something else that writes to the store, between two commits."""
        self._jobs.put(work)

    def end(self, timeout_s: float) -> bool:
        """Finish what was put, then stop. False if it did not within `timeout_s` (a disk that hangs or is full)."""
        self._jobs.put(None)
        self.join(timeout_s / 2)
        self._ending.set()
        self.join(timeout_s / 2)
        return not self.is_alive()

    def run(self) -> None:
        try:
            while True:
                try:
                    job = self._jobs.get(timeout=self._pause())
                except Empty:
                    self._upkeep()
                    continue
                if job is None or self._ending.is_set():
                    return
                if isinstance(job, Commit):
                    self._commit(job)
                else:
                    self._patiently(job)
        except BaseException as error:
            self.failed = error
            log.critical("thread writer died: %r", error, exc_info=error)
        finally:
            self._notify()

    def _commit(self, job: Commit) -> None:
        begin = monotonic_s()
        outcome = job.outcome

        def work() -> None:
            job.number = self.store.commit(outcome.batch, outcome.changes, outcome.rejected, job.now)

        if not self._patiently(work):
            return
        job.seconds = monotonic_s() - begin
        if job.parts:
            self._patiently(lambda: self.store.checkpoint_all(job.parts, job.number))
        for name, value in outcome.kept.items():
            self._patiently(lambda name=name, value=value: self.store.keep(name, value))  # type: ignore[misc]
        self.done.append(job)
        self._notify()

    def _patiently(self, work: Callable[[], None]) -> bool:
        """Do it, however long the store is in trouble. False only when we are told to end before it worked."""
        pause, longest = RETRY_S
        while True:
            try:
                work()
            except StoreError as error:
                if self.trouble is None:
                    log.error("store: %s; nothing is acknowledged until it works again", error)
                self.trouble = str(error)
                self._notify()
                if self._ending.wait(pause):
                    return False
                pause = min(longest, pause * 2)
            else:
                if self.trouble is not None:
                    log.info("store: works again")
                    self.trouble = None
                return True

    def _pause(self) -> float:
        return 0.001 if self._tidy else TIDY_EVERY_S

    def _upkeep(self) -> None:
        """Between commits: one small piece of background work at a time."""
        try:
            now = now_ms()
            more = [chore(now) for chore in (self.store.tidy, *self.chores)]  # each has its turn
            self._tidy = any(more)
        except StoreError as error:
            log.error("store: upkeep failed: %s", error)
            self._tidy = False
