"""Files that are made anew: roll-ups that are damaged, and days of which only the log is left."""

import contextlib
import shutil

import pytest

from gateway.store.reader import SqliteReader
from gateway.store.rollups import Rollups
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import NOON, batch, messages


def rollups(folder):
    return Rollups(folder, [], SqliteReader(folder), NOON, synchronous="OFF")


def cut(path, keep):
    path.write_bytes(path.read_bytes()[:keep])


def wipe(path, start, end):
    data = bytearray(path.read_bytes())
    data[start:end] = bytes(len(data[start:end]))
    path.write_bytes(data)


def folder_instead(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    "no header": lambda path: wipe(path, 0, 100),
    "first page": lambda path: wipe(path, 0, 4096),
    "last page": lambda path: wipe(path, path.stat().st_size - 4096, path.stat().st_size),
    "cut in half": lambda path: cut(path, path.stat().st_size // 2),
    "cut to ten bytes": lambda path: cut(path, 10),
    "empty": lambda path: cut(path, 0),
    "text": lambda path: path.write_text("hello " * 1000),
    "zeros": lambda path: wipe(path, 0, path.stat().st_size),
    "a folder": folder_instead,
    "missing": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_roll_ups_are_made_anew(tmp_path, damage):
    with contextlib.closing(SqliteStore(tmp_path, NOON, ballast_mib=0)):
        rollups(tmp_path).close()
        damage(tmp_path / "rollups.db")
        again = rollups(tmp_path)
        again.tidy(NOON)
        again.close()


def test_a_log_whose_day_was_deleted_is_not_read_into_the_new_file(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    store = SqliteStore(old, NOON, ballast_mib=0)
    store.commit(batch(0, 50, NOON), [], [], NOON)
    new.mkdir()
    (log,) = old.glob("*.day.db-wal")
    shutil.copy(log, new / log.name)
    store.close()
    store = SqliteStore(new, NOON, ballast_mib=0)
    store.commit(batch(100, 30, NOON), [], [], NOON)
    assert len(messages(store.batches(0))) == 30
    store.close()
    assert [path.name for path in new.glob("*orphan*")] == [f"{log.name[:-4]}.damaged-orphan-wal"]


def test_the_store_is_for_its_owner_alone(tmp_path):
    with contextlib.closing(SqliteStore(tmp_path / "data", NOON, ballast_mib=0)) as store:
        store.commit(batch(0, 5, NOON), [], [], NOON)
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o77 for path in (tmp_path / "data").glob("*.db*")} == {0}
