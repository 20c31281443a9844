"""What piles said goes to the spool in common commits, on a thread of its own.

The loop never waits for the disk, and no pile waits longer than one commit of the others. A full disk holds all answers
up and loses nothing. What a commit fails over is stored singly; what fails alone is refused.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from firmware_bridge.bus import STORE_AGAIN_S, Sink
from firmware_bridge.devices.base import Heard
from firmware_bridge.spool_file import SpoolError
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.model import Millis

log = logging.getLogger(__name__)

GATHER_S = 0.03
AT_ONCE = 500

Done = Callable[[bool], None]
Read = TypeVar("Read")


class Keeper:
    """`keep` on the loop's thread only. `done(stored)` is called there, in the order of `keep`."""

    def __init__(
        self, name: str, loop: asyncio.AbstractEventLoop, sink: Sink, stop: threading.Event, gather_s: float = GATHER_S
    ) -> None:
        self._gather_s = gather_s
        self._name, self._loop, self._sink, self._stop = name, loop, sink, stop
        self._mishaps = Mishaps(expected=(SpoolError,))
        self._worker = ThreadPoolExecutor(1, f"keep-{name}")
        self._waiting: list[tuple[Heard, Done]] = []
        self._busy = False

    def keep(self, heard: Heard, done: Done) -> None:
        self._waiting.append((heard, done))
        if not self._busy:
            self._busy = True
            self._loop.call_later(self._gather_s, self._begin)

    def fetch(self, read: Callable[[], Read], done: Callable[[Read], None]) -> None:
        """What is stored, read behind all that is under way; on the loop's thread `done` gets it, unless it fails."""

        def told(future: "asyncio.Future[Read]") -> None:
            if future.cancelled() or self._stop.is_set():
                return
            with self._mishaps.contained(f"bus {self._name}: what is stored"):
                try:
                    done(future.result())
                except SpoolError as error:
                    log.error("bus %s: %s", self._name, error)

        self._loop.run_in_executor(self._worker, read).add_done_callback(told)

    def close(self) -> None:
        """After `stop`: wait for the commit under way."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> None:
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        heard = [frame for frame, _ in batch]
        future = self._loop.run_in_executor(self._worker, self._store, heard, now_ms())
        future.add_done_callback(lambda kept: self._kept(batch, kept))

    def _kept(self, batch: list[tuple[Heard, Done]], kept: "asyncio.Future[list[bool]]") -> None:
        if kept.cancelled() or self._stop.is_set():
            return
        for (_, done), stored in zip(batch, kept.result(), strict=True):
            with self._mishaps.contained(f"bus {self._name}: an answer"):
                done(stored)
        if self._waiting:
            self._loop.call_later(self._gather_s, self._begin)
        else:
            self._busy = False

    # ---- on the worker's thread ----

    def _store(self, heard: list[Heard], now: Millis) -> list[bool]:
        try:
            return [self._store_all(heard, now)] * len(heard)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note(f"bus {self._name}: keeping what came", error)
        return [self._stored_alone(frame, now) for frame in heard]

    def _stored_alone(self, heard: Heard, now: Millis) -> bool:
        try:
            return self._store_all([heard], now)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note(f"bus {self._name}: keeping what a pile said", error)
            return False

    def _store_all(self, heard: list[Heard], now: Millis) -> bool:
        while True:
            try:
                self._sink.store(heard, now)
            except SpoolError as error:
                log.error("bus %s waits: %s", self._name, error)
            else:
                return True
            if self._stop.wait(STORE_AGAIN_S):
                return False
