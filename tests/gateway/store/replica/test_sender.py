"""Who is told what when: nothing is acknowledged before both have it, and doubtful answers cost nothing."""

import re
from contextlib import closing

import pytest

from gateway.core.outcome import Outcome
from gateway.runtime.writer import Commit, Writer
from gateway.store.base import StoreError
from gateway.store.files import read_only
from gateway.store.jobs import Keep, KeepAudit
from gateway.store.reader import SqliteReader
from gateway.store.replica.sender import ReplicaSender
from gateway.store.replica.words import Standby
from gateway.store.sqlite import SqliteStore
from gateway.store.step_words import StoreStep
from gateway.store.steps import steps_after
from tests.gateway.store.replica.pretended import PretendedServer
from tests.gateway.store.world import NOON, TAKEN, batch, change, refused
from tests.patience import until


class House:
    """A store with a replica, which can be started again."""

    def __init__(self, folder, server, *, required=True):
        self.folder, self.server, self.required = folder, server, required
        self.seq = 0

    def start(self, *, thread=True):
        self.sender = ReplicaSender(self.server.connect, required=self.required)
        self.store = SqliteStore(self.folder, NOON, ballast_mib=0, replica=self.sender)
        self.sender.begin(self.store)
        if thread:
            self.sender.start()
        return self

    def commit(self, count=3):
        self.seq += count
        return self.store.commit(batch(self.seq - count + 1, count, NOON), [change(NOON + self.seq, TAKEN)], [], NOON)

    def settled(self):
        try:
            self.store.settle()
        except StoreError:
            return False
        return True

    def stop(self):
        self.server.open.set()
        self.sender.end(10)
        self.store.close()


@pytest.fixture
def server():
    return PretendedServer()


@pytest.fixture
def house(tmp_path, server):
    made = House(tmp_path / "data", server)
    yield made
    if hasattr(made, "store"):
        made.stop()


def in_both(house):
    """What is in the journal is in the replica, to the byte."""
    kept = {step.n: step for step in steps_after(house.folder, 0)}
    assert kept
    assert {n: house.server.rows[n] for n in kept} == kept
    assert sorted(house.server.rows) == list(range(1, house.store.last_step + 1))


def test_what_is_committed_is_acknowledged_only_when_the_replica_has_it(house, server):
    house.start()
    server.open.clear()
    writer = Writer(house.store, lambda: None)
    writer.start()
    outcome = Outcome()
    outcome.batch = batch(1, 5, NOON)
    told = []
    writer.put(Commit(outcome, NOON, mids=[1, 2, 3]))
    writer.write([KeepAudit(NOON, "li", "tested", "x")], told.append)
    until(lambda: writer.trouble, "the writer saying that it waits")
    assert (house.store.last_id, len(writer.done), told) == (1, 0, [])  # on our disk, and told nobody
    server.open.set()
    until(lambda: writer.done and told, "both being told")
    assert (told, writer.trouble) == ([None], None)
    assert writer.end(10)
    in_both(house)


def test_it_is_sent_while_our_own_disk_still_writes(house, server, monkeypatch):
    house.start()
    house.commit()
    assert house.settled()
    server.waiting.clear()
    seen = []
    real = house.store.steps.done

    def done(batch=0):
        seen.append(server.waiting.wait(60))  # the server has been asked before our own commit is over
        real(batch)

    monkeypatch.setattr(house.store.steps, "done", done)
    house.commit()
    assert seen == [True]


@pytest.mark.parametrize("how", ["answer", "question"])
def test_a_doubtful_answer_is_asked_for_and_nothing_is_written_twice(house, server, how):
    house.start()
    house.commit()
    assert house.settled()
    before = len(server.inserts)
    server.lose = [how]
    house.commit()
    until(house.settled)
    n = house.store.last_step
    assert server.asked == [n]
    assert server.inserts[before:] == ([n] if how == "answer" else [n, n])
    in_both(house)


def test_while_it_is_away_nothing_goes_on_where_it_is_required(house, server):
    house.start()
    server.away = True
    house.commit()
    assert not house.settled()
    assert "nobody answers" in until(lambda: house.sender.trouble)
    server.away = False
    until(house.settled)
    assert house.sender.trouble is None
    in_both(house)


def test_a_start_without_it_writes_nothing_until_it_is_heard_of(house, server):
    server.away = True
    house.start()
    with pytest.raises(StoreError, match="not heard of since the start"):
        house.store.ready()
    server.away = False
    until(lambda: house.sender.trouble is None, "it being met")
    house.store.ready()
    house.commit()
    until(house.settled)
    in_both(house)


def test_where_it_is_not_required_one_copy_goes_on_says_so_and_catches_up_from_the_journal(tmp_path, server):
    house = House(tmp_path / "data", server, required=False)
    server.away = True
    house.start()
    for _ in range(5):
        house.store.ready()
        house.commit()
        assert house.settled()
    house.stop()
    house.start()  # nothing of it is in memory any more
    for _ in range(5):
        house.commit()
        assert house.settled()
    assert "nobody answers" in (house.sender.trouble or "")
    assert house.sender.metrics().behind == house.store.last_step
    server.away = False
    until(lambda: house.sender.metrics().behind == 0, "it catching up")
    until(lambda: house.sender.trouble is None)
    in_both(house)
    house.stop()


def test_what_it_lacked_before_a_start_is_not_packed_anew_while_it_is_away(tmp_path, server):
    house = House(tmp_path / "data", server, required=False)
    server.away = True
    house.start()
    house.commit()
    house.stop()
    house.start()
    house.commit()
    house.store.checkpoint_all([(0, b"")], house.store.last_id)
    later = NOON + 7_200_000
    assert not house.store.tidy(later)
    server.away = False
    until(lambda: house.sender.trouble is None, "it catching up")
    in_both(house)
    assert house.store.tidy(later)
    house.stop()


def test_while_it_lacks_what_was_stored_before_a_start_it_says_so(tmp_path, server):
    house = House(tmp_path / "data", server, required=False)
    server.away = True
    house.start()
    house.commit()
    house.stop()
    server.away = False
    server.open.clear()
    house.start()
    assert "lacks commits" in (house.sender.trouble or "")
    server.open.set()
    until(lambda: house.sender.trouble is None, "it catching up")
    in_both(house)
    house.stop()


def test_one_that_is_slow_is_waited_for_a_little_and_then_is_behind(tmp_path, server, monkeypatch):
    monkeypatch.setattr("gateway.store.replica.sender.PATIENCE_S", 0.05)
    house = House(tmp_path / "data", server, required=False).start()
    house.commit()
    assert house.settled()
    server.open.clear()
    house.commit()
    assert house.settled()
    assert "lacks commits" in (house.sender.trouble or "")
    server.open.set()
    until(lambda: house.sender.trouble is None)
    in_both(house)
    house.stop()


def test_what_the_journal_has_and_the_replica_lacks_is_sent_first(house, server):
    house.start(thread=False)  # killed before anything was sent
    for _ in range(3):
        house.commit()
    house.store.write([Keep("a", b"1"), KeepAudit(NOON, "li", "tested", "x")])
    house.commit()
    house.store.close()
    house.start()
    house.commit()
    until(house.settled)
    in_both(house)
    assert server.inserts == sorted(server.inserts)


def test_commits_that_it_lost_between_others_that_are_kept_here_are_told_as_lost(house, server):
    house.start()
    house.commit()
    house.store.write([Keep("a", b"1")])  # kept here until the core file is written to again
    for _ in range(3):
        house.commit()
        assert house.settled()
    first, last = 3, house.store.last_step
    kept = [step.n for step in steps_after(house.folder, first - 1)]
    assert kept == [first, last]
    house.stop()
    for n in range(first, last + 1):
        del server.rows[n]  # an older standby took its place
    house.start()
    assert not house.sender.whole
    assert not server.whole


def test_what_the_replica_has_and_the_journal_lacks_is_taken_at_the_start(house, server, tmp_path):
    house.start()
    house.commit()
    assert house.settled()
    house.store.core.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    house.stop()
    backup = {path.name: path.read_bytes() for path in house.folder.iterdir() if path.suffix == ".db"}
    house.start()
    for _ in range(4):
        house.commit()
    house.store.commit(batch(90, 2, NOON), [], [refused(NOON)], NOON)
    house.store.write([KeepAudit(NOON, "li", "tested", "x")])
    until(house.settled)
    want = house.store.last_step, house.store.last_id, messages_of(house)
    house.stop()
    for path in house.folder.iterdir():
        if ".db" in path.name:
            path.unlink()
    for name, data in backup.items():
        (house.folder / name).write_bytes(data)
    house.start()
    assert (house.store.last_step, house.store.last_id, messages_of(house)) == want
    house.commit()
    until(house.settled)
    in_both(house)


def test_the_one_commit_that_the_journal_lost_is_taken_also_where_the_server_is_met_after_the_start(house, server):
    house.start()
    house.commit()
    assert house.settled()
    house.store.core.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    house.stop()
    kept = {path.name: path.read_bytes() for path in house.folder.iterdir() if path.suffix == ".db"}
    house.start()
    house.commit()
    assert house.settled()
    want, acknowledged = messages_of(house), server.rows[house.store.last_step]
    house.stop()
    for path in house.folder.glob("*.db*"):
        path.unlink()
    for name, data in kept.items():
        (house.folder / name).write_bytes(data)
    server.away = True
    house.start()
    server.away = False
    house.sender.join(60)
    assert "the next start takes them" in str(house.sender.failed)
    house.stop()
    house.start()
    assert messages_of(house) == want
    assert server.rows[house.store.last_step] == acknowledged
    house.commit()
    assert house.settled()
    in_both(house)


def test_the_end_of_a_file_that_was_lost_is_taken_also_where_the_server_is_met_after_the_start(house, server):
    house.start()
    house.commit()
    assert house.settled()
    house.stop()
    kept = {path: path.read_bytes() for path in house.folder.glob("*.day.db")}
    house.start()
    house.commit()
    house.store.write([Keep("a", b"1")])
    assert house.settled()
    want = messages_of(house)
    house.stop()
    for path, data in kept.items():
        path.with_name(path.name + "-wal").unlink(missing_ok=True)
        path.write_bytes(data)
    server.away = True
    house.start()
    server.away = False
    house.sender.join(60)
    assert "a power cut took commits" in str(house.sender.failed)
    house.stop()
    house.start()
    assert messages_of(house) == want
    house.commit()
    assert house.settled()


def messages_of(house):
    with closing(SqliteReader(house.folder)) as reader, closing(read_only(house.folder / "yizhan.db")) as core:
        audit = core.execute("SELECT id, who, digest FROM audit").fetchall()
        return list(reader.readings()), list(reader.quarantine()), audit


def test_a_commit_that_our_disk_refused_is_replaced_by_the_next_of_its_number(house, server, monkeypatch):
    house.start()
    house.commit()
    assert house.settled()

    real = house.store.steps.put

    def put(*args):
        real(*args)
        until(lambda: server.inserts[-1] == house.store.last_step + 1 and house.sender.confirmed == server.inserts[-1])
        raise OSError("no space left")  # after it was sent, and the replica has it

    with monkeypatch.context() as patch:
        patch.setattr(house.store.steps, "put", put)
        with pytest.raises(StoreError, match="no space left"):
            house.commit()
    house.commit(2)
    until(house.settled)
    in_both(house)
    assert len(server.rows) == house.store.last_step


def test_one_that_is_replaced_before_its_way_began_is_no_confirmation_of_the_other(house, server):
    house.start(thread=False)
    sender, connection = house.sender, house.sender._server
    first, second = StoreStep(1, 20_000, b"refused by our disk"), StoreStep(1, 20_000, b"durable")
    sender.send(first)
    assert sender._next() is first
    sender.send(second)
    sender._deliver(connection, first)
    assert sender.confirmed == 0
    assert sender._next() is second
    sender._deliver(connection, second)
    assert sender.confirmed == 1
    assert server.rows[1] == second


def test_another_gateway_that_took_over_ends_this_one(house, server):
    house.start()
    house.commit()
    assert house.settled()
    server.epoch += 1
    house.commit()
    house.sender.join(60)
    assert not house.sender.is_alive()
    assert not house.settled()
    assert house.store.last_step not in server.rows


def test_a_store_that_is_another_one_is_refused_with_the_mend(house, server, tmp_path):
    house.start()
    house.commit()
    assert house.settled()
    other = House(tmp_path / "other", server)
    with pytest.raises(StoreError, match=r"another gateway\.id.*restore --from-replica"):
        other.start()
    other.store.close()


def another_wrote(server, n, body=b"something else"):
    server.epoch += 1
    server.rows[n], server.epochs[n] = StoreStep(n, server.rows[n].day, body), server.epoch


@pytest.mark.parametrize("away", [False, True])
def test_two_that_went_different_ways_are_told_apart(house, server, away):
    house.start()
    house.commit()
    assert house.settled()
    house.stop()
    another_wrote(server, max(server.rows))
    server.away = away
    try:
        house.start()
    except StoreError as error:
        told = str(error)
        house.store.close()
        del house.store
    else:
        server.away = False
        house.sender.join(60)
        told = str(house.sender.failed)
    assert re.search(r"different ways at commit 2; .*restore --from-replica", told)


def test_that_no_standby_confirms_is_told(house, server):
    server.names = Standby(confirms=False, why="there is one copy on the server")
    house.start()
    assert house.sender.trouble is None
    assert "there is one copy on the server" in house.sender.doubts
    assert not house.sender.metrics().standby


def test_checkpoints_follow_the_commits_that_they_contain(house, server):
    house.start()
    house.commit()
    house.store.checkpoint_all([(0, b"zero"), (1, b"one")], house.store.last_id)
    house.store.checkpoint_all([(1, b"newer")], house.store.last_id)
    until(lambda: server.parts.get(1) == (1, 1, b"newer"))
    assert server.parts[0] == (0, 1, b"zero")
    assert max(server.rows) == house.store.last_step


def test_what_the_replica_lacks_is_not_packed_anew(house, server):
    house.start(thread=False)
    house.commit()
    house.store.checkpoint_all([(0, b"")], house.store.last_id)
    later = NOON + 7_200_000
    assert not house.store.tidy(later)
    house.sender.start()
    until(house.settled)
    assert house.store.tidy(later)
