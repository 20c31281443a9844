"""Two that meet again: what one of them alone has, what was forgotten, and what went different ways."""

import sqlite3
from contextlib import closing

import pytest

from config.schema import Settings
from gateway.runtime.parts import restored
from gateway.store.base import StoreError
from gateway.store.days import day_files
from gateway.store.jobs import Keep
from gateway.store.steps import steps_after
from gateway.store.tenure import PERIODS
from tests.gateway.store.replica.pretended import PretendedServer
from tests.gateway.store.replica.test_sender import House, another_wrote, in_both, messages_of
from tests.gateway.store.world import DAY, NOON, batch
from tests.patience import until


@pytest.fixture
def server():
    return PretendedServer()


@pytest.fixture
def house(tmp_path, server):
    made = House(tmp_path / "data", server)
    yield made
    if hasattr(made, "store"):
        made.stop()


def refused_at(house):
    house.store.close()
    del house.store


@pytest.mark.parametrize("away", [False, True])
def test_a_kill_after_our_disk_refused_a_commit_and_took_the_next_is_no_other_way(house, server, monkeypatch, away):
    house.start()
    house.commit()
    assert house.settled()
    real = house.store.steps.put

    def put(*args):
        real(*args)
        until(lambda: house.sender.confirmed == house.store.last_step + 1)
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(house.store.steps, "put", put)
        with pytest.raises(StoreError, match="no space left"):
            house.commit()
    house.sender.end(10)
    house.commit(2)  # under the same number, and we are killed before it is sent
    house.store.close()
    server.away = away
    house.start()
    server.away = False
    until(house.settled)
    house.commit()
    until(house.settled)
    in_both(house)


def test_all_that_both_have_is_compared_and_not_the_newest_alone(house, server):
    house.start()
    house.commit()
    for _ in range(3):
        house.store.write([Keep("the same", b"1")])
    assert house.settled()
    house.stop()
    another_wrote(server, 2)  # and what came after looks alike
    with pytest.raises(StoreError, match="went different ways at commit 2"):
        house.start()
    refused_at(house)


@pytest.mark.parametrize("whose", ["ours", "another's"])
def test_a_commit_that_the_replica_forgot_is_believed_where_nobody_else_wrote_since(house, server, whose):
    house.start()
    house.commit()
    assert house.settled()
    last = house.store.last_step
    house.store.core.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    house.stop()
    kept = {path: path.read_bytes() for path in house.folder.iterdir() if path.suffix == ".db"}
    house.start()
    house.commit()
    assert house.settled()
    house.stop()
    for path in house.folder.glob("*.db*"):
        path.unlink()
    for path, data in kept.items():
        path.write_bytes(data)
    del server.rows[last]  # a file that contains it took its place
    if whose == "ours":
        house.start()
        assert house.store.last_step == last + 1
        return
    server.epoch += 1
    with pytest.raises(StoreError, match="too far ahead"):
        house.start()
    refused_at(house)


def test_a_newest_day_that_a_power_cut_took_wholly_is_taken_from_the_replica(house, server):
    house.start()
    house.commit()
    later = NOON + DAY
    house.store.commit(batch(50, 3, later), [], [], later)
    house.store.write([Keep("a", b"1")])
    assert house.settled()
    want = messages_of(house)
    house.stop()
    for path in house.folder.glob(f"{day_files(house.folder)[-1].name}*"):
        path.unlink()
    house.start()
    assert messages_of(house) == want


def test_a_start_without_the_replica_writes_nothing_in_place_of_the_commit_that_it_alone_has(house, server):
    """The power cut took a commit that was acknowledged; the layout of devices is another than before, too."""
    house.start()
    house.commit()
    assert house.settled()
    house.store.core.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    house.stop()
    kept = {path: path.read_bytes() for path in house.folder.iterdir() if path.suffix == ".db"}
    house.start()
    house.commit()
    assert house.settled()
    acknowledged = server.rows[house.store.last_step]
    house.stop()
    for path in house.folder.glob("*.db*"):
        path.unlink()
    for path, data in kept.items():
        path.write_bytes(data)
    server.away = True
    house.start()
    begin = house.store.last_step
    settings = Settings.model_validate(
        {
            "store": {"path": str(house.folder.parent)},
            "stations": [{"id": "yanshan", "areas": [{"id": "lounge", "resources": [{"id": "a", "kind": "seat"}]}]}],
        }
    )
    pipeline, memory = restored(settings, settings.stations, house.store, NOON)
    with pytest.raises(StoreError, match="not heard of since the start"):
        house.store.write([Keep("a", b"1")])  # whoever else would
    assert house.store.last_step == begin
    assert pipeline.outcome.kept["layout"] == memory.layout  # with the first commit
    assert PERIODS in pipeline.outcome.kept
    server.away = False
    house.sender.join(60)
    assert "the next start takes them" in str(house.sender.failed)
    house.stop()
    house.start()
    assert server.rows[house.store.last_step] == acknowledged
    restored(settings, settings.stations, house.store, NOON)
    assert house.store.kept("layout") == memory.layout


def one_copy(tmp_path, server):
    house = House(tmp_path / "data", server, required=False)
    server.away = True
    house.start()
    for _ in range(6):
        house.commit()
    house.stop()
    return house


def change(folder, statement):
    with closing(sqlite3.connect(day_files(folder)[-1])) as db, db:
        db.execute(statement)


def test_a_packed_row_that_damage_took_keeps_nothing_else_from_the_replica(tmp_path, server):
    house = one_copy(tmp_path, server)
    change(house.folder, "DELETE FROM batch WHERE id = 3")
    house.start()
    server.away = False
    until(lambda: house.sender.metrics().behind == 0, "it having what there is")
    assert sorted(server.rows) == list(range(1, house.store.last_step + 1))
    assert server.rows[4].body == next(steps_after(house.folder, 3)).body
    assert house.sender.gaps == 0
    house.stop()


@pytest.mark.parametrize("where", ["in the middle", "at the end"])
def test_steps_that_damage_took_are_told_and_the_replica_is_not_whole_until_the_files_are_there(
    tmp_path, server, where
):
    house = one_copy(tmp_path, server)
    change(house.folder, f"DELETE FROM replica_step WHERE n {'= 4' if where == 'in the middle' else '>= 6'}")
    house.start()
    if where == "at the end":  # of the day, but not of all
        house.store.write([Keep("a", b"1")])
    assert server.whole
    server.away = False
    until(lambda: house.sender.metrics().behind == 0, "it having what there is")
    if where == "in the middle":
        assert (house.sender.gaps, house.sender.whole, server.whole) == (1, False, False)
        assert 4 not in server.rows
    house.commit()
    until(house.settled)
    house.stop()


def test_a_file_of_steps_that_can_not_be_read_does_not_stop_the_others_for_good(tmp_path, server, monkeypatch):
    house = one_copy(tmp_path, server)
    monkeypatch.setattr("gateway.store.steps._first_behind", broken_behind(3))
    house.start()
    house.store.write([Keep("a", b"1")])
    server.away = False
    until(lambda: house.sender.metrics().behind == 0, "it having what there is")
    assert (house.sender.gaps, house.sender.whole, server.whole) == (1, False, False)
    house.stop()


def broken_behind(n):
    from gateway.store import steps

    real = steps._first_behind

    def first_behind(path, after):
        if path.name != "yizhan.db" and after >= n:
            raise StoreError("a page is damaged", damaged=True)
        return real(path, after)

    return first_behind
