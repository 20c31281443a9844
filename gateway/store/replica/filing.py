"""The thread that keeps whole files in the replica: days that are over, the core file at times, and what others write.

Days go when they go here. Nobody waits for it: what it does is seen from what lies there and here, so what a fault or
a kill left out is done at the next look.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.model import Millis
from gateway.store.backup import snapshot
from gateway.store.base import StoreError
from gateway.store.days import CORE, day_files, finished, is_day, number_of
from gateway.store.repairs import damaged_before
from gateway.store.replica.restoring import KEYS, ROLLUPS
from gateway.store.replica.sender import ReplicaSender
from gateway.store.replica.shelf import ReplicaShelf, ShelvedFile
from gateway.store.replica.words import FencedError, ServerAwayError
from gateway.store.steps import last_in

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

log = logging.getLogger(__name__)

LOOK_S = 5.0
CORE_EVERY_MS = 6 * 3_600_000
PATIENCE_S = 10.0  # until the replica has what a copy tells of
OFTEN_MS = 60_000  # databases that others write are copied at most so often
PHOTOS = "photos/"
COPY = "copy.db"  # a name by which nobody takes it for the store of a shard


@dataclass(frozen=True, slots=True)
class FileBeside:
    """A file that is none of the journal's: its name in the replica, and where it is."""

    name: str
    path: Path


def files_beside(folder: Path, keys: Path) -> list[FileBeside]:
    """What other processes write in the store's folder, and the staff keys."""
    databases = [path for path in folder.glob("*.db") if path.name not in (CORE, ROLLUPS)]
    small = [folder / "link.key", folder / "access.head", *folder.glob("access*.jsonl")]
    told = [path for path in databases if not is_day(path.name)] + [path for path in small if path.exists()]
    photos = [path for path in (folder / "photos").glob("*/*/*.jpg") if not path.name.startswith(".")]
    files = [FileBeside(path.relative_to(folder).as_posix(), path) for path in told + photos]
    return [*files, FileBeside(KEYS, keys)]


class ReplicaFiling(threading.Thread):
    """`start()`, `end()`. `beside` tells the small files of others, each time anew."""

    def __init__(
        self,
        sender: ReplicaSender,
        connect: Callable[[], "Postgres"],
        folder: Path,
        beside: Callable[[], list[FileBeside]],
        mishaps: Mishaps,
        now: Callable[[], Millis] = now_ms,
    ) -> None:
        super().__init__(name="replica-files", daemon=True)  # a server that hangs may not hold up the end
        self._sender, self._connect, self._folder, self._beside = sender, connect, folder, beside
        self._mishaps, self._now = mishaps, now
        self._server: Postgres | None = None
        self._ending = threading.Event()
        self._put_at: dict[str, Millis] = {}
        self._anew: set[str] = set()  # days that were put since the replica is not whole
        self._gaps = 0
        self._troubles: dict[str, str] = {}

    def end(self, timeout_s: float) -> None:
        self._ending.set()
        if self.ident is not None:
            self.join(timeout_s)

    def run(self) -> None:
        while not self._ending.wait(LOOK_S):
            if self._sender.epoch:
                self.look()
        if self._server is not None:
            self._server.close()

    def look(self) -> bool:
        """Bring what has changed. True when the core file went there, now or since the start, and all else that could;
        what could not, after any fault, is tried again at the next look.
        """
        try:
            if self._server is None:
                self._server = self._connect()
            self._server.resume(self._sender.epoch)
            self._bring(ReplicaShelf(self._server))
        except (ServerAwayError, FencedError, StoreError, OSError) as error:
            log.info("replica: files are brought later: %s", error)  # the sender tells when it is away
            self.hang_up()
        except Exception as error:  # noqa: BLE001  noted; the steps are sent all the same
            self._mishaps.note("files of the replica, which are tried again", error)
            self.hang_up()
        else:
            return CORE in self._put_at
        return False

    def hang_up(self) -> None:
        """The next look connects again."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _bring(self, shelf: ReplicaShelf) -> None:
        there, whole, gaps = shelf.files(), self._sender.whole, self._sender.gaps
        if whole or gaps != self._gaps:
            self._anew.clear()
        self._gaps = gaps
        damaged = damaged_before(self._folder)
        brought = [
            self._try(path.name, partial(self._bring_one, shelf, there.get(path.name), path, damaged=path in damaged))
            for path in self._journal(there, damaged, whole=whole)
        ]
        beside = self._beside()
        for file in beside:
            self._try(file.name, partial(self._bring_beside, shelf, there.get(file.name), file))
        if all(brought) and not whole:
            self._sender.is_whole(gaps, shelf)
        self._forget(shelf, there, {file.name for file in beside})

    def _try(self, name: str, bring: Callable[[], bool]) -> bool:
        """A file of ours that is in trouble holds up no other one."""
        try:
            done = bring()
        except (StoreError, OSError) as error:
            if self._troubles.get(name) != str(error):
                log.error("replica: %s can't be brought there yet: %s", name, error)
            self._troubles[name] = str(error)
            return False
        self._troubles.pop(name, None)
        return done

    # ---- the journal ----

    def _journal(self, there: dict[str, ShelvedFile], damaged: Collection[Path], *, whole: bool) -> Iterator[Path]:
        """What shall be there as a file. A day that is written to is told by its steps, unless it began before them.

        What could be read of a damaged file never takes the place of what is there.
        """
        for path in day_files(self._folder):
            if (not whole or finished(path)) and not (path in damaged and (whole or path.name in there)):
                yield path
        for path in (self._folder / CORE, self._folder / ROLLUPS):
            if path.exists() and not (path in damaged and path.name in there):
                yield path

    def _bring_one(self, shelf: ReplicaShelf, there: ShelvedFile | None, path: Path, *, damaged: bool) -> bool:
        """False while it can't be brought."""
        name, day = path.name, is_day(path.name)
        if day:
            mark = mark_of(path)
            if name in self._anew or (there is not None and there.mark == mark):
                return True
        else:
            mark = str(self._now())
            young = there is not None and int(mark) - int(there.mark) < CORE_EVERY_MS
            # Once at each start: what others did to it while nobody ran is told by no step.
            if young and self._sender.whole and name in self._put_at:
                return True
        with self._snapshot(path) as copy:
            if copy is None:
                return False
            # The steps of a damaged day tell of what is lost here: they stay beside what can be read of it.
            whole = name != ROLLUPS and not (day and damaged)
            file = ShelvedFile(name, mark, last_in(copy) if whole else 0)
            shelf.put(file, copy, number_of(path) if day else None, holds_steps=whole)
        self._put_at[name] = self._now()
        if day and not self._sender.whole:
            self._anew.add(name)
        return True

    @contextlib.contextmanager
    def _snapshot(self, path: Path) -> Iterator[Path | None]:
        """A copy that tells of nothing that the replica lacks: a checkpoint in it, or another's place in the journal,
        may be further than the file's own steps. None where the replica is too slow for that.
        """
        with TemporaryDirectory(dir=self._folder, prefix=".replica-") as aside:
            copy = Path(aside) / COPY
            snapshot(path, copy)
            yield copy if self._sender.reaches(self._sender.newest, PATIENCE_S) else None

    # ---- files of others ----

    def _bring_beside(self, shelf: ReplicaShelf, there: ShelvedFile | None, file: FileBeside) -> bool:
        try:
            mark = mark_of(file.path)
        except FileNotFoundError:
            return True
        if there is not None and there.mark == mark:
            return True
        if file.path.suffix != ".db":
            shelf.put(ShelvedFile(file.name, mark, 0), file.path)
            return True
        if self._now() < self._put_at.get(file.name, 0) + OFTEN_MS:
            return True
        with self._snapshot(file.path) as copy:
            if copy is not None:
                shelf.put(ShelvedFile(file.name, mark, 0), copy)
                self._put_at[file.name] = self._now()
        return copy is not None

    def _forget(self, shelf: ReplicaShelf, there: dict[str, ShelvedFile], beside: set[str]) -> None:
        """Days that are gone here, and photos that are not `beside` the journal any more."""
        days = day_files(self._folder)
        if not days:
            return
        first = days[0].name
        gone = [
            name
            for name in there
            if (is_day(name) and name < first) or (name.startswith(PHOTOS) and name not in beside)
        ]
        shelf.forget(gone, number_of(days[0]))


def mark_of(path: Path) -> str:
    """Another one when the file has changed, or its log. FileNotFoundError."""
    stat = path.stat()
    mark = f"{stat.st_mtime_ns}-{stat.st_size}"
    log_file = path.with_name(path.name + "-wal")
    if log_file.exists():
        more = log_file.stat()
        mark += f"-{more.st_mtime_ns}-{more.st_size}" if more.st_size else ""
    return mark
