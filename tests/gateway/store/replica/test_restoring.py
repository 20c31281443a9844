"""A store that is lost is made again from the replica: what was exported from the lost one is exported from it."""

import json
import shutil
from contextlib import closing

import pytest

from api.cli import main
from gateway.store.audit import AuditReader
from gateway.store.base import StoreError
from gateway.store.files import connect
from gateway.store.jobs import Keep
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.replica.house import House
from tests.gateway.store.world import DAY, NOON, batch
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


def test_all_of_it_comes_back_to_the_byte_and_goes_on(house, tmp_path, capsys):
    house.start()
    house.live(3)
    house.whole()
    house.live(2)
    house.live(24)  # another day begins
    want = house.exported(capsys)
    done = house.restored(tmp_path / "again")
    assert done.steps > 100
    assert house.exported(capsys, tmp_path / "again") == want
    with closing(AuditReader(tmp_path / "again")) as audit:
        digest = ""
        for line in audit.lines():
            assert line.follows(digest)
            digest = line.digest or ""
        state = audit.state()
        assert state is not None
        assert state.head_digest == digest
    # The lost one is away, the other takes its place and is the one that writes.
    house.stop()
    shutil.rmtree(house.folder)
    last, house.folder = house.store.last_step, tmp_path / "again"
    house.start()
    assert (house.store.last_step, house.store.kept("seq")) == (last, b"%d" % house.seq)
    house.live(2)
    house.restored(tmp_path / "third")
    assert house.exported(capsys, tmp_path / "third") == house.exported(capsys)


def test_a_store_that_is_older_than_its_replica_is_brought_there_whole_and_sealed_days_as_files(
    house, tmp_path, capsys
):
    plain = SqliteStore(house.folder, NOON, ballast_mib=0)
    house.store = plain
    house.sender = type("Nobody", (), {"confirmed": 0, "last_step": 0})()
    house.settle = lambda: None
    house.live(30)  # before anybody thought of a replica
    plain.close()
    del house.settle
    house.start()
    assert not house.sender.whole
    house.settle()
    with pytest.raises(StoreError, match="never was whole"):
        house.restored(tmp_path / "early")
    assert not list((tmp_path / "early").glob("*"))[1:]  # the lock alone
    house.whole()
    house.live(1)
    want = house.exported(capsys)
    house.restored(tmp_path / "again")
    assert house.exported(capsys, tmp_path / "again") == want


def test_a_day_that_is_over_takes_the_place_of_its_steps_and_goes_when_it_goes_here(house, server, tmp_path, capsys):
    house.start()
    house.live(3)
    house.whole()
    house.live(30)
    house.tidy()
    house.filing.look()
    count = f"SELECT count(*) FROM yizhan_step WHERE gateway = '{house.name}' AND day = {NOON // DAY}"
    assert server.sql(count) == "0"
    want = house.exported(capsys)
    house.restored(tmp_path / "again")
    assert house.exported(capsys, tmp_path / "again") == want
    house.store._older_days.keep = 1
    house.now += 3 * DAY
    house.live(1)
    house.tidy()
    house.live(1)
    house.filing.look()
    days = f"SELECT count(DISTINCT name) FROM yizhan_file WHERE gateway = '{house.name}' AND name LIKE '%.day.db'"
    kept = len(list(house.folder.glob("*.day.db")))
    assert int(server.sql(days)) <= kept < 3
    house.restored(tmp_path / "later")
    assert house.exported(capsys, tmp_path / "later") == house.exported(capsys)


def test_the_files_of_others_come_along_when_they_have_changed(house, tmp_path):
    house.start()
    (house.folder / "keys.json").write_text('{"keys": []}')
    (house.folder / "access.jsonl").write_text("{}\n")
    photo = house.folder / "photos/2026-05-29/yanshan/a.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"picture")
    connect(house.folder / "wishes.db", "wishes").close()
    house.live(1)
    house.whole()
    (house.folder / "keys.json").write_text(json.dumps({"keys": [1]}))
    house.filing.look()
    house.restored(tmp_path / "again")
    assert json.loads((tmp_path / "again/keys.json").read_text()) == {"keys": [1]}
    assert (tmp_path / "again/photos/2026-05-29/yanshan/a.jpg").read_bytes() == b"picture"
    assert (tmp_path / "again/access.jsonl").read_text() == "{}\n"
    assert (tmp_path / "again/wishes.db").exists()
    photo.unlink()
    house.filing.look()
    house.restored(tmp_path / "without")
    assert not (tmp_path / "without/photos").exists()


def test_a_folder_with_a_store_is_refused_and_so_is_a_name_that_the_replica_does_not_know(house, server, tmp_path):
    house.start()
    house.live(1)
    house.whole()
    with pytest.raises(StoreError, match="belongs to another yizhan that is running"):
        house.restored(house.folder)
    house.stop()
    del house.store
    with pytest.raises(StoreError, match="already holds a store"):
        house.restored(house.folder)
    with pytest.raises(StoreError, match="holds nothing of nobody"):
        House(tmp_path, server, "nobody").restored(tmp_path / "x")


def test_a_replica_that_lost_what_it_had_is_told_everything_anew(house, server, tmp_path, capsys):
    house.start()
    house.live(3)
    house.whole()
    house.live(3)
    house.stop()
    server.sql(f"DELETE FROM yizhan_step WHERE gateway = '{house.name}' AND n > 20")  # an older standby took its place
    house.start()
    assert not house.sender.whole
    house.settle()
    house.whole()
    house.live(1)
    house.restored(tmp_path / "again")
    assert house.exported(capsys, tmp_path / "again") == house.exported(capsys)


@pytest.mark.parametrize("lost", ["*.day.db", "yizhan.db"])
def test_a_file_whose_end_a_power_cut_took_is_brought_up_to_the_others(house, capsys, lost):
    house.start()
    house.live(1)
    house.whole()
    house.stop()
    kept = {path: path.read_bytes() for path in house.folder.glob(lost)}
    house.start()
    house.live(2)
    house.store.commit(batch(900, 2, house.now), [], [], house.now)
    if lost == "*.day.db":
        house.store.write([Keep("last", b"1")])
    house.settle()
    want = house.exported(capsys)
    house.stop()
    for path, data in kept.items():
        path.with_name(path.name + "-wal").unlink(missing_ok=True)
        path.write_bytes(data)
    house.start()
    assert house.exported(capsys) == want
    house.live(1)


def test_the_command_makes_the_store_notes_it_and_refuses_one_that_is_there(house, server, tmp_path, capsys):
    house.start()
    house.live(1)
    house.whole()
    want = house.exported(capsys)
    (tmp_path / "url").write_text(server.url)
    config = tmp_path / "yizhan.yaml"
    config.write_text(
        f"store: {{path: again, replica: {{url_file: url}}}}\ngateway: {{id: {house.name}}}\n"
        "stations: [{id: yanshan, areas: [{id: lounge, resources: [{id: seat-00, kind: seat}]}]}]\n"
    )
    capsys.readouterr()
    assert main(["restore", "--config", str(config), "--from-replica"]) == 0
    assert "start the gateway again" in capsys.readouterr().out
    assert house.exported(capsys, tmp_path / "again") == want
    assert '"what":"restored"' in (tmp_path / "again/access.jsonl").read_text().replace(" ", "")
    capsys.readouterr()
    assert main(["restore", "--config", str(config), "--from-replica"]) == 1
    assert "already holds a store" in capsys.readouterr().err
