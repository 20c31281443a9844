"""Faults put into running code: the n-th call of any function of the given rooms raises."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import gateway

ROOT = str(Path(gateway.__file__).parents[1])
SPARED = (
    "base/mishaps.py",
    "core/before.py",
    "alerts/before.py",
    "alerts/apart.py",
)  # what contains a fault may not be the fault


class FaultError(Exception):
    """Not one of those that anybody expects."""


ERRORS = (FaultError, StopIteration, KeyError, AssertionError, RecursionError, MemoryError, ZeroDivisionError)


class Fault:
    """Counts calls into `rooms`, paths from the source's root; raises at number `at`. With `at` 0 it only counts."""

    def __init__(self, rooms: tuple[str, ...], at: int = 0, error: type[Exception] = FaultError) -> None:
        self.calls, self.raised = 0, ""
        assert all(any(Path(ROOT).glob(f"{room.rstrip('/')}*")) for room in rooms), rooms
        self._rooms = tuple(f"{ROOT}/{room}" for room in rooms)
        self._spared = tuple(f"{ROOT}/gateway/{file}" for file in SPARED)
        self._at, self._error = at, error

    def __call__(self, frame: FrameType, event: str, _arg: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(self._rooms) or code.co_filename.endswith(self._spared):
            return
        if code.co_name.startswith("<"):
            return  # within a function that counts already
        self.calls += 1
        if self.calls == self._at:
            self.raised = f"{code.co_filename.removeprefix(ROOT)}:{code.co_qualname}"
            raise self._error(self.raised)

    @contextmanager
    def inside(self) -> Iterator["Fault"]:
        """In this thread, and in those that begin meanwhile."""
        before = sys.gettrace()
        threading.settrace(self)
        sys.settrace(self)
        try:
            yield self
        finally:
            sys.settrace(before)
            threading.settrace(before)


def calls(rooms: tuple[str, ...], act: Callable[[], object]) -> int:
    """How many there are to choose from."""
    with Fault(rooms).inside() as fault:
        act()
    return fault.calls
