"""The thread that brings the journal to InfluxDB: after a cursor, in order, each row until it is taken.

An outage of the copy never touches intake. Lines are the same at every sending, so a write that may or may not have
happened is simply sent again.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from config.schema.store import Influx
from gateway.clock import monotonic_s, now_ms
from gateway.model import Batch, Millis, Resource
from gateway.runtime.status import CopyMetrics
from gateway.store.influx import Answer, InfluxWriter
from gateway.store.influx_cursor import Cursor, Journal
from gateway.store.lines import Lines
from gateway.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

KEEP_EVERY_S = 1.0  # a cursor costs a flush to disk
REFUSED_SHARE = 20  # one row of so many may be refused; more is a changed schema, not a poisoned row
BREATH_MESSAGES, BREATH_S = 250, 0.0002  # others have the interpreter in between
GIVE_WAY_S = 0.5  # so long at most each round waits for intake to catch its breath


class Target(Protocol):
    """Where rows go; `store.influx.InfluxWriter` is one."""

    @property
    def name(self) -> str: ...
    def write(self, lines: Sequence[str], now: Millis) -> Answer: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Pauses in seconds: while rows gather, the first and longest after a failure (full jitter between), and where a
    person must act."""

    linger_s: float = 1.0
    first_s: float = 1.0
    longest_s: float = 60.0
    configuration_s: float = 60.0


class EndedError(Exception):
    """We were told to end in the middle of it."""


class DriftError(Exception):
    """The copy refuses so much that it is no single bad row."""


@dataclass(slots=True)
class _Round:
    lines: list[str] = field(default_factory=list)
    messages: int = 0
    upto: int = 0


class Ship(threading.Thread):
    """`start()`, `end()`. `trouble` says in words what keeps the copy from being whole; None while all is well."""

    def __init__(
        self,
        target: Target,
        lines: Lines,
        journal: Journal,
        cursor: Cursor,
        call: Callable[[Callable[[], None]], None],
        *,
        batch_rows: int,
        rows_per_s: int,
        patience: Patience,
        busy: Callable[[], bool],
        stored: Callable[[], int],
    ) -> None:
        """`call` runs work on the writer's thread; `busy` says that live data waits; `stored` counts what it became."""
        super().__init__(name="ship", daemon=True)  # a write that hangs may not hold up the end
        self._target, self._lines, self._journal, self._cursor, self._call = target, lines, journal, cursor, call
        self._batch_rows, self._rows_per_s, self._patience = batch_rows, rows_per_s, patience
        self._busy, self._stored = busy, stored
        self._limit = batch_rows
        self._upto = self._kept = cursor.upto
        self._kept_at = 0.0
        self._dead: list[tuple[Millis, str, str]] = []
        self._waiting = 0  # messages behind the cursor when we began
        self._shipped = 0  # messages since
        self._ending = threading.Event()
        self.rows = 0
        self.failures: Counter[str] = Counter()
        self.trouble: str | None = None

    # ---- for others ----

    def end(self, timeout_s: float) -> None:
        """Stop after the write that is under way, or in the middle of it: it is sent again at the next start."""
        self._ending.set()
        self.join(timeout_s)

    def metrics(self) -> CopyMetrics:
        backlog = max(0, self._waiting + self._stored() - self._shipped)
        dead = self._cursor.dead_letters
        return CopyMetrics(backlog, self.rows, dict(self.failures), dead, self.trouble)

    # ---- the thread ----

    def run(self) -> None:
        try:
            self._waiting = max(0, self._journal.count(self._upto) - self._stored())
            while not self._ending.is_set():
                if not self.ship_once():
                    self._ending.wait(self._patience.linger_s)
        except EndedError:
            pass
        except BaseException as error:
            log.critical("thread ship died: %r", error, exc_info=error)
        finally:
            self._keep()
            self._target.close()
            self._journal.close()

    def ship_once(self) -> bool:
        """Send what waits, at most about one batch. True if there may be more."""
        begin = monotonic_s()
        load = self._gather()
        if load.upto == self._upto:
            self._keep()
            return False
        try:
            dead = self._deliver(load.lines)
        except DriftError as error:
            self._tell(f"the copy refuses too many rows ({error}): mend it or its schema; nothing is left out")
            self._wait(self._patience.configuration_s)
            return True
        self._dead += dead
        self._cursor.dead_letters += len(dead)
        self.rows += len(load.lines) - len(dead)
        self._shipped += load.messages
        self._upto = load.upto
        if monotonic_s() - self._kept_at >= KEEP_EVERY_S:
            self._keep()
        self._give_way(len(load.lines), begin)
        return len(load.lines) >= self._batch_rows

    def _gather(self) -> _Round:
        load = _Round(upto=self._upto)
        for number, batch in self._journal.after(self._upto):
            for start in range(0, len(batch), BREATH_MESSAGES):
                load.lines += self._lines.of_batch(_part(batch, start, start + BREATH_MESSAGES))
                time.sleep(BREATH_S)
            load.messages += len(batch)
            load.upto = number
            if len(load.lines) >= self._batch_rows or self._ending.is_set():
                break
        return load

    def _deliver(self, lines: list[str]) -> list[tuple[Millis, str, str]]:
        """Send all of it; returns what the copy refuses. A refused part is halved until the bad rows stand alone.

        DriftError when that is more than REFUSED_SHARE allows, or when nothing at all is taken: one row alone proves
        nothing about itself, so it waits for company.
        """
        dead: list[tuple[Millis, str, str]] = []
        parts = self._cut(lines)
        allowed, taken = max(1, len(lines) // REFUSED_SHARE), 0
        while parts:
            part = parts.pop()
            answer = self._settle(part)
            if answer.verdict == "taken":
                taken += len(part)
            elif len(part) == 1:
                dead.append((now_ms(), part[0], f"{answer.reason} {answer.text}"))
                if len(dead) > allowed:
                    raise DriftError(answer.text)
            else:
                if answer.verdict == "too_large":
                    self._limit = min(self._limit, len(part) // 2)
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
        if dead and not taken:
            raise DriftError(dead[-1][2])
        # Once more, now that others were taken: perhaps it was the server, and is mended.
        dead = [one for one in dead if self._settle([one[1]]).verdict != "taken"]
        for _, line, reason in dead:
            log.error("the copy refuses one row (%s): %s", reason, line)
        self._tell(None)
        return dead

    def _cut(self, lines: list[str]) -> list[list[str]]:
        """In parts that the server takes, the first one last."""
        starts = range(0, len(lines), self._limit)
        return [lines[start : start + self._limit] for start in reversed(starts)]

    def _settle(self, part: list[str]) -> Answer:
        """Send it until the copy has decided: taken, refused or too large. EndedError when we shall end."""
        attempt = 0
        while not self._ending.is_set():
            answer = self._target.write(part, now_ms())
            if answer.verdict == "taken":
                return answer
            self.failures[answer.reason] += 1
            if answer.verdict in ("refused", "too_large"):
                return answer
            if answer.verdict == "configuration":
                self._tell(f"configuration of the copy ({self._target.name}): {answer.reason} {answer.text}")
                self._target.close()  # the token may be mended by then
                self._wait(self._patience.configuration_s)
            else:
                self._tell(f"the copy can't be reached ({self._target.name}): {answer.reason} {answer.text}")
                longest = min(self._patience.longest_s, self._patience.first_s * 2 ** min(attempt, 16))
                jitter = random.uniform(0, longest)  # noqa: S311  so that many gateways do not come at once
                self._wait(jitter if answer.wait_s is None else answer.wait_s)
            attempt += 1
        raise EndedError

    def _wait(self, seconds: float) -> None:
        """Pause; what was taken before is kept meanwhile."""
        self._keep()
        self._ending.wait(seconds)

    def _tell(self, trouble: str | None) -> None:
        if trouble is not None and self.trouble is None:
            log.error("%s; the journal keeps everything until it works again", trouble)
        elif trouble is None and self.trouble is not None:
            log.info("the copy takes rows again; %d messages to catch up", self.metrics().backlog)
        self.trouble = trouble

    def _keep(self) -> None:
        if self._upto != self._kept or self._dead:
            dead, self._dead = self._dead, []
            self._call(self._cursor.keep(self._upto, dead))
            self._kept, self._kept_at = self._upto, monotonic_s()

    def _give_way(self, rows: int, begin: float) -> None:
        """Not faster than `rows_per_s`, and live data first."""
        spare = rows / self._rows_per_s - (monotonic_s() - begin)
        if spare > 0:
            self._ending.wait(spare)
        until = monotonic_s() + GIVE_WAY_S
        while self._busy() and monotonic_s() < until and not self._ending.wait(0.01):
            pass


def _part(batch: Batch, start: int, end: int) -> Batch:
    part = Batch()
    part.topics, part.payloads = batch.topics[start:end], batch.payloads[start:end]
    part.received, part.flags = batch.received[start:end], batch.flags[start:end]
    return part


def ship_of(
    settings: Influx,
    store: SqliteStore,
    resources: Iterable[Resource],
    *,
    call: Callable[[Callable[[], None]], None],
    busy: Callable[[], bool],
    stored: Callable[[], int],
) -> Ship:
    """The thread for the configured copy. To be made before the store's writer starts."""
    target = InfluxWriter(settings)
    return Ship(
        target,
        Lines(resources),
        Journal(store.folder),
        Cursor(store, target.name),
        call,
        batch_rows=settings.batch_rows,
        rows_per_s=settings.rows_per_s,
        patience=Patience(longest_s=settings.max_retry_pause_s),
        busy=busy,
        stored=stored,
    )
