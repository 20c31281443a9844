"""A gateway of several shards, restored: what stands beside their stores comes back, and half of it never starts."""

import json
import os
import shutil
import signal
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from api.cli import main
from config.schema import Settings
from gateway.base.mishaps import Mishaps
from gateway.runtime.parts import companions_of, store_of
from gateway.store.base import StoreError
from gateway.store.files import connect
from gateway.store.replica import halves
from gateway.store.replica.filing import files_beside
from tests.gateway.store.replica.house import House
from tests.gateway.store.world import NOON
from tests.postgres import servers


@pytest.fixture(scope="module")
def server():
    for made in servers():
        running = made.new_server()
        running.make()
        running.start()
        yield running


@pytest.fixture
def shards(tmp_path, server, request):
    """Two shards on one machine, with all that other processes write beside them."""
    name = request.node.name.replace("_", "-")[-30:].strip("-[]0123456789")
    root = tmp_path / "lost"
    made = [House(root / f"{name}-{n}of2", server, f"{name}-{n}of2") for n in (1, 2)]
    for house in made:
        house.start()
        house.live(2)
    (root / "keys.json").write_text('{"keys": [1]}')
    (root / "access.jsonl").write_text('{"n": 1}\n')
    for which in ("webhooks", "occupations", "wishes"):
        connect(root / f"{which}.db", which.removesuffix("s") if which == "occupations" else which).close()
    photo = root / "photos/2026-05-29/yanshan/a.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"picture")
    made[0].filing._beside = lambda: files_beside(root, root / "keys.json")
    made[1].filing._beside = list
    for house in made:
        house.whole()
    yield made
    for house in made:
        house.stop()


def configured(tmp_path, shards, server):
    name = shards[0].name.rpartition("-")[0]
    (tmp_path / "url").write_text(server.url)
    config = tmp_path / "yizhan.yaml"
    config.write_text(
        f"store: {{path: again, replica: {{url_file: url}}}}\ngateway: {{id: {name}}}\n"
        "stations: [{id: yanshan, areas: [{id: lounge, resources: [{id: seat-00, kind: seat}]}]}]\n"
    )
    return config


def restore(config):
    return main(["restore", "--config", str(config), "--from-replica"])


def test_what_other_processes_wrote_comes_back_with_the_shards(tmp_path, server, shards, capsys):
    config = configured(tmp_path, shards, server)
    assert restore(config) == 0
    again = tmp_path / "again"
    assert json.loads((again / "keys.json").read_text()) == {"keys": [1]}
    assert (again / "photos/2026-05-29/yanshan/a.jpg").read_bytes() == b"picture"
    assert all((again / f"{which}.db").exists() for which in ("webhooks", "occupations", "wishes"))
    trail = (again / "access.jsonl").read_text().splitlines()
    assert trail[0] == '{"n": 1}'
    assert [json.loads(line)["what"] for line in trail[1:]] == ["restored", "restored"]
    for house in shards:
        assert house.exported(capsys, again / house.name) == house.exported(capsys)
        assert not (again / house.name / "webhooks.db").exists()


def test_after_a_change_of_their_number_it_comes_from_whoever_brought_it_last(tmp_path, server, shards):
    root = shards[0].folder.parent
    name = shards[0].name.rpartition("-")[0]
    (root / "keys.json").write_text('{"keys": [1, 2]}')
    (root / "webhooks.db").unlink()
    later = House(root / f"{name}-1of3", server, f"{name}-1of3")
    later.start()
    later.live(1)
    later.filing._beside = shards[0].filing._beside
    later.whole()
    later.stop()
    assert restore(configured(tmp_path, shards, server)) == 0
    assert json.loads((tmp_path / "again/keys.json").read_text()) == {"keys": [1, 2]}


def test_a_shard_that_is_there_stays_as_it_is_and_the_lost_one_is_restored(tmp_path, server, shards, capsys):
    config = configured(tmp_path, shards, server)
    assert restore(config) == 0
    again = tmp_path / "again"
    shutil.rmtree(again / shards[1].name)
    capsys.readouterr()
    assert restore(config) == 0
    assert "was there, and stays as it is" in capsys.readouterr().out
    assert shards[1].exported(capsys, again / shards[1].name) == shards[1].exported(capsys)
    assert restore(config) == 1
    assert "already holds a store" in capsys.readouterr().err


def killed_at(config, moves):
    """Restore in a process that is killed before so many files are in place. False when it came to its end."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)
    left, real = [moves], halves._move

    def move(path, target):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        real(path, target)

    halves._move = move
    status = 1
    try:
        status = restore(config)
    finally:
        os._exit(status)


def test_a_restore_that_is_killed_anywhere_is_started_by_nobody_and_comes_to_its_end_the_next_time(
    tmp_path, server, shards, capsys
):
    config = configured(tmp_path, shards, server)
    want = [house.exported(capsys) for house in shards]
    settings = Settings.model_validate(
        {"store": {"path": str(tmp_path / "again"), "ballast_mib": 0}, "stations": [{"id": "yanshan"}]}
    )
    moves = 0
    while killed_at(config, moves):
        for house in shards:
            with pytest.raises(StoreError, match=r"cut short.*run `yizhan restore --from-replica` again"):
                store_of(settings, tmp_path / "again" / house.name, NOON)
        if moves % 3 == 0:  # begun again, and killed again; or it comes to its end
            moves += 1
            continue
        assert restore(config) == 0
        assert [house.exported(capsys, tmp_path / "again" / house.name) for house in shards] == want
        assert json.loads((tmp_path / "again/keys.json").read_text()) == {"keys": [1]}
        shutil.rmtree(tmp_path / "again")
        moves += 1
    assert moves > 8
    store_of(settings, tmp_path / "again" / shards[0].name, NOON).close()


def test_keys_that_were_made_before_stay_also_where_it_was_cut_short(tmp_path, server, shards):
    config = configured(tmp_path, shards, server)
    (tmp_path / "again").mkdir()
    (tmp_path / "again/keys.json").write_text('{"keys": [3]}')
    assert killed_at(config, 4)
    assert restore(config) == 0
    assert json.loads((tmp_path / "again/keys.json").read_text()) == {"keys": [3]}


def test_the_first_shard_brings_what_stands_beside_all_of_them(tmp_path, server):
    (tmp_path / "url").write_text(server.url)
    settings = Settings.model_validate(
        {
            "store": {"path": str(tmp_path / "data"), "replica": {"url_file": str(tmp_path / "url")}},
            "stations": [{"id": "yanshan"}],
        }
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data/access.jsonl").write_text("{}\n")
    sender: Any = SimpleNamespace(folder=tmp_path)

    def brought(name, folder):
        _, filing = companions_of(settings, sender, folder, name, Mishaps())
        return {file.name for file in filing._beside()}

    root = settings.store.path
    assert "access.jsonl" in brought("gateway", root)
    assert "access.jsonl" in brought("gateway-1of2", root / "gateway-1of2")
    assert brought("gateway-2of2", root / "gateway-2of2") == set()
    with closing(connect(root / "wishes.db", "wishes")):
        assert "wishes.db" in brought("gateway-1of2", root / "gateway-1of2")
