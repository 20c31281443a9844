"""The thread that brings the journal to InfluxDB: after a cursor, in order, each row until it is taken.

An outage of the copy never touches intake.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from zoneinfo import ZoneInfo

from config.schema.store import Influx
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.base.progress import Progress
from gateway.influx.client import TEXT_MOST, InfluxWriter
from gateway.influx.delivery import CopyDelivery, CopyPatience, CopyTarget, DeadLetter, DriftError, EndedError
from gateway.influx.lines import Lines
from gateway.influx.nightly import DayCheck, Nightly
from gateway.influx.status import CopyMetrics
from gateway.model import Millis, Resource
from gateway.store.base import Store
from gateway.store.copy_cursor import position_in
from gateway.store.jobs import Keep, MoveCopy, WriteJobs
from gateway.store.journal import Journal, Journals, parts
from gateway.store.neighbours import with_those_before
from gateway.wire import station_in

log = logging.getLogger(__name__)

KEEP_EVERY_S = 1.0  # a cursor costs a flush to disk
BREATH_MESSAGES, BREATH_S = 250, 0.0002  # others have the interpreter in between
FILLED_FROM = 10_000
"""With so many messages behind the cursor, filling the copy is told of."""
GIVE_WAY_S = 0.5  # so long at most each round waits for intake to catch its breath


@dataclass(slots=True)
class _Round:
    lines: list[str] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)  # messages that no line can be made of
    messages: int = 0
    upto: int = 0


class Ship(threading.Thread):
    """`start()`, `end()`."""

    def __init__(
        self,
        target: CopyTarget,
        lines: Lines,
        journal: Journal,
        copied: tuple[int, int],
        write: WriteJobs,
        *,
        batch_rows: int,
        rows_per_s: int,
        patience: CopyPatience,
        busy: Callable[[], bool],
        stored: Callable[[], int],
        mishaps: Mishaps | None = None,
    ) -> None:
        """`copied`: up to which id the copy has followed, and how many lines it did not take (`Store.copied`).

        `write` has the writer's thread do jobs; `busy` says that live data waits; `stored` counts what it became.
        """
        super().__init__(name="ship", daemon=True)  # a write that hangs may not hold up the end
        self._target, self._lines, self._journal, self._write = target, lines, journal, write
        self._batch_rows, self._rows_per_s, self._patience = batch_rows, rows_per_s, patience
        self._busy, self._stored = busy, stored
        self._upto, self._refused = copied
        self._kept = self._upto
        self._kept_at = 0.0
        self._dead: list[DeadLetter] = []
        self._waiting = 0  # messages behind the cursor when we began
        self._shipped = 0  # messages since
        self._filling: Progress | None = None  # while the copy lacks much of the past
        self._ending = threading.Event()
        self._mishaps = mishaps or Mishaps()
        self.delivery = CopyDelivery(target, patience, batch_rows, self._ending, self._keep, self._mishaps)
        self.nightly: Nightly | None = None
        self.fault: str | None = None  # of ours, the last one

    # ---- for others ----

    def configure(self, resources: Iterable[Resource]) -> None:
        """Turn the messages of these resources into lines from now on. Any thread."""
        self._lines.configure(resources)

    def end(self, timeout_s: float) -> None:
        """Stop after the write that is under way, or in the middle of it: it is sent again at the next start."""
        self._ending.set()
        self.join(timeout_s)

    @property
    def trouble(self) -> str | None:
        """What keeps the copy from being whole, in words; None while all is well."""
        return self.delivery.trouble or self.fault or (self.nightly.trouble if self.nightly is not None else None)

    def metrics(self) -> CopyMetrics:
        sent, night = self.delivery, self.nightly
        return CopyMetrics(
            backlog=max(0, self._waiting + self._stored() - self._shipped),
            rows=sent.rows,
            failures=dict(sent.failures),
            dead_letters=self._refused,
            expired=sent.expired,
            trouble=self.trouble,
            checked=night.checked if night is not None else None,
            days_again=night.again if night is not None else 0,
        )

    # ---- the thread ----

    def run(self) -> None:
        try:
            with self._mishaps.contained("counting what waits for the copy"):
                self._waiting = max(0, self._journal.count(self._upto) - self._stored())
                if self._waiting >= FILLED_FROM:
                    log.info("the copy lacks %d messages; they follow, the oldest first", self._waiting)
                    self._filling = Progress.in_log("filling the copy", "messages")
            while not self._ending.is_set():
                if self._contained(self.ship_once):
                    continue
                if self._at_night():
                    time.sleep(BREATH_S)
                else:
                    self._ending.wait(self._patience.linger_s)
        except EndedError:
            pass
        except BaseException as error:
            log.critical("thread ship died: %r", error, exc_info=error)
        finally:
            if self.nightly is not None:
                self.nightly.end()
            with self._mishaps.contained("keeping how far the copy has come"):
                self._keep()
            self._target.close()
            self._journal.close()

    def _contained(self, step: Callable[[], bool]) -> bool:
        """A fault of ours ends this step, not the thread; it is noted and tried again after a while."""
        try:
            return step()
        except EndedError:
            raise
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note("a step of the copy, which is tried again", error)
            self.fault = repr(error)
            self._ending.wait(self._patience.longest_s)
            return False

    def ship_once(self) -> bool:
        """Send what waits, at most about one batch. True if there may be more."""
        begin = monotonic_s()
        load = self._gather()
        if load.upto == self._upto:
            self._keep()
            return False
        try:
            self.send(load.lines)
        except DriftError:
            self._keep()
            self._ending.wait(self._patience.configuration_s)
            return True
        self.fault = None
        self._lay_aside(load.dead)
        self._shipped += load.messages
        self._tell_filling()
        self._upto = load.upto
        if monotonic_s() - self._kept_at >= KEEP_EVERY_S:
            self._keep()
        self._give_way(len(load.lines), begin)
        return len(load.lines) >= self._batch_rows

    def _tell_filling(self) -> None:
        if self._filling is None:
            return
        if self._shipped < self._waiting:
            self._filling.step(self._shipped, self._waiting)
            return
        log.info("%s", self._filling.text(self._shipped, self._waiting))
        self._filling = None

    def _gather(self) -> _Round:
        load = _Round(upto=self._upto)
        for number, batch in self._journal.after(self._upto):
            for part in parts(batch, BREATH_MESSAGES):
                load.lines += self._lines.of_batch(part, partial(self._unmade, load))
                time.sleep(BREATH_S)
            load.messages += len(batch)
            load.upto = number
            if len(load.lines) >= self._batch_rows or self._ending.is_set():
                break
        return load

    def _unmade(self, load: _Round, topic: bytes, received_at: Millis, error: Exception) -> None:
        """No line can be made of a message. It stands in the journal; the dead letter says where."""
        name = topic.decode(errors="backslashreplace")
        self._mishaps.note(f"a line for the copy, of a message on {name[:200]}", error, station_in(topic))
        load.dead.append((now_ms(), f"# received at {received_at} on {name}", repr(error)[:TEXT_MOST]))

    def _at_night(self) -> bool:
        nightly = self.nightly
        return nightly is not None and self._contained(lambda: nightly.step(now_ms()))

    def send(self, lines: Sequence[str]) -> None:
        """Have the copy take these rows; those that it refuses are laid aside. DriftError, EndedError."""
        self._lay_aside(self.delivery.deliver(lines))

    def _lay_aside(self, dead: Sequence[DeadLetter]) -> None:
        self._dead += dead
        self._refused += len(dead)

    def _keep(self) -> None:
        if self._upto != self._kept or self._dead:
            self._write([MoveCopy(self._target.name, self._upto, self._dead)])
            self._dead = []  # only now: what can't be handed on is handed on the next time
            self._kept, self._kept_at = self._upto, monotonic_s()

    def _give_way(self, rows: int, begin: float) -> None:
        """Not faster than `rows_per_s`, and live data first."""
        spare = rows / self._rows_per_s - (monotonic_s() - begin)
        if spare > 0:
            self._ending.wait(spare)
        until = monotonic_s() + GIVE_WAY_S
        while self._busy() and monotonic_s() < until and not self._ending.wait(0.01):
            pass


def ship_of(
    settings: Influx,
    store: Store,
    resources: Iterable[Resource],
    zone: ZoneInfo,
    *,
    write: WriteJobs,
    busy: Callable[[], bool],
    stored: Callable[[], int],
    mishaps: Mishaps | None = None,
) -> Ship:
    """The thread for the configured copy; nights are those of `zone`. To be made before the store's writer starts."""
    target, lines, longest_s = InfluxWriter(settings), Lines(resources), settings.max_retry_pause_s
    ship = Ship(
        target,
        lines,
        Journal(store.folder),
        store.copied(target.name),
        write,
        batch_rows=settings.batch_rows,
        rows_per_s=settings.rows_per_s,
        patience=CopyPatience(longest_s=longest_s, configuration_s=longest_s),
        busy=busy,
        stored=stored,
        mishaps=mishaps,
    )
    equal = f"copy equal {target.name}"
    kept = store.kept(equal)
    ship.nightly = Nightly(
        DayCheck(settings, Journals(partial(with_those_before, store.folder)), lines),
        zone,
        refused=lambda: set[str]().union(
            *(position_in(folder, target.name)[1] for folder in with_those_before(store.folder))
        ),
        send=ship.send,
        keep=lambda day: write([Keep(equal, b"%d" % day)]),
        done=int(kept) if kept else None,
    )
    return ship
