"""The thread that brings each step of the store to the replica while our own disk writes it, and says when it is there.

What could not be sent stands in the journal, from where it is sent in order as soon as the server is back. An answer
that did not come is asked for by the number of its step: nothing is cancelled, and nothing is written twice.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from gateway.base.clock import monotonic_s
from gateway.store.base import StoreError
from gateway.store.replica.epochs import OwnEpochs
from gateway.store.replica.meeting import OurEnd, first_meeting, late_meeting, line_of, may_write, met_again
from gateway.store.replica.status import ReplicaMetrics
from gateway.store.replica.under_way import StepsUnderWay
from gateway.store.replica.words import (
    FencedError,
    Holder,
    ReplicaServer,
    ServerAwayError,
    Standby,
    StuckError,
)
from gateway.store.sqlite import SqliteStore
from gateway.store.step_words import StoreStep
from gateway.store.steps import steps_after

log = logging.getLogger(__name__)

ANSWER_S = 1.0  # so long the writer waits before it says that it waits
PATIENCE_S = 3.0  # `required: false`: a server so slow counts as away
AGAIN_S = (0.2, 5.0)
LOOK_S = 10.0  # how often the standby is looked for, and whether a silent line is dead


class WholeFiles(Protocol):
    """Where whole files are."""

    def whole(self) -> None: ...


class Companion(Protocol):
    """A thread beside it: whole files, the lease."""

    def start(self) -> None: ...

    def end(self, timeout_s: float) -> None: ...


class ReplicaSender(threading.Thread):
    """See `store.step_words.Replica`. `begin` first, then `start()`, `end()`."""

    def __init__(self, connect: Callable[[], ReplicaServer], *, required: bool, holder: Holder | None = None) -> None:
        """`connect` raises ServerAwayError. `on_change` is called when the trouble is another."""
        super().__init__(name="replica", daemon=True)  # an answer that never comes may not hold up the end
        self._connect, self.required = connect, required
        self.holder = holder or Holder("alone", "this machine")
        self._server: ReplicaServer | None = None
        self._folder = Path()
        self._steps = StepsUnderWay()
        self._ending = threading.Event()
        self._our_end = OurEnd("", 0, (), -1)  # at the start
        self._begun = self._met = self._behind = False
        self._doubtful = 0  # the step whose answer did not come
        self._parts: dict[int, tuple[int, int, bytes]] = {}
        self._parts_after = 0
        self._looked_at = 0.0
        self.epoch = 0  # ours; 0 before we have one
        self._lost: str | None = "not reached yet"
        self.standby = Standby(confirms=False, why="not asked yet")
        self.whole = False
        self.gaps = 0  # how often something was missed
        self._whole_lock = threading.Lock()
        self.failed: BaseException | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.companions: list[Companion] = []
        self._replaced = False

    # ---- for the writer: see store.step_words.Replica ----

    @property
    def confirmed(self) -> int:
        return self._steps.confirmed

    @property
    def newest(self) -> int:
        """The last step that was sent."""
        return self._steps.newest

    def ready(self) -> None:
        if self.required and self._begun and not self._met:
            raise StoreError(f"the replica was not heard of since the start: {self._lost}")

    def send(self, step: StoreStep) -> None:
        self._steps.put(step)

    def parts(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        with self._steps.changed:
            self._parts |= {row[0]: row for row in rows}
            self._parts_after = self._steps.newest

    def settle(self, n: int) -> None:
        patience = ANSWER_S if self.required else PATIENCE_S
        end = monotonic_s() + patience
        with self._steps.changed:
            while self._steps.confirmed < n:
                left = end - monotonic_s()
                if (self._behind or not self._met) and not self.required:
                    return
                if left <= 0 or (self._lost is not None and not self.required) or self.failed is not None:
                    break
                self._steps.changed.wait(left)
            else:
                return
            slow = f"it has not confirmed a commit for {patience:.0f} s: is its synchronous standby there?"
            if self.required:
                raise StoreError(f"the replica: {self._lost or slow}")
            self._behind = True
        log.error("the replica: %s; going on with one copy", self._lost or slow)
        self.on_change()

    # ---- for others ----

    def reaches(self, n: int, patience_s: float) -> bool:
        """Wait until it has all up to step `n`. False where that takes too long."""
        return self._steps.reaches(n, patience_s)

    def is_whole(self, gaps: int, shelf: WholeFiles) -> None:
        """All files are there as they were when there had been so many gaps."""
        with self._whole_lock:
            if self.gaps == gaps:
                shelf.whole()
                self.whole = True
                log.info("replica: everything is there now")

    @property
    def trouble(self) -> str | None:
        """Why there may be one copy alone, in words; None while all is well."""
        if self._lost is not None:
            return f"replica: {self._lost}"
        if self._behind:
            return "replica: it lacks commits, which are being sent"
        return None

    @property
    def doubts(self) -> str | None:
        """What makes less of the replica than it could be, while it is there."""
        if self._lost is not None or self.standby.confirms:
            return None
        return f"replica: no synchronous standby confirms what it takes: {self.standby.why}"

    @property
    def troubles(self) -> tuple[str | None, str | None]:
        return self.trouble, self.doubts

    def metrics(self) -> ReplicaMetrics:
        return ReplicaMetrics(
            self._lost is None, len(self._steps), self._steps.sent,
            self.standby.confirms, self.whole, self.trouble,
        )  # fmt: skip

    def begin(self, store: SqliteStore) -> None:
        """Before anything else is written: what the replica has and the store lacks is taken from there.

        A server that is away is met later. StoreError where the two can't be brought together.
        """
        self._folder, self._own, line = store.folder, OwnEpochs(store.folder), line_of(store)
        store.steps_resumed()  # a server that is away may lack all of them
        self._has(store, line)
        self._begun = True
        try:
            server = self._connect()
        except ServerAwayError as error:
            self._lost = str(error)
            log.error("replica: %s; %s", error, "nothing is stored until it is there" if self.required else "later")
            return
        try:
            may_write(server, self.holder)
            met = first_meeting(server, store, line, self._own)
        except (ServerAwayError, FencedError) as error:
            server.close()
            self._lost = str(error)
            return
        except StuckError as error:
            server.close()
            raise StoreError(str(error)) from error
        self._has(store, line)
        self._steps.confirmed, self.whole, self.epoch = met.last, met.whole, met.epoch
        self._have(server)

    def _has(self, store: SqliteStore, line: str) -> None:
        self._our_end = OurEnd.of(store, line)
        self._steps.newest = self._our_end.last

    def start(self) -> None:
        super().start()
        for companion in self.companions:
            companion.start()

    def end(self, timeout_s: float) -> None:
        self._ending.set()
        self._steps.wake()
        for companion in self.companions:
            companion.end(timeout_s)
        if self.ident is not None:
            self.join(timeout_s)

    # ---- the thread ----

    def run(self) -> None:
        pause, longest = AGAIN_S
        try:
            while not self._ending.is_set():
                try:
                    self._turn()
                    pause = AGAIN_S[0]
                except ServerAwayError as error:
                    self._is_away(str(error))
                    self._ending.wait(pause)
                    pause = min(longest, pause * 2)
                except StoreError as error:  # of our own files: the writer tells of them
                    log.error("replica: %s", error)
                    self._ending.wait(longest)
        except (FencedError, StuckError) as error:
            self._lost = str(error)
            self.failed = error
            log.critical("replica: %s: ending", error)
        except BaseException as error:
            self._lost = repr(error)
            self.failed = error
            log.critical("thread replica died: %r", error, exc_info=error)
        finally:
            self.on_change()
            if self._server is not None:
                self._server.close()

    def _turn(self) -> None:
        if self._replaced:
            raise FencedError("another gateway has taken over")
        server = self._server
        if server is None:
            server = self._connect()
            self._meet(server)
            self._have(server)
        step = self._next()
        if step is not None:
            self._deliver(server, step)
        elif len(self._steps):
            self._from_journal(server)
        elif self._parts and self._steps.confirmed >= self._parts_after:
            with self._steps.changed:
                parts, self._parts = self._parts, {}
            server.keep_parts(sorted(parts.values()))
        self._look(server)

    def _next(self) -> StoreStep | None:
        """The step to be sent now, if it is in memory; waits a little where nothing is to be done."""
        with self._steps.changed:
            if not len(self._steps):
                self._caught_up()
                if not self._parts and not self._ending.is_set():
                    self._steps.changed.wait(LOOK_S / 10)
            return self._steps.next()

    def _caught_up(self) -> None:
        if self._behind:
            self._behind = False
            log.info("replica: it has everything again")
            self.on_change()

    def _from_journal(self, server: ReplicaServer) -> None:
        """What is not in memory any more, or was written before we began."""
        last = self._steps.in_journal()
        for step in steps_after(self._folder, self._steps.confirmed):
            if self._ending.is_set():
                return
            if step.n > last:
                break
            self._miss(server, step.n - 1)
            self._steps.begin(step.n)
            self._deliver(server, step)
            self._look(server)
        self._miss(server, last)

    def _miss(self, server: ReplicaServer, upto: int) -> None:
        """What the replica lacks up to there is in no file any more: the files themselves are brought then."""
        gap = upto - self._steps.confirmed
        if gap > 0:
            log.error("replica: %d commits went with their days, or were damaged: bringing the files anew", gap)
            with self._whole_lock:
                server.lacks_steps()
                self.gaps += 1
                self.whole = False
            self._steps.pass_over(upto)

    def _deliver(self, server: ReplicaServer, step: StoreStep) -> None:
        """The one that is under way."""
        doubtful, self._doubtful = self._doubtful == step.n, step.n
        if not (doubtful and server.has(step)):
            server.insert(step)
        self._doubtful = 0
        self._steps.delivered(step.n)

    # ---- the server ----

    def _meet(self, server: ReplicaServer) -> None:
        """The first time since the start, or again."""
        try:
            if self._met:
                state = met_again(server, self._our_end.line, self._steps.confirmed)
                server.resume(self.epoch)
                self.whole = state.whole
                return
            may_write(server, self.holder)
            met = late_meeting(server, self._folder, self._our_end, self._steps.newest, self._own)
            self._steps.confirmed, self.whole, self.epoch = met.last, met.whole, met.epoch
        except BaseException:
            server.close()
            raise

    def replaced(self) -> None:
        """Somebody else has the lease. Any thread may tell."""
        self._replaced = True

    def _have(self, server: ReplicaServer) -> None:
        self._behind = self._behind or bool(len(self._steps))
        self._server, self._lost, self._met = server, None, True
        self._looked_at = 0.0
        log.info("replica: connected; it lacks %d commits", len(self._steps))
        self._look(server)
        self.on_change()
        self._steps.wake()

    def _is_away(self, why: str) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        if self._lost != why:
            log.error("replica: %s", why)
        self._lost = why
        self._steps.broke_off()
        self.on_change()

    def _look(self, server: ReplicaServer) -> None:
        """Whether a synchronous standby is there; and so whether the line is."""
        if self._looked_at and monotonic_s() < self._looked_at + LOOK_S:
            return
        self._looked_at = monotonic_s()
        before, self.standby = self.standby, server.standby()
        if self.standby != before:
            if self.standby.confirms:
                log.info("replica: a synchronous standby confirms each commit")
            else:
                log.warning("replica: no synchronous standby confirms what it takes: %s", self.standby.why)
            self.on_change()
