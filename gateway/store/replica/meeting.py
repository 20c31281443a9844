"""The replica met: what it has and the store lacks is taken from there, and what the store has is found to be sent."""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.store.jobs import Keep
from gateway.store.repairs import damaged_before
from gateway.store.replica.epochs import OwnEpochs
from gateway.store.replica.healing import heal
from gateway.store.replica.words import Holder, ReplicaServer, ReplicaState, StuckError
from gateway.store.sqlite import SqliteStore
from gateway.store.step_words import StoreStep
from gateway.store.steps import count_after, ends, kept_upto, newest_day

log = logging.getLogger(__name__)

LINE = "replica_line"
RESTORE = "move the store away and take it from there: `yizhan restore --from-replica`"
ANOTHER = (
    "the replica holds another store under our name: give this one another gateway.id, or another database in"
    f" store.replica; or {RESTORE}"
)


def line_of(store: SqliteStore) -> str:
    """The name of the history that a store holds: made once, and taken along by every copy."""
    kept = line_kept(store)
    if kept is None:
        kept = secrets.token_hex(8)
        store.write([Keep(LINE, kept.encode())])
    return kept


def line_kept(store: SqliteStore) -> str | None:
    """None: it never met a replica."""
    kept = store.kept(LINE)
    return None if kept is None else kept.decode()


@dataclass(frozen=True, slots=True)
class OurEnd:
    """How far our files go: whose history they are, their last step, the last one of each file by its day, and the
    newest day that has a file (-1: none has)."""

    line: str
    last: int
    ends: tuple[tuple[int | None, int], ...]
    newest_day: int

    @classmethod
    def of(cls, store: SqliteStore, line: str) -> "OurEnd":
        return cls(line, store.last_step, tuple(ends(store.folder)), newest_day(store.folder))


def may_write(server: ReplicaServer, holder: Holder) -> None:
    """StuckError while another gateway does."""
    name = server.take_lease(holder)
    if name is not None:
        raise StuckError(
            f"a gateway on {name} writes under our name now: stop it, or wait beside it: `yizhan gateway --standby`"
        )


def first_meeting(server: ReplicaServer, store: SqliteStore, line: str, own: OwnEpochs) -> ReplicaState:
    """Be the one that writes, and bring the store up to the replica. StuckError where they went different ways.

    `last` of what is returned: up to there the two are the same.
    """
    state, before = _claimed(server, line, own)
    same = _same(server, store.folder, state, store.last_step, own=own, epoch=before)
    if state.whole:
        heal(server, store, same)
    _take_lost_ends(server, store, line)
    if store.last_step < state.last:
        same = _take_rest(server, store, state)
    whole = state.whole
    if whole and _lost(same, store):
        log.error("the replica has lost commits that it had: everything is sent anew")
        server.not_whole()
        whole = False
    return ReplicaState(line, state.epoch, same, whole)


def late_meeting(server: ReplicaServer, folder: Path, end: OurEnd, newest: int, own: OwnEpochs) -> ReplicaState:
    """The same, after the start: `end` is how it was then, `newest` the last step that was written since.

    StuckError, too, where a start must bring the two together.
    """
    state, before = _claimed(server, end.line, own)
    wrote = newest > end.last
    # One more may be what our own disk refused, or was acknowledged and lost here by a power cut. While nothing was
    # written since, the next start can take it; else what we wrote under its number takes its place.
    if state.last > end.last + wrote:
        raise StuckError(f"it has {state.last - end.last} commits more than this store: the next start takes them")
    for steps in _lost_ends(server, end) if not wrote else ():
        if next(steps, None) is not None:
            raise StuckError("a power cut took commits that it has: the next start takes them from there")
    if not wrote and state.whole and damaged_before(folder):
        raise StuckError("a file was found damaged: the next start makes it anew from there")
    same = _same(server, folder, state, end.last, own=own, epoch=before)
    return ReplicaState(end.line, state.epoch, same, state.whole)


def met_again(server: ReplicaServer, line: str, confirmed: int) -> ReplicaState:
    """After a line that broke. StuckError where what it had confirmed is gone."""
    state = server.state() or ReplicaState(line, 0, 0, whole=False)
    if state.line != line:
        raise StuckError("it holds another store under our name")
    if state.last < confirmed:
        raise StuckError("it has lost what it had confirmed: the next start sends everything anew")
    return state


def take_up(server: ReplicaServer, store: SqliteStore, state: ReplicaState, *, compare: bool = True) -> None:
    """Do what the replica has and the store lacks. StuckError where they went different ways, or too far apart.

    `compare` is needed once, when the store was opened: later all of it came from there.
    """
    if compare or state.last < store.last_step:
        _same(server, store.folder, state, store.last_step)
    if compare:
        _take_lost_ends(server, store, state.line)
    _take_rest(server, store, state)


def _take_rest(server: ReplicaServer, store: SqliteStore, state: ReplicaState) -> int:
    before = store.last_step
    if state.last > before:
        store.repeat(_contiguous(server.steps(before), before))
        log.debug("%d commits were taken from the replica", store.last_step - before)
    return min(state.last, store.last_step)


def _claimed(server: ReplicaServer, line: str, own: OwnEpochs) -> tuple[ReplicaState, int | None]:
    """How it is now that nobody else writes, and the epoch before ours. StuckError for another store's replica."""
    state = server.state()
    if state is not None and state.line != line:
        raise StuckError(ANOTHER)
    own.add(server.claim(line))
    now = server.state()
    assert now is not None
    return now, state.epoch if state is not None else None


def _same(
    server: ReplicaServer,
    folder: Path,
    state: ReplicaState,
    last: int,
    *,
    own: OwnEpochs | None = None,
    epoch: int | None = None,
) -> int:
    """Up to which step the two are the same. StuckError where they went different ways.

    `last`: our last step. `own`, `epoch`: the one that was claimed last before now, perhaps by us.
    """
    both = min(state.last, last)
    for step in kept_upto(folder, both):
        theirs = server.body(step.n)
        if theirs is None or theirs == step.body:
            continue
        # Our disk refused a commit after it was sent, and took another one under its number: nobody was told of that.
        if own is not None and step.n == state.last and server.epoch_of(step.n) in own:
            log.warning("replica: commit %d was replaced after it had been sent", step.n)
            return step.n - 1
        raise StuckError(f"the replica and this store went different ways at commit {step.n}; {RESTORE}")
    ours_alone = own is not None and epoch in own
    if both < state.last and both and server.body(both) is None and not ours_alone:
        raise StuckError(f"the replica is too far ahead of this store; {RESTORE}")
    return both


def _take_lost_ends(server: ReplicaServer, store: SqliteStore, line: str) -> None:
    for steps in _lost_ends(server, OurEnd.of(store, line)):
        store.repeat(steps)


def _lost_ends(server: ReplicaServer, end: OurEnd) -> Iterator[Iterator[StoreStep]]:
    """A power cut may take the end of one file, or all of the newest, and leave newer steps in another: by file, what
    the replica has of them."""
    for day, last in end.ends:
        yield server.steps_of(day, last, end.last)
    for day in server.days_after(end.newest_day):
        yield server.steps_of(day, 0, end.last)


def _lost(last: int, store: SqliteStore) -> bool:
    """Whether commits behind the newest that the replica has stand in no file of ours any more: it had them once."""
    return last < store.last_step and count_after(store.folder, last) < store.last_step - last


def _contiguous(steps: Iterator[StoreStep], after: int) -> Iterator[StoreStep]:
    for step in steps:
        after += 1
        if step.n != after:
            raise StuckError(f"the replica is too far ahead of this store; {RESTORE}")
        yield step
