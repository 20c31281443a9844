"""How far long work is: one line that is written over on a terminal, a line of the log each minute elsewhere."""

import logging
import sys
from collections.abc import Callable
from io import StringIO
from typing import TextIO

from gateway.base.clock import monotonic_s

log = logging.getLogger(__name__)

TERMINAL_S, LOG_S = 0.2, 60.0


class Progress:
    """`step(done, total)` as often as wanted; `end()` at the end. `unit`: what is counted, such as `rows`."""

    @classmethod
    def in_log(cls, what: str, unit: str, clock: Callable[[], float] = monotonic_s) -> "Progress":
        """Progress as log lines, on a terminal too: for a process that has other work as well."""
        return cls(what, unit, StringIO(), clock)

    def __init__(
        self, what: str, unit: str, out: TextIO | None = None, clock: Callable[[], float] = monotonic_s
    ) -> None:
        self._what, self._unit, self._clock = what, unit, clock
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._began = self._told = clock()
        self._width = 0

    def step(self, done: int, total: int | None = None) -> None:
        now = self._clock()
        if now - self._told < (TERMINAL_S if self._terminal else LOG_S):
            return
        self._told = now
        text = self.text(done, total)
        if self._terminal:
            self._out.write(f"\r{text.ljust(self._width)}")
            self._out.flush()
            self._width = len(text)
        else:
            log.info("%s", text)

    def text(self, done: int, total: int | None) -> str:
        """`restore: 120 of 400 files, 12/s, 23 s left`."""
        rate = done / max(self._clock() - self._began, 0.001)
        head = f"{self._what}: {done}{'' if total is None else f' of {total}'} {self._unit}, {rate:.0f}/s"
        if total is None or not done:
            return head
        return f"{head}, {_span(max(0, total - done) / rate)} left"

    def end(self) -> None:
        """The line is free again for what comes next."""
        if self._width:
            self._out.write(f"\r{' ' * self._width}\r")
            self._out.flush()


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
