"""The thread that brings each step of the store to the replica while our own disk writes it, and says when it is there.

What could not be sent stands in the journal, from where it is sent in order as soon as the server is back. An answer
that did not come is asked for by the number of its step: nothing is cancelled, and nothing is written twice.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gateway.base.clock import monotonic_s
from gateway.store.base import StoreError
from gateway.store.replica.meeting import first_meeting, line_of
from gateway.store.replica.status import ReplicaMetrics
from gateway.store.replica.words import (
    FencedError,
    Holder,
    ReplicaServer,
    ReplicaState,
    ServerAwayError,
    Standby,
    StuckError,
)
from gateway.store.sqlite import SqliteStore
from gateway.store.step_words import StoreStep
from gateway.store.steps import ends, steps_after

log = logging.getLogger(__name__)

ANSWER_S = 1.0  # so long the writer waits before it says that it waits
PATIENCE_S = 3.0  # `required: false`: a server so slow counts as away
AGAIN_S = (0.2, 5.0)
LOOK_S = 10.0  # how often the standby is looked for, and whether a silent line is dead
RECENT_MOST = 32 << 20  # bytes of steps in memory; older ones are read from the journal


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
        self._cond = threading.Condition()
        self._ending = threading.Event()
        self._recent: deque[StoreStep] = deque()
        self._recent_bytes = 0
        self._confirmed = self._newest = self._at_start = 0
        self._ends: list[tuple[int | None, int]] = []  # of our files, at the start
        self._met = self._behind = False
        self._sending = 0  # the step that is under way; 0: none is
        self._again = False  # it was replaced meanwhile
        self._doubtful = 0  # the step whose answer did not come
        self._parts: dict[int, tuple[int, int, bytes]] = {}
        self._parts_after = 0
        self._looked_at = 0.0
        self._sent = 0
        self.epoch = 0  # ours; 0 before we have one
        self._line = ""
        self._lost: str | None = "not reached yet"
        self.standby = Standby(confirms=False, why="not asked yet")
        self.whole = False
        self.failed: BaseException | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.companions: list[Companion] = []
        self._replaced = False

    # ---- for the writer: see store.step_words.Replica ----

    @property
    def confirmed(self) -> int:
        return self._confirmed

    def ready(self) -> None:
        if self.required and not self._met:
            raise StoreError(f"the replica was not heard of since the start: {self._lost}")

    def send(self, step: StoreStep) -> None:
        with self._cond:
            while self._recent and self._recent[-1].n >= step.n:
                self._recent_bytes -= len(self._recent.pop().body)
            self._again = self._again or self._sending >= step.n
            self._confirmed = min(self._confirmed, step.n - 1)
            self._recent.append(step)
            self._recent_bytes += len(step.body)
            while self._recent_bytes > RECENT_MOST and len(self._recent) > 1:
                self._recent_bytes -= len(self._recent.popleft().body)
            self._newest = step.n
            self._cond.notify_all()

    def parts(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        with self._cond:
            self._parts |= {row[0]: row for row in rows}
            self._parts_after = self._newest

    def settle(self, n: int) -> None:
        patience = ANSWER_S if self.required else PATIENCE_S
        end = monotonic_s() + patience
        with self._cond:
            while self._confirmed < n:
                left = end - monotonic_s()
                if (self._behind or not self._met) and not self.required:
                    return
                if left <= 0 or (self._lost is not None and not self.required) or self.failed is not None:
                    break
                self._cond.wait(left)
            else:
                return
            slow = f"it has not confirmed a commit for {patience:.0f} s: is its synchronous standby there?"
            if self.required:
                raise StoreError(f"the replica: {self._lost or slow}")
            self._behind = True
        log.error("the replica: %s; going on with one copy", self._lost or slow)
        self.on_change()

    # ---- for others ----

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
            self._lost is None, max(0, self._newest - self._confirmed), self._sent,
            self.standby.confirms, self.whole, self.trouble,
        )  # fmt: skip

    def begin(self, store: SqliteStore) -> None:
        """Before anything else is written: what the replica has and the store lacks is taken from there.

        A server that is away is met later. StoreError where the two can't be brought together.
        """
        self._folder, self._line = store.folder, line_of(store)
        store.steps_resumed()  # a server that is away may lack all of them
        self._newest = self._at_start = store.last_step
        self._ends = ends(store.folder)
        try:
            server = self._connect()
        except ServerAwayError as error:
            self._lost = str(error)
            log.error("replica: %s; %s", error, "nothing is stored until it is there" if self.required else "later")
            return
        try:
            self._may_write(server)
            met = first_meeting(server, store, self._line)
        except (ServerAwayError, FencedError) as error:
            server.close()
            self._lost = str(error)
            return
        except StuckError as error:
            server.close()
            raise StoreError(str(error)) from error
        self._newest = self._at_start = store.last_step
        self._confirmed, self.whole, self.epoch = met.last, met.whole, met.epoch
        self._have(server)

    def start(self) -> None:
        super().start()
        for companion in self.companions:
            companion.start()

    def end(self, timeout_s: float) -> None:
        self._ending.set()
        with self._cond:
            self._cond.notify_all()
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
        elif self._confirmed < self._newest:
            self._from_journal(server)
        elif self._parts and self._confirmed >= self._parts_after:
            with self._cond:
                parts, self._parts = self._parts, {}
            server.keep_parts(sorted(parts.values()))
        self._look(server)

    def _next(self) -> StoreStep | None:
        """The step behind the last confirmed one, if it is in memory; waits a little where nothing is to be done."""
        with self._cond:
            while self._recent and self._recent[0].n <= self._confirmed:
                self._recent_bytes -= len(self._recent.popleft().body)
            if not self._recent and self._confirmed >= self._newest:
                self._caught_up()
                if not self._parts and not self._ending.is_set():
                    self._cond.wait(LOOK_S / 10)
            first = self._recent[0] if self._recent else None
            if first is None or first.n != self._confirmed + 1:
                return None
            self._sending, self._again = first.n, False  # with the same lock: from now on it may be replaced
            return first

    def _caught_up(self) -> None:
        if self._behind:
            self._behind = False
            log.info("replica: it has everything again")
            self.on_change()

    def _from_journal(self, server: ReplicaServer) -> None:
        """What is not in memory any more, or was written before we began."""
        with self._cond:
            limit = self._recent[0].n if self._recent else self._newest + 1
        for step in self._until(limit):
            with self._cond:
                self._sending, self._again = step.n, False
            self._deliver(server, step)
            self._look(server)
            if self._ending.is_set():
                return
        with self._cond:
            gap = limit - 1 - self._confirmed
            if gap > 0 and not self._again:
                log.warning("replica: %d commits went with the days that they belong to", gap)
                self._confirmed = limit - 1

    def _until(self, limit: int) -> Iterator[StoreStep]:
        for step in steps_after(self._folder, self._confirmed):
            if step.n >= limit:
                return
            yield step

    def _deliver(self, server: ReplicaServer, step: StoreStep) -> None:
        """The one that `_sending` tells of."""
        doubtful, self._doubtful = self._doubtful == step.n, step.n
        if not (doubtful and server.has(step)):
            server.insert(step)
        self._doubtful = 0
        with self._cond:
            self._sending = 0
            if not self._again:
                self._confirmed = step.n
                self._sent += 1
                self._cond.notify_all()

    # ---- the server ----

    def _meet(self, server: ReplicaServer) -> None:
        """The first time since the start, or again."""
        try:
            state = server.state()
            self._fits(state)
            if not self._met:
                self._lost_no_end(server)
                self._may_write(server)
                self.epoch = server.claim(self._line)
                self._confirmed = min(self._at_start, state.last) if state is not None else 0
            else:
                server.resume(self.epoch)
            self.whole = state is not None and state.whole
        except BaseException:
            server.close()
            raise

    def _fits(self, state: ReplicaState | None) -> None:
        """StuckError where a start must bring the two together."""
        last = 0
        if state is not None:
            last = state.last
            if state.line != self._line:
                raise StuckError("it holds another store under our name")
        if self._met and last < self._confirmed:
            raise StuckError("it has lost what it had confirmed: the next start sends everything anew")
        # One more may be what our own disk refused, or was acknowledged and lost here by a power cut. While nothing was
        # written since, the next start can take it; else what we wrote under its number takes its place.
        if not self._met and last > self._at_start + (self._newest > self._at_start):
            raise StuckError(f"it has {last - self._at_start} commits more than this store: the next start takes them")

    def _lost_no_end(self, server: ReplicaServer) -> None:
        """StuckError where a file lost its newest commits to a power cut, while nothing was written behind them."""
        for day, last in self._ends if self._newest == self._at_start else ():
            if next(server.steps_of(day, last, self._at_start), None) is not None:
                raise StuckError("a power cut took commits that it has: the next start takes them from there")

    def _may_write(self, server: ReplicaServer) -> None:
        """StuckError while another gateway does."""
        name = server.take_lease(self.holder)
        if name is not None:
            raise StuckError(
                f"a gateway on {name} writes under our name now: stop it, or wait beside it: `yizhan gateway --standby`"
            )

    def replaced(self) -> None:
        """Somebody else has the lease. Any thread may tell."""
        self._replaced = True

    def _have(self, server: ReplicaServer) -> None:
        self._server, self._lost, self._met = server, None, True
        self._looked_at = 0.0
        log.info("replica: connected; it lacks %d commits", self._newest - self._confirmed)
        self._look(server)
        self.on_change()
        with self._cond:
            self._cond.notify_all()

    def _is_away(self, why: str) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        if self._lost != why:
            log.error("replica: %s", why)
        with self._cond:
            self._lost, self._sending = why, 0
            self._cond.notify_all()
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
