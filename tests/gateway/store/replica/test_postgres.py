"""The replica in a PostgreSQL that runs, with and without a synchronous standby."""

import threading
from contextlib import ExitStack, closing

import pytest

from gateway.store.replica.postgres import Postgres
from gateway.store.replica.sender import ReplicaSender
from gateway.store.replica.words import FencedError, ServerAwayError, StuckError
from gateway.store.sqlite import SqliteStore
from gateway.store.step_words import StoreStep
from gateway.store.steps import steps_after
from tests.gateway.store.world import NOON, TAKEN, batch, change
from tests.patience import until
from tests.postgres import servers


@pytest.fixture(scope="module")
def cluster():
    yield from servers()


@pytest.fixture(scope="module")
def alone(cluster):
    server = cluster.new_server()
    server.make()
    server.start()
    return server


@pytest.fixture(scope="module")
def pair(cluster):
    """A primary and its synchronous standby."""
    primary, standby = cluster.new_server(), cluster.new_server()
    primary.make()
    primary.start()
    standby.follow(primary, "second")
    standby.start()
    primary.set("synchronous_standby_names", "second")
    until(lambda: primary.sql("SELECT sync_state FROM pg_stat_replication") == "sync")
    return primary, standby


@pytest.fixture
def connected(alone):
    """Connect under a name; all are closed at the end."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(closing(Postgres(alone.url, name)))


def step(n, body=b"what happened"):
    return StoreStep(n, 20_000, body)


def test_steps_come_back_as_they_were_sent(connected):
    server = connected("round")
    assert server.state() is None
    assert server.claim("line") == 1
    sent = [step(1, b""), StoreStep(2, None, bytes(range(256)) * 5000), step(3)]
    for sent_step in sent:
        server.insert(sent_step)
    again = connected("round")
    assert list(again.steps(0)) == sent
    assert [told.n for told in again.steps(2)] == [3]
    state = again.state()
    assert (state.line, state.epoch, state.last, state.whole) == ("line", 1, 3, False)
    again.resume(1)
    assert again.has(step(3))
    assert not again.has(step(3, b"another"))
    assert not again.has(step(4))
    assert again.body(2) == sent[1].body


def test_who_claimed_before_writes_nothing_any_more(connected):
    first, second = connected("fence"), connected("fence")
    first.claim("line")
    first.insert(step(1))
    assert second.claim("line") == 2
    for work in (lambda: first.insert(step(2)), lambda: first.keep_parts([(0, 1, b"")]), lambda: first.has(step(1))):
        with pytest.raises(FencedError, match="another gateway writes as fence"):
            work()
    assert [told.n for told in second.steps(0)] == [1]
    with pytest.raises(StuckError):
        second.claim("another line")


def test_a_server_that_is_not_there_says_why(alone):
    with pytest.raises(ServerAwayError, match="refused"):
        Postgres(f"postgresql://postgres@127.0.0.1:{alone.port + 1}/postgres", "x")
    with pytest.raises(ServerAwayError, match="nobody_here"):
        Postgres(f"postgresql://nobody_here@127.0.0.1:{alone.port}/postgres", "x")


def test_a_server_without_standby_is_told_as_one_copy(connected):
    told = connected("alone").standby()
    assert not told.confirms
    assert "synchronous_standby_names is empty" in told.why


class Gateway:
    """A store with its sender."""

    def __init__(self, folder, server, name, *, required=True):
        self.folder = folder
        self.sender = ReplicaSender(lambda: Postgres(server.url, name), required=required)
        self.store = SqliteStore(folder, NOON, ballast_mib=0, replica=self.sender)
        self.sender.begin(self.store)
        self.sender.start()
        self.seq = 0

    def commit(self):
        self.seq += 1
        self.store.commit(batch(self.seq, 1, NOON), [change(NOON + self.seq, TAKEN)], [], NOON)

    def confirmed(self):
        return self.sender.confirmed == self.store.last_step

    def stop(self):
        self.sender.end(5)
        self.store.close()


def rows(server, name):
    return int(server.sql(f"SELECT count(*) FROM yizhan_step WHERE gateway = '{name}'"))


def waits_for_the_standby(server, name):
    return server.sql(
        f"SELECT pid FROM pg_stat_activity WHERE application_name = 'yizhan {name}' AND wait_event = 'SyncRep'"
    )


@pytest.mark.slow
@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_wait_for_the_standby_that_is_cut_off_is_no_confirmation(pair, tmp_path, how):
    """The commit is visible then and may be on one disk alone: https://github.com/patroni/patroni/issues/1412"""
    primary, standby = pair
    gateway = Gateway(tmp_path / "data", primary, how)
    assert gateway.sender.standby.confirms
    gateway.commit()
    until(gateway.confirmed)
    standby.kill()
    gateway.commit()
    for _ in range(3):  # whoever comes again is cut off as well
        until(lambda: waits_for_the_standby(primary, how), "a commit waiting")
        primary.sql(
            f"SELECT {how}(pid) FROM pg_stat_activity"
            f" WHERE application_name = 'yizhan {how}' AND wait_event = 'SyncRep'"
        )
    assert not gateway.confirmed()
    assert rows(primary, how) == gateway.store.last_step  # visible there
    standby.start()
    until(gateway.confirmed, "the standby's word")
    assert rows(primary, how) == rows(standby, how) == gateway.store.last_step
    until(lambda: primary.sql("SELECT sync_state FROM pg_stat_replication") == "sync")
    gateway.stop()


@pytest.mark.slow
def test_an_epoch_counts_only_when_the_standby_has_it(pair):
    primary, standby = pair
    with closing(Postgres(primary.url, "claims")) as server:
        server.claim("line")
        standby.kill()
        claimed = []
        thread = threading.Thread(target=lambda: claimed.append(server.claim("line")))
        thread.start()
        for _ in range(3):
            until(lambda: waits_for_the_standby(primary, "claims"), "the claim waiting")
            primary.sql(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'yizhan claims' AND wait_event = 'SyncRep'"
            )
        assert claimed == []
        standby.start()
        thread.join(60)
        assert claimed == [2]
        assert standby.sql("SELECT epoch FROM yizhan_store WHERE gateway = 'claims'") == "2"
    until(lambda: primary.sql("SELECT sync_state FROM pg_stat_replication") == "sync")


@pytest.mark.slow
def test_a_server_that_dies_between_insert_and_answer_is_asked_afterwards(pair, tmp_path):
    primary, standby = pair
    gateway = Gateway(tmp_path / "data", primary, "dies")
    gateway.commit()
    until(gateway.confirmed)
    standby.kill()
    gateway.commit()
    until(lambda: waits_for_the_standby(primary, "dies"), "the INSERT waiting")
    primary.kill()
    until(lambda: gateway.sender.trouble, "it being away")
    primary.start()
    standby.start()
    until(gateway.confirmed, "the replica having it")
    assert rows(primary, "dies") == rows(standby, "dies") == gateway.store.last_step == 3
    gateway.stop()


@pytest.mark.slow
def test_the_standby_that_went_is_told(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.store.replica.sender.LOOK_S", 0.2)
    primary, standby = pair
    gateway = Gateway(tmp_path / "data", primary, "went")
    until(lambda: gateway.sender.standby.confirms)
    standby.kill()
    assert "no synchronous standby is connected" in until(lambda: gateway.sender.doubts)
    standby.start()
    until(lambda: gateway.sender.doubts is None)
    gateway.stop()


def test_a_gateway_sends_all_that_it_writes(alone, connected, tmp_path):
    gateway = Gateway(tmp_path / "data", alone, "all")
    threads = threading.active_count()
    for _ in range(20):
        gateway.commit()
        gateway.store.settle()
    kept = list(steps_after(gateway.folder, 0))
    there = {told.n: told for told in connected("all").steps(0)}
    assert sorted(there) == list(range(1, 22))
    assert all(there[written.n] == written for written in kept)
    assert threading.active_count() == threads
    gateway.stop()
