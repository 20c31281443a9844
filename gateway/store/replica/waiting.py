"""A gateway that waits beside the one that works: it follows the replica, and takes over when that one is gone."""

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.base.clock import monotonic_s, now_ms
from gateway.store.base import StoreError
from gateway.store.days import CORE
from gateway.store.files import Lock
from gateway.store.replica.halves import is_half
from gateway.store.replica.healing import heal
from gateway.store.replica.meeting import line_kept, take_up
from gateway.store.replica.restoring import fetch_beside, restore_from, take_checkpoints
from gateway.store.replica.words import LEASE_S, Holder, ReplicaState, ServerAwayError, StuckError
from gateway.store.sqlite import SqliteStore
from gateway.store.step_words import Later

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

log = logging.getLogger(__name__)

LOOK_S = 1.0
ASIDE = "before-standby"
ALONE = (
    ", and never taking over from it: it has store.replica `required: false`, so what it told as stored may be there"
    " alone; set `required: true` there, too"
)


class WaitingGateway:
    """`wait` returns when the store in `folder` is up to date, nobody else writes, and the lease is ours."""

    def __init__(
        self,
        connect: "Callable[[], Postgres]",
        folder: Path,
        keys: Path,
        holder: Holder,
        keep_days: int,
        root: Path | None = None,
    ) -> None:
        """`keys`: where the staff keys belong; `root`: where files of other processes do, `folder` if None."""
        self._root = root or folder
        self._connect, self._folder, self._keys, self._holder = connect, folder, keys, holder
        self._keep_days = keep_days
        self._server: Postgres | None = None
        self._store: SqliteStore | None = None
        self._said = ""
        self._patient_until = 0.0
        self.looks = 0

    def wait(self, ending: threading.Event) -> bool:
        """False when it was told to end. StoreError for a store that belongs to another gateway."""
        try:
            while True:
                self.looks += 1
                if self._look():
                    return True
                if ending.wait(LOOK_S):
                    return False
        finally:
            self._close()

    def pulse(self) -> int:
        """Another number at each look."""
        return self.looks

    def _look(self) -> bool:
        try:
            if self._server is None:
                self._server = self._connect()
            return self._follow(self._server)
        except ServerAwayError as error:
            self._say(f"the replica: {error}")
            # While it was away nobody could renew the lease: whoever had it comes first.
            self._patient_until = monotonic_s() + LEASE_S
            server, self._server = self._server, None
            if server is not None:
                server.close()
            return False

    def _follow(self, server: "Postgres") -> bool:
        state = server.state()
        if state is not None and not self._up_to(server, state):
            return False
        if monotonic_s() < self._patient_until:
            return False
        name = server.take_lease(self._holder, beside=True)
        if name is not None:
            self._say(f"waiting beside the gateway on {name}" + ("" if server.holder_requires() else ALONE))
            return False
        log.warning("nobody writes any more: taking over")
        if state is not None and state.whole:
            self._close_store()
            fetch_beside(server, self._root, self._keys)
            take_checkpoints(server, self._folder)
        return True

    def _up_to(self, server: "Postgres", state: ReplicaState) -> bool:
        """Bring our store to where the replica is. False while that can't be."""
        if self._store is None and (is_half(self._folder) or not (self._folder / CORE).exists()):
            if not state.whole:
                self._say("the replica is not whole yet")
                return False
            done = restore_from(server, self._folder, self._keys, self._root)
            log.info("%d files and %d commits were taken from the replica", done.files, done.steps)
        fresh = self._store is None
        if self._store is None:
            self._store = SqliteStore(self._folder, now_ms(), keep_days=self._keep_days, ballast_mib=0, replica=Later())
        if line_kept(self._store) != state.line:
            raise StoreError(
                f"{self._folder} holds another store than the replica: move it away, or name an empty store.path"
            )
        try:
            if fresh and state.whole:
                heal(server, self._store, state.last)
            take_up(server, self._store, state, compare=fresh)
            self._store.tidy(now_ms())
        except StuckError as error:
            log.warning("%s: setting our store aside, and taking the replica's", error)
            self._set_aside()
            return False
        return True

    def _set_aside(self) -> None:
        """What only we have was acknowledged to nobody; it stays beside the store all the same."""
        self._close_store()
        lock = Lock(self._folder)
        try:
            aside = self._folder / ASIDE / str(now_ms())  # so deep that nobody takes it for the store of a shard
            aside.mkdir(0o700, parents=True)
            for path in sorted(self._folder.glob("*.db*"), key=lambda path: path.name.startswith(CORE)):
                shutil.move(path, aside / path.name)
        finally:
            lock.release()

    def _close_store(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _close(self) -> None:
        self._close_store()
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _say(self, what: str) -> None:
        if what != self._said:
            self._said = what
            log.info("%s", what)
