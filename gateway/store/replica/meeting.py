"""A start: what the replica has and the store lacks is taken from there, and what the store has is found to be sent."""

import logging
import secrets
from collections.abc import Iterator

from gateway.store.jobs import Keep
from gateway.store.replica.words import ReplicaServer, ReplicaState, StuckError
from gateway.store.sqlite import SqliteStore
from gateway.store.step_words import StoreStep
from gateway.store.steps import count_after, ends, step_at

log = logging.getLogger(__name__)

LINE = "replica_line"
RESTORE = "move the store away and take it from there: `yizhan restore --from-replica`"


def line_of(store: SqliteStore) -> str:
    """Whose history a store holds: made once, and taken along by every copy."""
    kept = line_kept(store)
    if kept is None:
        kept = secrets.token_hex(8)
        store.write([Keep(LINE, kept.encode())])
    return kept


def line_kept(store: SqliteStore) -> str | None:
    """None: it never met a replica."""
    kept = store.kept(LINE)
    return None if kept is None else kept.decode()


def first_meeting(server: ReplicaServer, store: SqliteStore, line: str) -> ReplicaState:
    """Be the one that writes, and bring the store up to the replica. StuckError where they went different ways."""
    state = server.state()
    if state is not None and state.line != line:
        raise StuckError(
            "the replica holds another store under our name: give this one another gateway.id, or another database in"
            f" store.replica; or {RESTORE}"
        )
    epoch = server.claim(line)
    state = server.state()
    assert state is not None
    _take_ends(server, store, state)
    take_up(server, store, state)
    if state.whole and _lost(state.last, store):
        log.error("the replica has lost commits that it had: everything is sent anew")
        server.not_whole()
        return ReplicaState(line, epoch, state.last, whole=False)
    return ReplicaState(line, epoch, state.last, state.whole)


def take_up(server: ReplicaServer, store: SqliteStore, state: ReplicaState) -> None:
    """Do what the replica has and the store lacks. StuckError where they went different ways, or too far apart."""
    if state.last:
        _same(server, store, state)
    before = store.last_step
    if state.last > before:
        store.repeat(_contiguous(server.steps(before), before))
        log.debug("%d commits were taken from the replica", store.last_step - before)


def _take_ends(server: ReplicaServer, store: SqliteStore, state: ReplicaState) -> None:
    """A power cut may take the end of one file and leave newer steps in another: each is brought up to those."""
    if state.last:
        _same(server, store, state)
    newest = store.last_step
    for day, last in ends(store.folder):
        store.repeat(server.steps_of(day, last, newest))


def _lost(last: int, store: SqliteStore) -> bool:
    """Whether commits behind the newest that the replica has stand in no file of ours any more: it had them once."""
    return last < store.last_step and count_after(store.folder, last) < store.last_step - last


def _same(server: ReplicaServer, store: SqliteStore, state: ReplicaState) -> None:
    """StuckError where the newest step that both have is not the same; what one has forgotten is believed."""
    n = min(state.last, store.last_step)
    ours, theirs = step_at(store.folder, n), server.body(n)
    if ours is not None and theirs is not None and ours != theirs:
        raise StuckError(f"the replica and this store went different ways at commit {n}; {RESTORE}")


def _contiguous(steps: Iterator[StoreStep], after: int) -> Iterator[StoreStep]:
    for step in steps:
        after += 1
        if step.n != after:
            raise StuckError(f"the replica is too far ahead of this store; {RESTORE}")
        yield step
