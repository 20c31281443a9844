"""Takes the files of a configuration up again: read and checked beside what runs, then applied whole or not at all."""

import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from api.processes import processes, together
from api.running import NotReloadedError, Reloaded
from api.start_book import note_reload
from config.building import MANY, building
from config.difference import Difference, difference
from config.edit.home import ConfigHome
from config.edit.saving import Author, note
from config.edit.versions import BY_HAND
from config.files import LIST_BYTES, UnusableFileError, read_bytes
from config.mistakes import ConfigErrors
from config.schema import Settings
from config.secret_files import secret_files
from gateway.base.clock import now_ms

if TYPE_CHECKING:
    from gateway.runtime.status import Status

log = logging.getLogger(__name__)

Read = Callable[[Path], Settings]
"""ConfigErrors with every mistake."""

Apply = Callable[[Difference], None]
"""Makes the parts of a process run with `Difference.settings`; returns when they do. NotReloadedError, with nothing
changed, when they can't."""

NAMED = "secrets and drawings"
"""What the files that a configuration names hold: it may be another though the configuration is the same."""
MISTAKES_TOLD = 20  # in the log; `yizhan check` lists all


class Reloading:
    """A `Running` whose configuration stands in files. One reload at a time, by any thread."""

    def __init__(self, path: Path, settings: Settings, read: Read, apply: Apply = lambda _difference: None) -> None:
        self._path, self._running, self._read, self._apply = path, settings, read, apply
        self._lock = threading.Lock()
        self._trouble: str | None = None
        self._named = _named_files(settings)
        self.own_file = ""  # of this process among those that run

    @property
    def path(self) -> Path:
        return self._path

    def settings(self) -> Settings:
        return self._running

    def trouble(self) -> str | None:
        return self._trouble

    def degraded(self, status: "Status") -> "Status":
        """The same with what is wrong with the files."""
        return replace(status, degraded=self._trouble)

    def reload(self, who: str, why: str) -> Reloaded:
        """The processes that share the files follow, too."""
        done = self.reload_here(who, why, told=True)
        if done.mistakes:
            return done
        answers, refused = [done], list[str]()
        for process in processes(self._running, but=self.own_file):
            try:
                answers += filter(None, [process.ask(who, why)])
            except (OSError, ValueError) as error:
                refused.append(f"{process.name} can't be asked: {error}")
            except NotReloadedError as error:
                refused.append(str(error))
        if refused:
            raise NotReloadedError("; ".join(refused))
        return together(answers)

    def reload_here(self, who: str, why: str, *, told: bool = False) -> Reloaded:
        """In this process alone. `told`: the audit trail knows of it already."""
        with self._lock, building(MANY):
            _keep_version(self._path, f"taken up for {who}: {why}")
            try:
                fresh = self._read(self._path)
            except ConfigErrors as errors:
                return self._refused(errors, who, why)
            planned, named = difference(self._running, fresh), _named_files(fresh)
            if named != self._named:
                planned = replace(planned, sections=planned.sections | {NAMED})
            if planned:
                self._take_up(planned)
            self._trouble, self._named = None, named
            note_reload(self._path, planned.settings, who, why, now_ms(), told=told)
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


def take_up_sites(reloading: Reloading) -> None:
    """Boxes have told of stations that we do not configure. NotReloadedError when that can't be taken up."""
    reloading.reload("boxes", "stations of which boxes tell")


def _keep_version(path: Path, why: str) -> None:
    """What was written by hand becomes a version, with its mistakes. Nothing waits for a folder that takes none."""
    try:
        note(ConfigHome(path), Author(BY_HAND, now_ms(), why))
    except (OSError, UnusableFileError) as error:
        log.info("%s: no version is kept of what was changed by hand: %s", path, error)


def _told(planned: Difference) -> str:
    """What changed, in one line."""
    counts = [(planned.added, "new"), (planned.changed, "changed"), (planned.removed, "removed")]
    told = [f"{len(stations)} stations {word}" for stations, word in counts if stations]
    return ", ".join([*told, *sorted(planned.sections)]) or "nothing has changed"


def _named_files(settings: Settings) -> dict[str, str | None]:
    """A digest of what is in each file with a secret or a drawing; None for one that can't be read."""
    named = [
        *secret_files(settings),
        *((f"{station.id}.floor_plan", station.floor_plan) for station in settings.stations),
    ]
    return {option: _digest(path, option) for option, path in named if path is not None}


def _digest(path: Path, option: str) -> str | None:
    with contextlib.suppress(UnusableFileError):
        return hashlib.sha256(read_bytes(path, option, LIST_BYTES)).hexdigest()
    return None
