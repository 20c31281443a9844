"""Whatever happens to a journal and whatever is hinted, a message stays under its own topic. A state machine."""

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.model import Batch
from gateway.store import day
from gateway.store.base import StoreError
from gateway.store.files import transaction
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY, HOUR, NOON, messages

TOPICS = [f"yz/s/d{number}/state".encode() for number in range(12)]
CHOSEN = st.lists(st.integers(0, len(TOPICS) - 1), min_size=1, max_size=8)


class Journal(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.now, self.said = NOON, 0
        self.known = dict.fromkeys(range(len(TOPICS)), 0)  # as devices keep what the journal told
        self.expected: list[tuple[bytes, bytes, int, int]] = []
        self.store = SqliteStore(self.folder, self.now, ballast_mib=0)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    def batch(self, chosen: list[int], hints: dict[int, int], *, same_object: bool = True) -> Batch:
        made = Batch()
        for at in chosen:
            topic = TOPICS[at] if same_object else bytes(bytearray(TOPICS[at]))
            self.said += 1
            made.append(topic, b'{"said":%d,"by":%d}' % (self.said, at), self.now, 0, hints[at])
        return made

    def commit(self, batch: Batch) -> None:
        self.store.commit(batch, [], [], self.now)
        self.expected += messages([(0, batch)])
        for topic, number in batch.looked_up:
            self.known[TOPICS.index(topic)] = number

    @rule(chosen=CHOSEN, same_object=st.booleans())
    def hear(self, chosen: list[int], same_object: bool) -> None:
        self.commit(self.batch(chosen, self.known, same_object=same_object))

    @rule(chosen=CHOSEN, lies=st.lists(st.integers(-2, 14), min_size=12, max_size=12))
    def hear_with_lies(self, chosen: list[int], lies: list[int]) -> None:
        self.commit(self.batch(chosen, dict(enumerate(lies))))

    @rule(chosen=CHOSEN, where=st.sampled_from(["pack", "full", "commit"]))
    def fail_and_try_again(self, chosen: list[int], where: str) -> None:
        batch = self.batch(chosen, self.known)
        with broken(self.store, where), contextlib.suppress(StoreError):
            self.commit(batch)
            return
        self.commit(batch)

    @rule()
    def midnight(self) -> None:
        self.now += DAY

    @rule()
    def tidy(self) -> None:
        self.now += HOUR
        self.store.checkpoint(0, self.store.last_id, b"")
        while self.store.tidy(self.now):
            pass

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = SqliteStore(self.folder, self.now, ballast_mib=0)

    @rule()
    def salvage(self) -> None:
        """The day's file is found damaged, and what can be read of it goes into a new one."""
        if self.store._day is not None:
            assert self.store._helped(StoreError("malformed", damaged=True), self.now)

    @invariant()
    def all_lie_under_their_own_topics(self) -> None:
        if hasattr(self, "store"):
            assert sorted(messages(self.store.batches(0))) == sorted(self.expected)


@contextlib.contextmanager
def broken(store: SqliteStore, where: str):
    """A disk that fails once within the next commit."""
    with pytest.MonkeyPatch.context() as patch:
        if where == "full" and store._day is not None:
            pages = store._day._db.execute("PRAGMA page_count").fetchone()[0]
            store._day._db.execute(f"PRAGMA max_page_count={pages}")
            yield
            if store._day is not None:
                store._day._db.execute("PRAGMA max_page_count=1073741823")
            return
        real = transaction

        @contextlib.contextmanager
        def fails_at_the_end(db: sqlite3.Connection):
            with real(db):
                yield
                raise sqlite3.OperationalError("disk I/O error")

        def fails(*_args: object) -> bytes:
            raise sqlite3.OperationalError("disk I/O error")

        patch.setattr(day, *(("pack_batch", fails) if where == "pack" else ("transaction", fails_at_the_end)))
        yield


Journal.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestJournal = Journal.TestCase


@pytest.mark.parametrize("lie", [-1, -2, 0, 5])
def test_a_hint_that_names_nothing_is_looked_up(tmp_path: Path, lie: int) -> None:
    store = SqliteStore(tmp_path, NOON, ballast_mib=0)
    for number, hint in enumerate((0, lie)):
        made = Batch()
        made.append(TOPICS[0], b'{"said":%d}' % number, NOON, 0, hint)
        store.commit(made, [], [], NOON)
        assert made.looked_up == [(TOPICS[0], 1)]
    assert [topic for _, batch in store.batches(0) for topic in batch.topics] == [TOPICS[0]] * 2
    store.close()
