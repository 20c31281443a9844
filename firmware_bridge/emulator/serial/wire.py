"""A cable on a pseudo-terminal: it can be pulled and put back, paced like a real line, and made noisy."""

import contextlib
import os
import pty
import random
import select
import threading
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.base.clock import monotonic_s


@dataclass(slots=True)
class Faults:
    """Chances for each piece of data on its way to the host. Change them while it runs."""

    flip: float = 0.0
    cut: float = 0.0
    noise: float = 0.0
    mute: bool = False


class Machine(Protocol):
    """A device: what it answers, and what it says by itself. `now_s` never jumps."""

    def hear(self, data: bytes, now_s: float) -> bytes: ...
    def tick(self, now_s: float) -> bytes: ...


class Cable:
    """`path` is where the host opens the port; it stays the same over `unplug` and `plug`, like a udev link."""

    def __init__(self, path: Path, machine: Machine, *, baud: int = 0, tick_s: float = 0.02, seed: int = 0) -> None:
        self.path, self.machine, self.faults = path, machine, Faults()
        self._baud, self._tick_s = baud, tick_s
        self._random = random.Random(seed)  # noqa: S311  faults, not secrets
        self._fds: tuple[int, int] | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"cable-{path.name}", daemon=True)

    def start(self) -> "Cable":
        self.plug()
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self.unplug()

    def plug(self) -> None:
        with self._lock:
            if self._fds is not None:
                return
            near, far = pty.openpty()
            tty.setraw(far)
            self._fds = near, far
            fresh = self.path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.ttyname(far))
            fresh.replace(self.path)

    def unplug(self) -> None:
        with self._lock:
            fds, self._fds = self._fds, None
            self.path.unlink(missing_ok=True)
            for fd in fds or ():
                os.close(fd)

    def say(self, data: bytes) -> None:
        """What the device sends by hand, through the same faults."""
        for piece in self._spoiled(data):
            with self._lock, contextlib.suppress(OSError):
                if self._fds is not None:
                    os.write(self._fds[0], piece)

    def _spoiled(self, data: bytes) -> list[bytes]:
        chance = self._random.random
        if self.faults.mute or not data:
            return []
        if chance() < self.faults.flip:
            at = self._random.randrange(len(data))
            data = data[:at] + bytes((data[at] ^ 1 << self._random.randrange(8),)) + data[at + 1 :]
        if chance() < self.faults.cut:
            data = data[: self._random.randrange(len(data))]
        if chance() < self.faults.noise:
            data = self._random.randbytes(self._random.randrange(1, 20)) + data
        return [data]

    def _run(self) -> None:
        while not self._stop.is_set():
            data = self._read()
            now = monotonic_s()
            said = self.machine.hear(data, now) if data else b""
            said += self.machine.tick(now)
            if said:
                if self._baud:
                    self._stop.wait((len(said) + len(data)) * 10 / self._baud)
                self.say(said)

    def _read(self) -> bytes:
        with self._lock:
            fds = self._fds
        if fds is None:
            self._stop.wait(self._tick_s)
            return b""
        try:
            if select.select([fds[0]], [], [], self._tick_s)[0]:
                return os.read(fds[0], 4096)
        except (OSError, ValueError):  # pulled while we looked
            self._stop.wait(self._tick_s)
        return b""


class Talker:
    """A device that repeats what `report` makes, every `interval_s`."""

    def __init__(self, interval_s: float, report: Callable[[], bytes]) -> None:
        self._interval_s, self._report, self._next = interval_s, report, 0.0

    def hear(self, data: bytes, now_s: float) -> bytes:  # noqa: ARG002
        return b""

    def tick(self, now_s: float) -> bytes:
        if now_s < self._next:
            return b""
        self._next = now_s + self._interval_s
        return self._report()
