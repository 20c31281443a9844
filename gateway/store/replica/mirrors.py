"""The thread of an API without a gateway beside it that keeps mirrors of the gateway's stores, one for each shard.

Of several processes with one store's path one keeps them, the others read.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.base.sharing import shards_by_name
from gateway.model import Millis
from gateway.store.base import Reader, StoreError
from gateway.store.days import MIRROR
from gateway.store.files import Lock
from gateway.store.reader import SqliteReader
from gateway.store.replica.mirror import Mirror
from gateway.store.replica.mirror_state import (
    FOLDER,
    TOLD_EVERY_MS,
    MirrorState,
    gateway_is_in,
    last_told,
    tell_mirrors,
)
from gateway.store.replica.words import ServerAwayError, StuckError
from gateway.store.rollups import Rollups
from gateway.store.tenure import is_over, periods_in

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

log = logging.getLogger(__name__)

LOOK_S = 0.3
FILES_EVERY_S = 5.0
SETTLED_S = 20.0
"""So long nothing old came: a gateway that may go on without its replica has sent what it owed."""
OLD_MS = 30_000
ROLL_UP_S = 0.5  # of one look, so that commits do not wait long

FETCHED = "it is being fetched"

RollupsOf = Callable[[str, Path, Reader], Rollups]
"""(gateway, folder, reader of it): what makes its roll-ups."""


@dataclass(slots=True)
class _Kept:
    """A mirror with what goes with it. `reader` is that of its roll-ups."""

    mirror: Mirror
    rollups: Rollups | None = None
    reader: SqliteReader | None = None
    replaced: int = 0
    settled_from_s: float | None = None
    newest: Millis | None = None

    def close_rollups(self) -> None:
        if self.rollups is not None:
            self.rollups.close()
        if self.reader is not None:
            self.reader.close()
        self.rollups = self.reader = None

    def close(self) -> None:
        self.close_rollups()
        self.mirror.close()


class MirrorKeeper(threading.Thread):
    """`start()`, `end()`. `required`: whether a gateway acknowledges only what the replica has."""

    def __init__(
        self,
        connect: "Callable[[], Postgres]",
        gateway: str,
        root: Path,
        rollups_of: RollupsOf,
        mishaps: Mishaps,
        *,
        required: bool,
        now: Callable[[], Millis] = now_ms,
    ) -> None:
        super().__init__(name="mirrors", daemon=True)  # a server that hangs may not hold up the end
        self._connect, self._gateway, self._root = connect, gateway, root
        self._rollups_of, self._mishaps, self._required, self._now = rollups_of, mishaps, required, now
        self._server: Postgres | None = None
        self._lock: Lock | None = None
        self._kept: dict[str, _Kept] = {}
        self._states = last_told(root)
        self._told: tuple[Millis, dict[str, MirrorState]] = (0, {})
        self._files_at_s = -FILES_EVERY_S
        self._anew = False
        self._ending = threading.Event()

    def start(self) -> None:
        if not gateway_is_in(self._root) and not self._states:
            try:
                tell_mirrors(self._root, {self._gateway: MirrorState(None, FETCHED)}, self._now())
            except OSError as error:  # what is live is shown all the same
                log.error("the stores of %s can't be followed: %s", self._gateway, error)
        super().start()

    def configure(self) -> None:
        """The configuration is another now. Any thread."""
        self._anew = True

    def end(self, timeout_s: float) -> None:
        self._ending.set()
        if self.ident is not None:
            self.join(timeout_s)

    def run(self) -> None:
        while not self._ending.wait(LOOK_S):
            with self._mishaps.contained("mirrors of the gateway's stores, which are looked after again"):
                self.look()
        self.close()

    def look(self) -> None:
        """Bring what there is up to the replica, and tell how far it is. Any fault is tried again at the next look."""
        if gateway_is_in(self._root) or not self._alone():
            self._close_mirrors()
            return
        try:
            self._follow()
        except (ServerAwayError, StuckError) as error:
            self._hang_up()
            away = "the replica is away" if isinstance(error, ServerAwayError) else "the replica can't be read"
            self._all_stand(away, str(error))
        self._tell()

    def _alone(self) -> bool:
        if self._lock is None:
            try:
                (self._root / FOLDER).mkdir(0o700, parents=True, exist_ok=True)
                self._lock = Lock(self._root / FOLDER)
                self._states = last_told(self._root)
            except (StoreError, OSError) as error:
                log.debug("mirrors: %s", error)
        return self._lock is not None

    def _follow(self) -> None:
        server = self._server = self._server or self._connect()
        began_at, leased = self._now(), server.leased()
        names = shards_by_name(server.gateways(), self._gateway)
        self._forget(set(self._states) - set(names))
        for name in names:
            self._states.setdefault(name, MirrorState(None, FETCHED))
        files = monotonic_s() - self._files_at_s >= FILES_EVERY_S
        if self._anew:
            self._anew = False
            for kept in self._kept.values():
                kept.close_rollups()
        for name in names:
            if self._ending.is_set():
                return
            server.gateway = name
            self._states[name] = self._brought(server, name, began_at, files=files, leased=name in leased)
            self._tell()
        if files:
            self._files_at_s = monotonic_s()
        self._mark_former(leased, names)

    def _brought(self, server: "Postgres", name: str, began_at: Millis, *, files: bool, leased: bool) -> MirrorState:
        kept, before = self._kept.get(name), self._states[name]
        if kept is None:
            kept = self._kept[name] = _Kept(Mirror(self._folder(name), self._root / FOLDER / f"{name}.old"))
        if not kept.mirror.there or kept.replaced != kept.mirror.replaced:
            kept.close_rollups()
            kept.replaced = kept.mirror.replaced
        until, detail = before.whole_until if kept.mirror.there else None, ""
        try:
            why = kept.mirror.bring_up(server, files=files)
            if not why:
                why = self._unsettled(name, kept, began_at, leased=leased)
                until = until if why and until is not None else began_at
                self._roll_up(name, kept, until)
        except StoreError as error:
            why, detail = f"the mirror of {name} can't be written", str(error)
        return MirrorState(until, why, detail, before.former)

    def _unsettled(self, name: str, kept: _Kept, now: Millis, *, leased: bool) -> str:
        """Why what the replica has may not be all that the gateway has stored; "" where it is."""
        if not leased:
            kept.settled_from_s = None
            return f"{name} has said nothing to the replica since"
        if self._required:
            return ""
        newest = kept.mirror.newest_ms()
        if kept.settled_from_s is None or (newest != kept.newest and (newest or now) < now - OLD_MS):
            kept.settled_from_s = monotonic_s()
        kept.newest = newest
        if monotonic_s() - kept.settled_from_s < SETTLED_S:
            return f"{name} may still be sending what the replica lacked"
        return ""

    def _roll_up(self, name: str, kept: _Kept, until: Millis) -> None:
        periods = periods_in(kept.mirror.folder)
        ended = periods[-1][1] if periods else None
        if kept.rollups is None:
            kept.reader = SqliteReader(kept.mirror.folder)
            kept.rollups = self._rollups_of(name, kept.mirror.folder, kept.reader)
        end_s = monotonic_s() + ROLL_UP_S
        while kept.rollups.tidy(until if ended is None else min(until, ended)):
            if monotonic_s() > end_s or self._ending.is_set():
                return

    # ---- how it stands ----

    def _all_stand(self, why: str, detail: str) -> None:
        for kept in self._kept.values():
            kept.settled_from_s = None
        states = self._states or {self._gateway: MirrorState(None)}
        self._states = {
            name: MirrorState(state.whole_until, why, detail, state.former) for name, state in states.items()
        }

    def _mark_former(self, leased: set[str], shards: Mapping[str, int]) -> None:
        """Those whose time is over, and those of another number of `shards` than the ones that are there."""
        numbers = {number for name, number in shards.items() if name in leased}
        for name, state in self._states.items():
            over = (bool(numbers) and shards[name] not in numbers) or (bool(state.why) and _over(self._folder(name)))
            self._states[name] = MirrorState(state.whole_until, state.why, state.detail, over)

    def _tell(self) -> None:
        at, told = self._told
        now = self._now()
        if at <= now < at + TOLD_EVERY_MS and _words(told) == _words(self._states):
            return
        for name, state in self._states.items():
            if state.why and state.why != told.get(name, state).why:
                log.warning("mirror of %s: %s", name, state.detail or state.why)
        self._told = now, dict(self._states)
        tell_mirrors(self._root, self._states, now)

    def _folder(self, name: str) -> Path:
        return self._root / f"{MIRROR}{name}"

    # ---- ends ----

    def _forget(self, names: set[str]) -> None:
        """Those that the replica knows no more."""
        for name in names:
            self._states.pop(name)
            kept = self._kept.pop(name, None)
            if kept is not None:
                kept.close_rollups()
                kept.mirror.drop()

    def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _close_mirrors(self) -> None:
        for kept in self._kept.values():
            kept.close()
        self._kept.clear()

    def close(self) -> None:
        self._close_mirrors()
        self._hang_up()
        if self._lock is not None:
            self._lock.release()


def _words(states: dict[str, MirrorState]) -> dict[str, tuple[str, bool]]:
    """All of it but the time."""
    return {name: (state.why, state.former) for name, state in states.items()}


def _over(folder: Path) -> bool:
    try:
        return is_over(periods_in(folder))
    except StoreError:
        return False
