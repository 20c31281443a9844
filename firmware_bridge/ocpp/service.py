"""Piles taken out of service by staff, kept in step with what was set by hand: until when is on disk.

A pile that is away is told when it is back. At the end of the time, or when staff say so, it is told that it may serve
again, and only its answer strikes it off.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from firmware_bridge.spool_file import SpoolError
from gateway.model import Millis

log = logging.getLogger(__name__)


class ServiceStore(Protocol):
    """The spool. SpoolError from each."""

    def out_of_service(self) -> dict[str, Millis]: ...
    def keep_out_of_service(self, device: str, until: Millis | None) -> None: ...
    def open_charge(self, device: str) -> tuple[int, str] | None: ...


class ServiceBook:
    """On the loop's thread. `tell(device, operative, done)` asks the pile; `done(answered)` hears whether it did."""

    def __init__(self, store: ServiceStore, tell: Callable[[str, bool, Callable[[bool], None]], None]) -> None:
        self._store, self._tell = store, tell
        self._until = store.out_of_service()
        self._told: set[str] = set()  # out of service, and the pile knows
        self._asking: set[str] = set()

    def out(self, device: str, until: Millis) -> None:
        """Staff take it out; their own call tells the pile."""
        self._keep(device, until)
        self._told.add(device)

    def back(self, device: str) -> None:
        """Staff put it back; their own call tells the pile."""
        self._keep(device, None)

    def forget_told(self, device: str) -> None:
        """Its pile has just dialled: it may have forgotten."""
        self._told.discard(device)

    def tick(self, now: Millis, there: Callable[[str], bool]) -> None:
        for device, until in list(self._until.items()):
            over = until <= now
            if device in self._asking or not there(device) or (device in self._told and not over):
                continue
            self._asking.add(device)
            self._tell(device, over, partial(self._answered, device, over))

    def _answered(self, device: str, over: bool, answered: bool) -> None:
        self._asking.discard(device)
        if answered and over:
            self._keep(device, None)
        elif answered:
            self._told.add(device)

    def _keep(self, device: str, until: Millis | None) -> None:
        try:
            self._store.keep_out_of_service(device, until)
        except SpoolError as error:
            log.error("%s; not kept: whether %s is in service", error, device)
        if until is None:
            self._until.pop(device, None)
            self._told.discard(device)
        else:
            self._until[device] = until
