"""A store whose files are damaged: the replica keeps what it has, and gives it back."""

import random
import sqlite3
from contextlib import closing

import pytest

from gateway.store.base import StoreError
from gateway.store.days import day_files
from gateway.store.files import read_only
from gateway.store.reader import SqliteReader
from gateway.store.replica.sender import ReplicaSender
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.replica.house import House
from tests.gateway.store.world import NOON, batch
from tests.patience import until
from tests.postgres import servers


@pytest.fixture(scope="module")
def server():
    for made in servers():
        running = made.new_server()
        running.make()
        running.start()
        yield running


@pytest.fixture
def house(tmp_path, server, request):
    made = House(tmp_path / "data", server, request.node.name.replace("_", "-")[-40:].strip("-"))
    yield made
    if hasattr(made, "store"):
        made.stop()


def damage(path):
    """Overwrite a page of rows."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        table = "audit" if path.name == "yizhan.db" else "batch"
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(random.Random(1).randbytes(4096))


def readings(folder):
    with closing(SqliteReader(folder)) as reader:
        return [(reading.device, reading.payload) for reading in reader.readings()]


@pytest.mark.parametrize("which", ["day", "yizhan.db"])
def test_what_damage_took_is_taken_from_the_replica_at_the_start(house, capsys, tmp_path, which):
    house.start()
    house.live(3)
    house.whole()
    house.live(2)
    want = house.exported(capsys)
    house.stop()
    path = day_files(house.folder)[-1] if which == "day" else house.folder / which
    damage(path)
    house.start()
    assert house.store.damaged
    assert house.exported(capsys) == want
    assert not list(house.folder.glob("*.damaged-*"))
    assert list(house.folder.glob("*.healed-*"))
    house.live(2)
    house.filing.look()
    house.restored(tmp_path / "again")
    assert house.exported(capsys, tmp_path / "again") == house.exported(capsys)


def test_damage_while_it_works_takes_nothing_from_the_replica_and_gives_no_number_twice(house, capsys, tmp_path):
    house.start()
    house.live(3)
    house.whole()
    before = readings(house.folder)
    path = house.store._day.path
    house.store._day.checkpoint()
    with path.open("r+b") as file, closing(read_only(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'batch'").fetchone()
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))
    assert house.store._helped(StoreError("found", damaged=True), house.now)
    house.live(2)
    house.now += 60_000
    house.filing.look()
    here = readings(house.folder)
    assert len(here) < len(before) + 2 * 21
    house.restored(tmp_path / "again")
    there = readings(tmp_path / "again")
    assert there[: len(before)] == before
    assert len(there) == len(before) + 2 * 21
    assert set(here) <= set(there)
    house.stop()
    house.start()  # and here it is made good as well
    assert readings(house.folder) == there


def test_what_could_be_read_of_a_day_that_was_damaged_before_there_was_a_replica_is_brought_there(
    house, capsys, tmp_path
):
    plain = SqliteStore(house.folder, NOON, ballast_mib=0)
    for number in range(20):
        plain.commit(batch(10 + number * 10, 10, NOON + number), [], [], NOON)
    assert plain._helped(StoreError("found", damaged=True), NOON)
    for number in range(20, 30):
        plain.commit(batch(10 + number * 10, 10, NOON + number), [], [], NOON)
    plain.close()
    house.start()
    house.seq = 1_000
    house.live(1)
    house.whole()
    house.live(1)
    assert list(house.folder.glob("*.damaged-*"))
    house.restored(tmp_path / "again")
    assert readings(tmp_path / "again") == readings(house.folder)
    assert len(readings(house.folder)) == 300 + 2 * 21


def test_a_copy_of_the_core_file_is_never_ahead_of_the_steps_that_the_replica_has(house, tmp_path, monkeypatch):
    """A checkpoint that covers a message which the replica lacks would make its repetition a double that is dropped."""
    monkeypatch.setattr("gateway.store.replica.filing.PATIENCE_S", 0.1)
    house.start()
    house.live(1)
    house.whole()
    house.sender.end(10)  # the line hangs: what is sent from now on is not confirmed
    house.store.commit(batch(900, 5, house.now), [], [], house.now)
    house.store.checkpoint_all([(0, b"covers it")], house.store.last_id)
    house.now += 7 * 3_600_000
    house.filing.look()
    house.restored(tmp_path / "again")
    with closing(SqliteStore(tmp_path / "again", house.now, ballast_mib=0)) as again:
        newest = max(number for number, _ in again.batches(0))
        assert max(upto for _, upto, _ in again.checkpoints()) <= newest < house.store.last_id
    kept, house.sender = house.sender.newest, ReplicaSender(house.connect, required=True, holder=house.holder)
    house.filing.hang_up()
    house.store.close()
    house.start()
    until(lambda: house.sender.confirmed >= kept)
    house.filing.look()
    house.restored(tmp_path / "later")
    with closing(SqliteStore(tmp_path / "later", house.now, ballast_mib=0)) as later:
        assert (later.last_id, max(upto for _, upto, _ in later.checkpoints())) == (house.store.last_id,) * 2


def test_a_file_that_can_not_be_read_holds_up_no_other_one(house, tmp_path):
    house.start()
    house.live(1)
    house.whole()
    (house.folder / "broken.db").write_bytes(b"no database" * 1_000)
    (house.folder / "keys.json").write_text('{"keys": [1]}')
    house.filing.look()
    house.restored(tmp_path / "again")
    assert (tmp_path / "again/keys.json").read_text() == '{"keys": [1]}'
