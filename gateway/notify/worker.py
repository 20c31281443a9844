"""The thread that talks to the outside: it runs the post office and the dead man's switch, and does nothing else."""

import logging
import threading
from collections.abc import Callable

from gateway.base.mishaps import Mishaps
from gateway.model import Millis
from gateway.notify.http import Target, request
from gateway.notify.post import Post

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0
AFTER_A_FAULT_MS: Millis = 10_000


class DeadMan:
    """Asks an outside address regularly while all is well. Its owner tells you when we fall silent."""

    def __init__(self, url: str, interval_ms: Millis, healthy: Callable[[], bool]) -> None:
        self._target = Target(url, allow_private=True)
        self._interval_ms, self._healthy = interval_ms, healthy
        self._next: Millis = 0
        self.failed: str | None = None

    def run(self, now: Millis) -> Millis:
        """Ping if it is time; when to come again."""
        if now >= self._next:
            self._next = now + self._interval_ms
            if self._healthy():
                self._ping(now)
        return self._next

    def _ping(self, now: Millis) -> None:
        try:
            request(self._target, "GET", None, now, {})
        except Exception as error:  # noqa: BLE001  whatever answers there, the alerts go on
            if self.failed is None:
                log.warning("alerts.dead_man_url: %s", error)
            self.failed = str(error)
        else:
            self.failed = None


class NotifyWorker(threading.Thread):
    """`wake()` after new deliveries are stored. A daemon: a provider that hangs does not hold up the end."""

    def __init__(
        self,
        post: Post,
        now: Callable[[], Millis],
        dead_man: DeadMan | None = None,
        mishaps: Mishaps | None = None,
        name: str = "notify",
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._post, self._now, self._dead_man = post, now, dead_man
        self._work = threading.Event()
        self._ending = threading.Event()
        self.failed: BaseException | None = None
        self._mishaps = mishaps or Mishaps()

    def wake(self) -> None:
        self._work.set()

    def configure(self, dead_man: DeadMan | None) -> None:
        """From the next turn on. Any thread."""
        self._dead_man = dead_man
        self.wake()

    def ask_to_end(self) -> None:
        """Stop after what is being sent now; nobody waits."""
        self._ending.set()
        self._work.set()

    def end(self, timeout_s: float) -> bool:
        """Stop after what is being sent now. False if that did not end in time; it will be sent again then."""
        self.ask_to_end()
        self.join(timeout_s)
        return not self.is_alive()

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self._work.clear()
                wait_s = AFTER_A_FAULT_MS / 1000
                with self._mishaps.contained("a turn of the notify thread, which is tried again"):
                    wait_s = self._turn()
                self._work.wait(wait_s)
        except BaseException as error:
            self.failed = error
            log.critical("thread %s died: %r", self.name, error, exc_info=error)

    def _contained(self, what: str, work: Callable[[], Millis | None]) -> Millis | None:
        """What it raises costs this turn of it: it is noted, and tried again after a while."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note(f"{what}, which is tried again", error)
            return self._now() + AFTER_A_FAULT_MS

    def _turn(self) -> float:
        """Do what is due; how long the next turn may wait."""
        wakes = [self._contained("the post", self._post.run)]
        dead_man = self._dead_man
        if dead_man is not None:
            wakes.append(self._contained("the dead man's switch", lambda: dead_man.run(self._now())))
        next_at = min((wake for wake in wakes if wake is not None), default=None)
        if next_at is None:
            return LONGEST_WAIT_S
        return min(LONGEST_WAIT_S, max(0.01, (next_at - self._now()) / 1000))
