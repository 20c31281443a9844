"""Costly questions: a few at a time on threads of their own, the others in a short queue, and none for nobody.

Whatever is asked of the past, the event loop and the threads of the other routes stay free for walls and probes.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from fastapi import HTTPException, Request

from api.addresses import counted

LOOK_S = 0.25  # how often we look whether the asker is still there
CLOSED = "the server is stopping"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WorkerBounds:
    """`at_once` questions are worked on, `queued` more wait up to `wait_s`, of which `per_address` of one customer.

    A question that has not been answered after `work_s` is given up. `about` says what is asked, for who is refused.
    """

    at_once: int = 2
    queued: int = 32
    per_address: int = 12
    wait_s: float = 5
    work_s: float = 20
    about: str = "about the past"


LISTS = WorkerBounds(at_once=1, queued=64, per_address=8, about="about all stations")
FEW_STATIONS = 500  # a list of so many costs no more than a page


class GivenUpError(Exception):
    """Nobody waits for this answer any more, or it has taken too long."""


class Turn:
    """One question's right to be worked on. The work calls `go_on` between its steps."""

    def __init__(self, work_s: float) -> None:
        self._work_s = work_s
        self._ended = threading.Event()
        self.began_at: float | None = None
        self.late = False

    def begin(self) -> None:
        self.began_at = monotonic()
        self.go_on()

    def end(self) -> None:
        self._ended.set()

    def go_on(self) -> None:
        """GivenUpError when the work is to stop here."""
        if self._ended.is_set():
            raise GivenUpError
        if self.began_at is not None and monotonic() - self.began_at > self._work_s:
            self.late = True
            raise GivenUpError


class Workers:
    """The queue and its threads; belongs to the asyncio thread."""

    def __init__(self, bounds: WorkerBounds = WorkerBounds()) -> None:
        self.bounds = bounds
        self._pool = ThreadPoolExecutor(bounds.at_once, thread_name_prefix="past")
        self._turns: set[Turn] = set()
        self._addresses: Counter[str] = Counter()
        self._closed = False

    async def answer(self, request: Request, work: Callable[[Turn], T]) -> T:
        """What `work` returns or raises. HTTPException 503 when there is no turn, or it took too long."""
        turn, address = self._admit(counted(request))
        future = asyncio.get_running_loop().run_in_executor(self._pool, _working, turn, work)
        try:
            await self._watch(request, turn, future)
            return await future
        except GivenUpError:
            detail = f"this took longer than {self.bounds.work_s:g} s; ask for less at a time" if turn.late else CLOSED
            raise _busy(detail) from None
        finally:
            turn.end()
            future.cancel()
            self._turns.discard(turn)
            self._addresses -= Counter([address])

    def close(self) -> None:
        """Give up whatever is still worked on; nothing new is taken."""
        self._closed = True
        for turn in self._turns:
            turn.end()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _admit(self, address: str | None) -> tuple[Turn, str]:
        """Loopback may fill the queue: there it is a proxy that speaks for everybody."""
        most = self.bounds.at_once + self.bounds.queued
        if self._closed:
            raise _busy(CLOSED)
        if len(self._turns) >= most or (address and self._addresses[address] >= self.bounds.per_address):
            raise _busy(f"too many questions {self.bounds.about} at a time; ask again in a moment")
        turn, name = Turn(self.bounds.work_s), address or ""
        self._turns.add(turn)
        self._addresses[name] += 1
        return turn, name

    async def _watch(self, request: Request, turn: Turn, future: "asyncio.Future[T]") -> None:
        """Until there is an answer. Ends the turn when the asker goes, or has waited too long for it to begin."""
        waited_from = monotonic()
        while not (await asyncio.wait([future], timeout=LOOK_S))[0]:
            if await request.is_disconnected():
                turn.end()
                raise _busy("the asker has gone")
            if turn.began_at is None and monotonic() - waited_from > self.bounds.wait_s:
                raise _busy(f"others are asking {self.bounds.about} just now; ask again in a moment")


def _working(turn: Turn, work: Callable[[Turn], T]) -> T:
    turn.begin()
    return work(turn)


def _busy(detail: str) -> HTTPException:
    return HTTPException(503, detail, {"retry-after": "5"})
