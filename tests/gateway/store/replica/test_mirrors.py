"""Mirrors of a gateway's store on another machine: up to the replica commit by commit, with days that come and go."""

import sqlite3
from contextlib import closing

import pytest

from gateway.base.mishaps import Mishaps
from gateway.store.days import core_files, store_folders
from gateway.store.replica.mirror_state import MirrorState, mirrors_in
from gateway.store.replica.mirrors import MirrorKeeper
from gateway.store.replica.postgres import Postgres
from gateway.store.replica.tables import PIECE
from gateway.store.rollups import Rollups
from gateway.store.shards import reader_of
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.replica.house import House
from tests.gateway.store.world import DAY, HOUR, NOON
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
    yield made.start()
    made.stop()


class Office:
    """A machine with an API alone, at the house's time."""

    def __init__(self, house, root, *, required=True):
        self.house, self.root = house, root
        self.mishaps = Mishaps()
        self.keeper = MirrorKeeper(
            lambda: Postgres(house.url, house.name), house.name, root, self.rollups, self.mishaps,
            required=required, now=lambda: house.now,
        )  # fmt: skip
        self.folder = root / f"mirror-of-{house.name}"

    def rollups(self, _name, folder, reader):
        return Rollups(folder, [], reader, NOON, synchronous="OFF")

    def look(self):
        self.keeper._files_at_s = -1_000.0
        self.keeper.look()
        assert self.mishaps.count == 0
        return self.state()

    def state(self) -> MirrorState:
        return mirrors_in(self.root, self.house.now)[self.house.name]


@pytest.fixture
def office(house, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.store.replica.postgres.LEASE_S", 3_600)  # nobody renews it here
    with closing(house.connect()) as connection:
        assert connection.take_lease(house.holder) is None
    made = Office(house, tmp_path / "office")
    yield made
    made.keeper.close()


def alike(house, office, capsys):
    return house.exported(capsys) == house.exported(capsys, office.folder)


def test_it_is_fetched_once_the_replica_is_whole_and_follows_commit_by_commit(house, office, capsys):
    house.live(2)
    assert "not whole" in office.look().why
    assert core_files(office.root) == []
    house.whole()
    assert office.look() == MirrorState(house.now)
    assert alike(house, office, capsys)
    house.live(3)
    assert office.look() == MirrorState(house.now)
    assert alike(house, office, capsys)
    assert store_folders(office.root)[1:] == [office.folder]


def test_a_restart_goes_on_where_it_was(house, office, capsys):
    house.live(2)
    house.whole()
    office.look()
    office.keeper.close()
    house.live(2)
    again = Office(house, office.root)
    assert again.look() == MirrorState(house.now)
    again.keeper.close()
    assert alike(house, office, capsys)


def test_a_day_that_is_over_comes_as_it_is_there_and_goes_when_it_goes_there(house, office, capsys):
    house.live(2)
    house.whole()
    office.look()
    first = min(office.folder.glob("*.day.db"))
    for _ in range(2):
        house.now += DAY
        house.live(2)
        office.look()
    house.store.checkpoint_all([(0, b"all")], house.store.last_id)
    house.tidy()
    house.filing.look()
    office.look()
    assert first.read_bytes()[18:19] == b"\x01", "the sealed file"
    assert alike(house, office, capsys)
    gone = house.folder / first.name
    gone.unlink()
    house.filing.look()
    office.look()
    assert not first.exists()
    assert alike(house, office, capsys)


def test_what_is_taken_out_of_a_day_that_is_over_is_out_here_too(house, office, capsys):
    house.live(2)
    house.now += DAY
    house.live(1)
    house.store.checkpoint_all([(0, b"all")], house.store.last_id)
    house.tidy()
    house.whole()
    office.look()
    day = min(house.folder.glob("*.day.db"))
    with closing(sqlite3.connect(day)) as db, db:
        db.execute("DELETE FROM quarantine")
    assert not alike(house, office, capsys)
    house.filing.look()
    office.look()
    assert alike(house, office, capsys)


def test_a_file_that_is_replaced_while_it_comes_is_wholly_the_one_or_the_other(house, office, monkeypatch):
    monkeypatch.setattr("gateway.store.replica.shelf.PIECE", 4096)
    house.live(2)
    house.now += DAY
    house.live(1)
    house.store.checkpoint_all([(0, b"all")], house.store.last_id)
    house.tidy()
    house.whole()
    office.look()
    day = min(house.folder.glob("*.day.db"))
    versions, mirrored = [], office.folder / day.name

    def change():
        with closing(sqlite3.connect(day)) as db, db:
            db.execute("UPDATE name SET text = text || 'x'")
            db.execute("UPDATE quarantine SET reason = reason || 'x'")
        house.filing.look()
        versions.append(dumped(day))

    change()
    fetch = Postgres.row

    def row(self, statement, values=()):
        piece = fetch(self, statement, values)
        if statement == PIECE and values[1:] == (day.name, 0) and len(versions) == 1:
            change()
        return piece

    monkeypatch.setattr(Postgres, "row", row)
    office.look()
    assert dumped(mirrored) == versions[0]
    office.look()
    assert dumped(mirrored) == versions[1]


def dumped(path):
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def test_where_nothing_can_be_written_an_api_starts_all_the_same(house, tmp_path, caplog):
    (tmp_path / "office").write_text("a file")
    office = Office(house, tmp_path / "office")
    office.keeper.start()
    office.keeper.end(60)
    assert not office.keeper.is_alive()
    assert "can't be followed" in caplog.text


def test_what_was_done_to_the_core_file_while_no_gateway_ran_comes_with_its_next_start(house, office, capsys):
    house.live(2)
    house.whole()
    office.look()
    house.stop()
    with closing(sqlite3.connect(house.folder / "yizhan.db")) as db, db:
        db.execute("INSERT INTO meta (key, value) VALUES ('mended', 'by hand')")
    house.start()
    until(lambda: house.sender.epoch, "the next start")
    office.look()
    house.now += 1
    house.filing.look()
    house.live(1)
    office.look()
    assert alike(house, office, capsys)


def test_a_start_that_brought_its_core_file_and_ended_between_two_looks_is_not_missed(house, office, capsys):
    house.live(2)
    house.whole()
    office.look()
    house.stop()
    with closing(sqlite3.connect(house.folder / "yizhan.db")) as db, db:
        db.execute("INSERT INTO meta (key, value) VALUES ('mended', 'by hand')")
    house.start()
    until(lambda: house.sender.epoch, "the next start")
    house.now += 1
    assert house.filing.look()
    office.look()
    assert alike(house, office, capsys)


def test_while_the_replica_is_away_it_says_until_when_it_is_whole(house, office):
    house.live(1)
    house.whole()
    then = office.look().whole_until
    office.keeper._hang_up()
    office.keeper._connect = _refused
    house.now += HOUR
    state = office.look()
    assert (state.whole_until, state.current) == (then, False)
    assert "the replica is away" in state.why


def _refused():
    return Postgres("postgresql://postgres@127.0.0.1:1/postgres", "nobody")


def test_a_gateway_that_says_nothing_more_is_told_and_nothing_is_rolled_up_beyond_it(house, office):
    house.live(1)
    house.whole()
    then = office.look().whole_until
    with closing(house.connect()) as connection:
        connection.renew_lease(house.holder, 0)
    house.now += HOUR
    state = office.look()
    assert (state.whole_until, state.current) == (then, False)
    assert "has said nothing" in state.why


def test_one_that_may_go_on_without_its_replica_counts_only_once_nothing_old_came_for_a_while(
    house, tmp_path, monkeypatch
):
    seconds = [0.0]
    monkeypatch.setattr("gateway.store.replica.mirrors.monotonic_s", lambda: seconds[0])
    with closing(house.connect()) as connection:
        connection.take_lease(house.holder)
        house.live(1)
        house.whole()
        office = Office(house, tmp_path / "office", required=False)
        assert "may still be sending" in office.look().why
        seconds[0] += 19
        house.live(1)
        house.now += HOUR  # what came is old
        assert "may still be sending" in office.look().why
        seconds[0] += 19
        assert "may still be sending" in office.look().why
        seconds[0] += 1
        assert office.look() == MirrorState(house.now)
        office.keeper.close()


def test_a_damaged_one_is_fetched_anew(house, office, capsys):
    house.live(2)
    house.whole()
    office.look()
    office.keeper.close()
    day = max(office.folder.glob("*.day.db"))
    day.write_bytes(b"no database" * 100)
    again = Office(house, office.root)
    assert "damaged" in again.look().detail
    assert again.look() == MirrorState(house.now)
    again.keeper.close()
    assert alike(house, office, capsys)


def test_another_store_under_the_name_is_fetched_anew(house, office, server, capsys):
    house.live(2)
    house.whole()
    office.look()
    server.sql(f"UPDATE yizhan_store SET line = 'another' WHERE gateway = '{house.name}'")
    assert "anew" in office.look().why
    assert core_files(office.root) == []
    server.sql(f"UPDATE yizhan_store SET line = '{_line(house)}' WHERE gateway = '{house.name}'")
    office.look()
    assert alike(house, office, capsys)


def _line(house):
    return house.store.kept("replica_line").decode()


def test_of_two_processes_with_one_folder_one_keeps_it(house, office):
    house.live(1)
    house.whole()
    office.look()
    beside = Office(house, office.root)
    assert beside.look() == MirrorState(house.now)
    assert beside.keeper._lock is None
    office.keeper.close()
    house.live(1)
    assert beside.look() == MirrorState(house.now)
    assert beside.keeper._lock is not None
    beside.keeper.close()


def test_nobody_who_keeps_it_any_more_is_told(house, office):
    house.live(1)
    house.whole()
    office.look()
    house.now += 16_000
    assert "nobody follows" in office.state().why


def test_where_a_gateway_writes_nothing_is_mirrored_and_no_mirror_is_read(house, office, tmp_path):
    house.live(1)
    house.whole()
    office.look()
    SqliteStore(office.root / "gateway-1of2", NOON, ballast_mib=0).close()
    office.keeper.look()
    assert mirrors_in(office.root, house.now) == {}
    assert store_folders(office.root)[1:] == [office.root / "gateway-1of2"]
    reader = reader_of(office.root)()
    assert list(reader.readings()) == []
    reader.close()


def test_the_replica_of_a_newer_program_is_told_and_nothing_is_thrown_away(house, office, server):
    house.live(1)
    house.whole()
    office.look()
    server.sql(f"UPDATE yizhan_store SET format = 99 WHERE gateway = '{house.name}'")
    assert "newer yizhan" in office.look().detail
    assert office.folder.exists()
    server.sql(f"UPDATE yizhan_store SET format = 1 WHERE gateway = '{house.name}'")
    assert office.look() == MirrorState(house.now)
