"""What a supervisor hears of us by the protocol of systemd (sd_notify): ready, alive, stopping.

Without `NOTIFY_SOCKET` in the environment nothing is said. Alive is said only while every pulse goes on: a process that
hangs is started again after `WatchdogSec`.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Sequence

Pulse = Callable[[], int]
"""A number that is another at each look, at least once in a third of `WatchdogSec`, as long as its part goes on."""


def tell(state: str) -> None:
    """One datagram, such as `READY=1`. A supervisor that is not there is no trouble of ours."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect("\0" + address[1:] if address.startswith("@") else address)
        sock.send(state.encode())


class Heart:
    """`begin()` says that we are ready and beats until `end()`."""

    def __init__(self, pulses: Sequence[Pulse] = ()) -> None:
        self._pulses, self._seen = pulses, [-1] * len(pulses)
        self._ending = threading.Event()

    def begin(self) -> None:
        tell("READY=1")
        every_s = _third_of_watchdog_s()
        if every_s is not None:
            threading.Thread(target=self._beat, args=(every_s,), name="heart", daemon=True).start()

    def end(self) -> None:
        self._ending.set()
        tell("STOPPING=1")

    def rest(self) -> None:
        """Beat no more, for another one begins."""
        self._ending.set()

    def goes_on(self) -> bool:
        """Whether every pulse is another than at the last look."""
        now = [pulse() for pulse in self._pulses]
        before, self._seen = self._seen, now
        return all(pulse != earlier for pulse, earlier in zip(now, before, strict=True))

    def _beat(self, every_s: float) -> None:
        while True:
            if self.goes_on():
                tell("WATCHDOG=1")
            if self._ending.wait(every_s):
                return


def _third_of_watchdog_s() -> float | None:
    """None where no watchdog waits for this process."""
    try:
        wanted_us = int(os.environ.get("WATCHDOG_USEC", ""))
        mine = int(os.environ.get("WATCHDOG_PID", os.getpid())) == os.getpid()
    except ValueError:
        return None
    return wanted_us / 3_000_000 if mine and wanted_us > 0 else None
