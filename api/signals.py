"""SIGTERM and SIGINT as an event: whoever runs a command waits for it. SIGHUP as something to read."""

import contextlib
import os
import signal
import threading


def stop_event() -> threading.Event:
    """Set by the first SIGTERM or SIGINT. Only the main thread may ask for it."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


class Hangups:
    """`bell` can be read once SIGHUP has come. Only the main thread may make one, before it reads what may change."""

    def __init__(self) -> None:
        self.bell, self._rope = os.pipe()
        os.set_blocking(self._rope, False)
        signal.signal(signal.SIGHUP, lambda *_: self.ring())

    def ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it rings already
            os.write(self._rope, b"!")

    def heard(self) -> None:
        """Note that all signals so far are taken."""
        os.read(self.bell, 65_536)
