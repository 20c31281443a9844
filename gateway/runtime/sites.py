"""What boxes tell of their stations is kept beside the store, and taken up like a change of the configuration."""

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.edit.whole import replace
from config.files import LIST_BYTES, UnusableFileError, read_bytes
from config.sites import path_of
from gateway.base.mishaps import Mishaps

log = logging.getLogger(__name__)

TOGETHER_S = 0.3
"""Boxes that tell at once are taken up at once."""
AGAIN_S = 10.0


class SiteKeeper:
    """`put` may be called by any thread and returns at once. `on_changed` takes the configuration up, on our thread."""

    def __init__(self, folder: Path, mishaps: Mishaps) -> None:
        self._folder, self._mishaps = folder, mishaps
        self._lock, self._came, self._ending = threading.Lock(), threading.Event(), threading.Event()
        self._waiting: dict[str, bytes] = {}
        self._thread: threading.Thread | None = None
        self.on_changed: Callable[[], None] = lambda: None

    def put(self, station: str, site: bytes) -> None:
        """`site` is empty for a station that is no more."""
        with self._lock:
            self._waiting[station] = site
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sites", daemon=True)
                self._thread.start()
        self._came.set()

    def end(self, timeout_s: float) -> None:
        self._ending.set()
        self._came.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        owed = False
        while not self._ending.is_set():
            self._came.wait(AGAIN_S if owed or self._waiting else None)
            self._ending.wait(TOGETHER_S)
            self._came.clear()
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            changed = [self._kept(station, site) for station, site in waiting.items()]
            owed = owed or any(changed)
            if owed and not self._ending.is_set():
                with self._mishaps.contained("taking up what boxes tell of their stations"):
                    self.on_changed()
                    owed = False

    def _kept(self, station: str, site: bytes) -> bool:
        """See `_keep`. One that can't be kept now waits on, unless its box tells another meanwhile."""
        with self._mishaps.contained("keeping what boxes tell of their stations"):
            return self._keep(station, site)
        with self._lock:
            self._waiting.setdefault(station, site)
        return False

    def _keep(self, station: str, site: bytes) -> bool:
        """Whether more is another than the version of the box's files, which any change there raises."""
        path = path_of(self._folder, station)
        try:
            before = read_bytes(path, "site", LIST_BYTES)
        except UnusableFileError:
            before = b""
        if before == site:
            return False
        if site:
            path.parent.mkdir(exist_ok=True)
            replace(path, site)
        else:
            path.unlink(missing_ok=True)
        lines = _lines(site)
        if lines is not None and lines == _lines(before):
            return False
        log.info("station %s %s", station, "is told by its box" if site else "is no more, as its box tells")
        return True


def _lines(site: bytes) -> Any:
    """What a site tells but for the version; None where it is none."""
    try:
        told = json.loads(site)
    except (ValueError, RecursionError):
        return None
    return {name: value for name, value in told.items() if name != "version"} if isinstance(told, dict) else None
