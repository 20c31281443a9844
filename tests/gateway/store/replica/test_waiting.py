"""A gateway that waits beside another: it follows, takes over when that one is gone, and two never write."""

import threading
import time
from contextlib import closing

import pytest

from gateway.store.base import StoreError
from gateway.store.replica.lease import LeaseKeeper, holder_of
from gateway.store.replica.postgres import Postgres
from gateway.store.replica.waiting import WaitingGateway
from gateway.store.replica.words import FencedError, Holder, ServerAwayError
from tests.gateway.store.replica.house import House
from tests.patience import until
from tests.postgres import servers


@pytest.fixture(scope="module")
def server():
    for made in servers():
        primary = made.new_server()
        primary.make()
        primary.start()
        yield primary


@pytest.fixture
def house(tmp_path, server, request):
    made = House(tmp_path / "first", server, request.node.name.replace("_", "-")[-40:].strip("-"))
    yield made
    if hasattr(made, "store"):
        made.stop()


class Beside:
    """A waiting gateway on another machine, on a thread."""

    def __init__(self, house, folder):
        self.folder, self.ending, self.won = folder, threading.Event(), None
        self.waiting = WaitingGateway(house.connect, folder, folder / "keys.json", holder_of(folder), 400)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        self.won = self.waiting.wait(self.ending)

    def end(self):
        self.ending.set()
        self.thread.join(60)


def follows(beside, house):
    store = beside.waiting._store
    return store is not None and store.last_step == house.store.last_step


def expired(house):
    """The lease of the one before has run out; it is ours then."""
    with closing(house.connect()) as connection:
        return connection.take_lease(house.holder) is None


def test_a_lease_is_one_gateways_until_it_runs_out(server, monkeypatch):
    with closing(Postgres(server.url, "lease")) as first, closing(Postgres(server.url, "lease")) as second:
        mine, theirs = Holder("a", "house-a"), Holder("b", "house-b")
        assert first.take_lease(mine) is None
        assert first.take_lease(mine) is None  # a restart of the same one
        assert second.take_lease(theirs) == "house-a"
        assert first.renew_lease(mine)
        assert not second.renew_lease(theirs)
        monkeypatch.setattr("gateway.store.replica.postgres.LEASE_S", 0.2)
        first.take_lease(mine)
        until(lambda: second.take_lease(theirs) is None, "the lease running out")
        assert not first.renew_lease(mine)
        second.renew_lease(theirs, 0)  # given back
        assert first.take_lease(mine) is None


def test_the_holder_is_the_same_at_each_start_and_another_in_each_folder(tmp_path):
    first = holder_of(tmp_path / "a")
    assert holder_of(tmp_path / "a") == first
    assert holder_of(tmp_path / "b").id != first.id


def test_a_gateway_does_not_start_while_another_writes(house, server, tmp_path):
    house.start()
    house.live(1)
    house.whole()
    house.restored(tmp_path / "copy")
    other = House(tmp_path / "copy", server, house.name, Holder("two", "two"))
    with pytest.raises(StoreError, match=r"a gateway on one writes under our name now.*--standby"):
        other.start()
    other.store.close()
    house.live(1)


def test_one_that_waits_follows_and_takes_over_with_everything_when_the_other_is_gone(
    house, server, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("gateway.store.replica.postgres.LEASE_S", 2.0)
    monkeypatch.setattr("gateway.store.replica.lease.RENEW_S", 0.2)
    house.start()
    keeper = LeaseKeeper(house.sender, house.connect)
    keeper.start()
    house.live(1)
    (house.folder / "keys.json").write_text('{"keys": []}')
    house.whole()
    beside = Beside(house, tmp_path / "second")
    until(lambda: follows(beside, house), "it having followed")
    house.live(3)
    (house.folder / "keys.json").write_text('{"keys": [1]}')  # one was revoked
    house.filing.look()
    until(lambda: follows(beside, house), "it following on")
    assert beside.thread.is_alive()
    monkeypatch.setattr(Postgres, "renew_lease", lambda *_: True)  # the first machine is away, as far as one can see
    begin = time.monotonic()
    until(lambda: not beside.thread.is_alive(), "the take-over")
    assert beside.won
    assert time.monotonic() - begin < 30
    assert (beside.folder / "keys.json").read_text() == '{"keys": [1]}'
    want = house.exported(capsys)
    assert house.exported(capsys, beside.folder) == want
    second = House(beside.folder, server, house.name, holder_of(beside.folder))
    second.seq, second.now = house.seq, house.now
    second.start()
    # The first wakes up: what it stores goes nowhere, and it ends.
    house.store.write([])
    house.sender.join(60)
    assert isinstance(house.sender.failed, FencedError)
    with pytest.raises(StoreError):
        house.store.settle()
    second.live(1)
    keeper.end(5)
    second.stop()


def test_one_that_ends_as_told_hands_over_at_once(house, tmp_path):
    house.start()
    keeper = LeaseKeeper(house.sender, house.connect)
    keeper.start()
    house.live(1)
    house.whole()
    beside = Beside(house, tmp_path / "second")
    until(lambda: follows(beside, house))
    keeper.end(5)
    until(lambda: beside.won, "the take-over")
    beside.end()


def test_what_the_first_had_alone_is_set_aside_when_it_comes_back_to_wait(house, server, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("gateway.store.replica.postgres.LEASE_S", 0.3)
    house.start()
    house.live(1)
    house.whole()
    house.restored(tmp_path / "second")
    house.sender.end(5)
    house.store.write([])  # ours alone: nobody was told
    house.stop()
    del house.store
    second = House(tmp_path / "second", server, house.name, holder_of(tmp_path / "second"))
    second.seq, second.now = house.seq, house.now
    until(lambda: expired(second), "the lease running out")
    second.start()
    second.live(1)
    monkeypatch.setattr("gateway.store.replica.postgres.LEASE_S", 3600)
    with closing(second.connect()) as server_of_second:
        assert server_of_second.take_lease(second.holder) is None
    beside = Beside(house, house.folder)
    until(lambda: follows(beside, second), "the first following the second")
    assert list(house.folder.glob("before-standby/*/yizhan.db"))
    beside.end()
    assert beside.won is False
    assert second.exported(capsys, house.folder) == second.exported(capsys)
    second.stop()


def test_after_the_server_was_away_whoever_had_the_lease_comes_first(house, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.store.replica.postgres.LEASE_S", 0.1)
    house.start()
    house.live(1)
    house.whole()
    there = [True]

    def connect():
        if not there[0]:
            raise ServerAwayError("nobody answers")
        return Postgres(house.url, house.name)

    now = [0.0]
    monkeypatch.setattr("gateway.store.replica.waiting.monotonic_s", lambda: now[0])
    waiting = WaitingGateway(connect, tmp_path / "second", tmp_path / "keys.json", Holder("two", "two"), 400)
    there[0] = False
    assert not waiting._look()
    there[0] = True
    until(lambda: expired(House(tmp_path, house.server, house.name, Holder("three", "three"))), "the lease running out")
    now[0] = 11.9
    assert not waiting._look()
    now[0] = 12.0
    until(waiting._look, "the take-over")
    waiting._close()


def test_nobody_takes_over_by_himself_from_a_gateway_that_goes_on_without_the_replica(
    house, tmp_path, monkeypatch, caplog
):
    """What it told as stored may be there alone, and the one that waits would go another way."""
    monkeypatch.setattr("gateway.store.replica.postgres.LEASE_S", 0.1)
    monkeypatch.setattr("gateway.store.replica.waiting.LEASE_S", 0.0)
    caplog.set_level("INFO")
    house.holder = Holder("one", "one", required=False)
    house.start()
    house.live(1)
    house.whole()
    waiting = WaitingGateway(house.connect, tmp_path / "second", tmp_path / "keys.json", Holder("two", "two"), 400)
    until(lambda: not holds(house), "the lease running out")
    assert not waiting._look()
    assert "never taking over from it: it has store.replica `required: false`" in caplog.text
    house.stop()
    house.holder = Holder("one", "one")
    house.start()  # with `required: true`
    until(lambda: not holds(house), "the lease running out")
    until(waiting._look, "the take-over")
    waiting._close()


def holds(house):
    statement = f"SELECT until > clock_timestamp() FROM yizhan_lease WHERE gateway = '{house.name}'"
    return house.server.sql(statement) == "t"


def test_one_whose_newest_day_lost_its_end_in_a_power_cut_takes_that_too(house, tmp_path, capsys, monkeypatch):
    """Later the day would be over, and its steps gone from the replica."""
    monkeypatch.setattr("gateway.store.replica.postgres.LEASE_S", 3_600)  # nobody renews it here
    house.start()
    house.live(1)
    house.whole()
    folder = tmp_path / "second"
    house.restored(folder)
    kept = {path: path.read_bytes() for path in folder.glob("*.day.db")}
    house.live(2)
    assert not followed(house, folder)
    for path, data in kept.items():
        path.with_name(path.name + "-wal").unlink(missing_ok=True)
        path.write_bytes(data)
    assert house.exported(capsys, folder) != house.exported(capsys)
    assert not followed(house, folder)
    assert house.exported(capsys, folder) == house.exported(capsys)


def followed(house, folder):
    """One that looks once, and ends; whether it has taken over."""
    waiting = WaitingGateway(house.connect, folder, folder / "keys.json", Holder("two", "two"), 400)
    try:
        return waiting._look()
    finally:
        waiting._close()
