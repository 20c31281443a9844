"""A gateway's store in a folder of an API elsewhere: what the replica has, followed commit by commit, to be read alone.

It takes no lease and claims no epoch: the replica is only asked. Nobody else writes in the folder, so what is wrong
with it is mended by fetching it anew.
"""

import logging
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from config.files import LIST_BYTES, UnusableFileError, read_bytes
from gateway.base.clock import now_ms
from gateway.base.told_beside import tell_beside
from gateway.model import Millis
from gateway.store.base import StoreError
from gateway.store.days import CORE, day_files, day_path, is_day, number_of
from gateway.store.files import connect, put_in_place, store_errors, unlink
from gateway.store.repeating import Repeater
from gateway.store.replica.meeting import line_kept, take_up
from gateway.store.replica.restoring import KEYS, restore_from
from gateway.store.replica.shelf import ReplicaShelf, ShelvedFile
from gateway.store.replica.words import ReplicaState, StuckError
from gateway.store.sqlite import SqliteStore
from gateway.store.step_words import Later, unpack_day
from gateway.store.steps import ends, step_at

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

log = logging.getLogger(__name__)

TAKEN = "mirror.json"
WORK = ".fetched"  # of a folder: files that are not whole yet
FOREVER_DAYS = 1_000_000  # days go when they go there


class _Taken(msgspec.Struct):
    """Which whole files we have: name → mark. `epoch`: of the gateway's start that we know; `core`: the mark of the
    core file at that time, while the one that this start brings is waited for."""

    marks: dict[str, str] = {}
    epoch: int = 0
    core: str | None = None


class Mirror:
    """`bring_up` often; `close` at the end. Belongs to one thread."""

    def __init__(self, folder: Path, rubbish: Path) -> None:
        """`rubbish`: a folder beside it, into which it goes to be deleted."""
        self.folder, self._rubbish = folder, rubbish
        self.replaced = 0  # so many files have been, whoever has them open reads the ones before
        self._store: SqliteStore | None = None
        self._taken = _read(folder / TAKEN)

    def bring_up(self, server: "Postgres", *, files: bool) -> str:
        """Bring it to where the replica is; in words why that can't be, else "". `files`: look after whole ones, too.

        ServerAwayError, StoreError; StuckError where only another version of yizhan can do it.
        """
        state = server.state()
        if state is None or not state.whole:
            return "the replica is not whole yet"
        try:
            fresh = self._store is None
            store = self._store or self._opened(server)
            _same_line(store, state)
            take_up(server, store, state, compare=fresh)
            if files or fresh:
                with server.at_one_moment():  # a file may be replaced there, piece by piece, and its steps go
                    self._take_files(server, state)
        except StuckError as error:
            log.warning("%s is fetched anew: %s", self.folder, error)
            self.drop()
            return "it is fetched anew"
        except StoreError as error:
            if error.damaged:
                log.error("%s is damaged, and fetched anew: %s", self.folder, error)
                self.drop()
            raise
        return ""

    def _opened(self, server: "Postgres") -> SqliteStore:
        if not self.there:
            self.drop()
            files = ReplicaShelf(server).files()
            done = restore_from(server, self.folder, self.folder / KEYS)
            log.info("%s: %d files and %d commits were fetched", self.folder.name, done.files, done.steps)
            self._taken.marks = {name: file.mark for name, file in files.items()}
            self._tell()
        store = SqliteStore(
            self.folder, now_ms(), profile="sd_card", keep_days=FOREVER_DAYS, ballast_mib=0, replica=Later()
        )
        if store.damaged:
            store.close()
            raise StoreError(f"{self.folder}: {store.damaged} was damaged", damaged=True)
        self._store = store
        return store

    @property
    def there(self) -> bool:
        """Whether there is anything to read."""
        return (self.folder / CORE).exists()

    def newest_ms(self) -> Millis | None:
        """When the newest messages came; None where none did."""
        days = [last for day, last in ends(self.folder) if day is not None]
        body = step_at(self.folder, max(days)) if days else None
        return None if body is None else unpack_day(body)[0].last_ms or None

    # ---- whole files: days that are over, and what was done to files while no gateway ran ----

    def _take_files(self, server: "Postgres", state: ReplicaState) -> None:
        shelf = ReplicaShelf(server)
        files = shelf.files()
        for name, file in files.items():
            if is_day(name) and self._taken.marks.get(name) != file.mark:
                self._take_day(server, shelf, file)
        self._drop_days(server, files)
        core = files.get(CORE)
        if core is None:
            return
        if self._taken.epoch != state.epoch:
            # It may be the one that this start has brought: that of a shard that is no more is its last.
            if core.mark != self._taken.marks.get(CORE) and not self._take_core(server, shelf, core):
                return
            self._taken.epoch, self._taken.core = state.epoch, core.mark
            self._tell()
        elif self._taken.core not in (None, core.mark):
            self._take_core(server, shelf, core)

    def _take_day(self, server: "Postgres", shelf: ReplicaShelf, file: ShelvedFile) -> None:
        """In place of what we made of its steps: it is smaller, and what was taken out there is out here, too."""
        assert self._store is not None
        path = self._fetched(shelf, file)
        repeater = Repeater(path.parent, self._store.core, "OFF")
        for step in server.steps_of(number_of(path), file.upto, self._store.last_step):
            repeater.put(step)
        repeater.flush()
        self._put(path, file)

    def _take_core(self, server: "Postgres", shelf: ReplicaShelf, file: ShelvedFile) -> bool:
        """False while it can't be: the steps that it contains come first."""
        assert self._store is not None
        if file.upto > self._store.last_step:
            return False
        path, last = self._fetched(shelf, file), self._store.last_step
        with store_errors(path), closing(connect(path, "core", synchronous="OFF")) as core:
            repeater = Repeater(path.parent, core, "OFF")
            for step in server.steps_of(None, file.upto, last):
                repeater.put(step)
            repeater.flush()
        self._close_store()
        self._put(path, file)
        self._taken.core = None
        self._tell()
        return True

    def _fetched(self, shelf: ReplicaShelf, file: ShelvedFile) -> Path:
        work = self.folder / WORK
        with store_errors(work):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(0o700)
            path = work / file.name
            path.touch(0o600)
            shelf.fetch(file.name, path)
        return path

    def _put(self, path: Path, file: ShelvedFile) -> None:
        target = self.folder / file.name
        with store_errors(target):
            put_in_place(path, target)
            shutil.rmtree(path.parent, ignore_errors=True)
        self.replaced += 1
        self._taken.marks[file.name] = file.mark
        self._tell()

    def _drop_days(self, server: "Postgres", files: dict[str, ShelvedFile]) -> None:
        open_day = server.first_day()
        there = [number_of(Path(name)) for name in files if is_day(name)]
        there += [open_day] if open_day is not None else []
        for path in day_files(self.folder) if there else []:
            if path < day_path(self.folder, min(there)):
                log.info("dropping %s: it is gone from the replica", path)
                unlink(path)
                self._taken.marks.pop(path.name, None)

    def _tell(self) -> None:
        with store_errors(self.folder):
            tell_beside(self.folder, TAKEN, msgspec.to_builtins(self._taken))

    # ---- ends ----

    def drop(self) -> None:
        """All of it; it goes from its place at once."""
        self._close_store()
        self._taken = _Taken()
        with store_errors(self.folder):
            shutil.rmtree(self._rubbish, ignore_errors=True)
            if self.folder.exists():
                self._rubbish.parent.mkdir(0o700, exist_ok=True)
                self.folder.rename(self._rubbish)
                shutil.rmtree(self._rubbish, ignore_errors=True)

    def _close_store(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def close(self) -> None:
        self._close_store()


def _same_line(store: SqliteStore, state: ReplicaState) -> None:
    if line_kept(store) != state.line:
        raise StuckError("the replica holds another store under this name now")


def _read(path: Path) -> _Taken:
    """What can't be read is fetched anew, file by file."""
    try:
        return msgspec.json.decode(read_bytes(path, "mirror", LIST_BYTES), type=_Taken)
    except (UnusableFileError, msgspec.DecodeError):
        return _Taken()
