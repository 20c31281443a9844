"""Reaching the broker without keeping the caller: each attempt in a thread of its own, the next node at once, and a
pause when all have failed.
"""

import random
import threading
from collections.abc import Callable

from gateway.base.clock import monotonic_s

BACKOFF_S = 1.0  # the longest first pause; each further one may be twice as long, up to the longest


class Dialer:
    """`dial`, and look at `busy` and `error` when woken. Before the next attempt comes a pause, with full jitter."""

    def __init__(self, name: str, longest_pause_s: float, wake: Callable[[], None]) -> None:
        self.error: str | None = None  # of the last attempt
        self.failures = 0
        self._tried = 0  # attempts since a connection lasted, over all nodes
        self._name, self._longest_pause_s, self._wake = name, longest_pause_s, wake
        self._at = 0.0
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._over.set()

    @property
    def busy(self) -> bool:
        return not self._over.is_set()

    @property
    def pause_s(self) -> float:
        """How long until the next attempt is due."""
        return max(0.0, self._at - monotonic_s())

    def dial(self, connect: Callable[[], None]) -> None:
        """Call `connect` elsewhere; its OSError or ValueError becomes `error`."""
        self.error = None
        self._over.clear()
        self._thread = threading.Thread(target=self._run, args=(connect,), name=f"dial-{self._name}", daemon=True)
        self._thread.start()

    def _run(self, connect: Callable[[], None]) -> None:
        try:
            connect()
        except (OSError, ValueError) as error:
            self.error = str(error)
        finally:
            self._over.set()  # before the wake: who is woken must find it so, though this thread has not ended yet
            self._wake()

    def failed(self, nodes: int = 1) -> None:
        """The next attempt comes later, and the one after it later still; but each of `nodes` is asked once at once.
        With 0 nodes it is no failure: the same one is asked otherwise.
        """
        self._at = 0.0
        if not nodes:
            return
        self._tried += 1
        if self._tried % nodes:
            return
        longest = min(self._longest_pause_s, BACKOFF_S * 2 ** min(self.failures, 12))
        self._at = monotonic_s() + random.uniform(0.05, max(0.05, longest))  # noqa: S311
        self.failures += 1

    def lasted(self) -> None:
        """A connection that stood for long: what failed before it counts no more."""
        self.failures = self._tried = 0

    def join(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)
