"""The one thread that writes to the store. It takes jobs in order and hands back those that are durable."""

import contextlib
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.core.outcome import Outcome
from gateway.model import Batch, Change, Millis, Rejected
from gateway.runtime.halves import commit_in_halves
from gateway.store.apart import is_trouble, write_apart
from gateway.store.base import Store, StoreError
from gateway.store.jobs import Done, Job, Keep, KeepEnded, KeepOpenings, KeepReports

log = logging.getLogger(__name__)

RETRY_S = (0.2, 5.0)
TIDY_EVERY_S = 2.0

T = TypeVar("T")


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
    set_aside: list[Rejected] = field(default_factory=list)  # rows of it that could not be stored, now in quarantine


@dataclass(frozen=True, slots=True)
class _Write:
    """Jobs for the store's core file; see `store.jobs.WriteJobs`."""

    jobs: Sequence[Job]
    done: Done | None
    patient: bool


class _ToldToEnd(BaseException):
    """The end came before the store worked again. No `except Exception` on the way may take it."""


class Writer(threading.Thread):
    """`put` a Commit; it comes back through `done` when durable. A store in trouble is tried again until it works.

    Work that fails by what it is costs only itself: a row goes to quarantine, the rest is stored.
    """

    def __init__(self, store: Store, notify: Callable[[], None], mishaps: Mishaps | None = None) -> None:
        super().__init__(name="writer")
        self.store = store
        self.trouble: str | None = None
        self.done: deque[Commit] = deque()
        self.failed: BaseException | None = None
        self._jobs: SimpleQueue[Commit | _Write | None] = SimpleQueue()
        self._notify = notify
        self._mishaps = mishaps or Mishaps()
        self._ending = threading.Event()
        self._tidy = True
        self.upkeep_trouble: str | None = None  # of the background work: what was acknowledged is stored all the same
        self.failures: Counter[str] = Counter()  # what failed by itself and was left out, by its name
        self.chores: list[Callable[[Millis], bool]] = []  # small pieces of work for quiet moments; True: there is more

    def put(self, job: Commit) -> None:
        self._jobs.put(job)

    def write(self, jobs: Sequence[Job], done: Done | None = None, *, patient: bool = True) -> None:
        """See `store.jobs.WriteJobs`. One that fails by what is in it is left out; the others are stored."""
        self._jobs.put(_Write(jobs, done, patient))

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
                    self._do(job)
        except _ToldToEnd:
            pass
        except BaseException as error:
            self.failed = error
            log.critical("thread writer died: %r", error, exc_info=error)
        finally:
            self._notify()

    def _commit(self, job: Commit) -> None:
        self._patiently(self.store.ready)
        begin, outcome = monotonic_s(), job.outcome
        whole = False
        with contextlib.suppress(Exception):  # told with the row that is at fault
            job.number = self._patiently(
                partial(self.store.commit, outcome.batch, outcome.changes, outcome.rejected, job.now)
            )
            whole = True
        if not whole:
            job.number, job.set_aside = self._commit_apart(job)
        job.seconds = monotonic_s() - begin
        if outcome.reports:  # before the checkpoint: what the journal does not tell again must be known
            work = partial(self.store.write, [KeepReports(outcome.reports)])
            self._contained("checks by people", work)
        if job.parts:
            self._contained("checkpoint", lambda: self.store.checkpoint_all(job.parts, job.number))
        if outcome.openings:
            work = partial(self.store.write, [KeepOpenings(outcome.openings)])
            self._contained("promises to be open", work)
        if outcome.ended:
            work = partial(self.store.write, [KeepEnded(outcome.ended)])
            self._contained("activities that are over", work)
        if outcome.kept:  # in one transaction: what was done, and that it was done
            work = partial(self.store.write, [Keep(name, value) for name, value in outcome.kept.items()])
            self._contained(f"keeping {', '.join(outcome.kept)}", work)
        begin = monotonic_s()
        self._patiently(self.store.settle)
        job.seconds += monotonic_s() - begin
        self.done.append(job)
        self._notify()

    def _commit_apart(self, job: Commit) -> tuple[int, list[Rejected]]:
        """See `commit_in_halves`."""

        def commit(batch: Batch, changes: Sequence[Change], rejected: Sequence[Rejected]) -> int:
            return self._patiently(lambda: self.store.commit(batch, changes, rejected, job.now))

        def insist(rejected: Rejected) -> int:
            work = partial(self.store.commit, Batch(), [], [rejected], job.now)
            return self._patiently(work, whatever=True)

        return commit_in_halves(job.outcome, job.now, commit, insist, self._mishaps)

    def _do(self, work: _Write) -> None:
        def write(jobs: Sequence[Job]) -> None:
            if work.patient:
                self._patiently(lambda: self.store.write(jobs))
            else:
                self.store.write(jobs)

        error: Exception | None
        try:
            if work.patient:
                self._patiently(self.store.ready)
            else:
                self.store.ready()
            error = write_apart(write, work.jobs, self._left_out)
            self._patiently(self.store.settle)  # it is stored: nobody may be told that it is not
        except Exception as trouble:  # noqa: BLE001  of the store: whoever is not patient is told
            error = trouble
        if work.done is not None:
            try:
                work.done(error)
            except Exception as fault:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self.failures["telling of stored jobs"] += 1
                self._mishaps.note("store: who waited for jobs", fault)

    def _left_out(self, job: Job, error: Exception) -> None:
        name = type(job).__name__
        self.failures[name] += 1
        self._mishaps.note(f"store: {name}, which is left out", error)

    def _contained(self, what: str, work: Callable[[], object]) -> None:
        """Do it patiently; if it fails by what it is and not by the disk, that costs only itself."""
        try:
            self._patiently(work)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self.failures[what] += 1
            self._mishaps.note(f"store: {what}", error)

    def _patiently(self, work: Callable[[], T], *, whatever: bool = False) -> T:
        """Do it, however long the store is in trouble; what is not the disk's is raised, or with `whatever` waited for.

        _ToldToEnd when we are to end before it worked.
        """
        pause, longest = RETRY_S
        while True:
            try:
                result = work()
            except Exception as error:
                if not (whatever or is_trouble(error)):
                    raise
                if self.trouble is None:
                    log.error("store: %s; nothing is acknowledged until it works again", error)
                self.trouble = str(error)
                self._notify()
                if self._ending.wait(pause):
                    raise _ToldToEnd from None
                pause = min(longest, pause * 2)
            else:
                if self.trouble is not None:
                    log.info("store: works again")
                    self.trouble = None
                return result

    def _pause(self) -> float:
        return 0.001 if self._tidy else TIDY_EVERY_S

    def _upkeep(self) -> None:
        """Between commits: one small piece of background work at a time, each has its turn and fails for itself."""
        now, troubles = now_ms(), list[str]()
        more = [self._turn_of(chore, now, troubles) for chore in (self.store.tidy, *self.chores)]
        self._tidy = any(more)
        trouble = "; ".join(troubles) or None
        if trouble is not None and trouble != self.upkeep_trouble:
            log.error("store: upkeep failed: %s", trouble)
        if (trouble is None) != (self.upkeep_trouble is None):
            self._notify()
        self.upkeep_trouble = trouble

    def _turn_of(self, chore: Callable[[Millis], bool], now: Millis, troubles: list[str]) -> bool:
        """True if there is more to do. Trouble of the store is added to `troubles`."""
        try:
            return chore(now)
        except (StoreError, OSError) as error:
            troubles.append(str(error))
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            name = getattr(chore, "__qualname__", repr(chore))
            self.failures[name] += 1
            self._mishaps.note(f"store: {name}, which is tried again", error)
        return False
