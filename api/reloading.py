"""Takes the files of a configuration up again: read and checked beside what runs, then applied whole or not at all."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from api.running import NotReloadedError, Reloaded
from config.difference import Difference, difference
from config.mistakes import ConfigErrors
from config.schema import Settings

log = logging.getLogger(__name__)

Read = Callable[[Path], Settings]
"""ConfigErrors with every mistake."""

Apply = Callable[[Difference], None]
"""Makes the parts of a process run with `Difference.settings`; returns when they do. NotReloadedError, with nothing
changed, when they can't."""

MISTAKES_TOLD = 20  # in the log; `yizhan check` lists all


class Reloading:
    """A `Running` whose configuration stands in files. One reload at a time, by any thread."""

    def __init__(self, path: Path, settings: Settings, read: Read, apply: Apply = lambda _difference: None) -> None:
        self._path, self._running, self._read, self._apply = path, settings, read, apply
        self._lock = threading.Lock()
        self._trouble: str | None = None

    @property
    def path(self) -> Path:
        return self._path

    def settings(self) -> Settings:
        return self._running

    def trouble(self) -> str | None:
        return self._trouble

    def reload(self, who: str, why: str) -> Reloaded:
        with self._lock:
            try:
                found = self._read(self._path)
            except ConfigErrors as errors:
                return self._refused(errors, who, why)
            planned = difference(self._running, found)
            if planned:
                self._take_up(planned)
            self._trouble = None
            log.info("configuration read again for %s (%s): %s", who, why, _told(planned))
            for key in planned.waiting:
                log.warning("%s: its new value takes effect at the next start; restart yizhan when it suits", key)
            return Reloaded((), planned.waiting, bool(planned))

    def _refused(self, errors: ConfigErrors, who: str, why: str) -> Reloaded:
        count = len(errors.mistakes)
        log.error("configuration not taken up for %s (%s): %d mistakes, nothing has changed", who, why, count)
        for mistake in errors.mistakes[:MISTAKES_TOLD]:
            log.error("%s", mistake)
        more = f" and {count - 1} more" if count > 1 else ""
        self._trouble = f"the configuration has mistakes, what ran before goes on: {errors.mistakes[0]}{more}"
        return Reloaded(tuple(errors.mistakes))

    def _take_up(self, planned: Difference) -> None:
        try:
            self._apply(planned)
        except NotReloadedError as error:
            self._trouble = f"the configuration could not be taken up, what ran before goes on: {error}"
            log.error("%s", self._trouble)
            raise
        self._running = planned.settings


def _told(planned: Difference) -> str:
    """What changed, in one line."""
    counts = [(planned.added, "new"), (planned.changed, "changed"), (planned.removed, "removed")]
    told = [f"{len(stations)} stations {word}" for stations, word in counts if stations]
    return ", ".join([*told, *sorted(planned.sections)]) or "nothing has changed"
