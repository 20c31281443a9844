"""A repair that is cut short: what the damaged file still tells is not lost with it."""

import contextlib
import random

import pytest

from gateway.store.base import StoreError
from gateway.store.days import day_files
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY, NOON, TAKEN, batch, change


class KilledError(BaseException):
    pass


def opened(folder, now=NOON):
    return contextlib.closing(SqliteStore(folder, now, ballast_mib=0, keep_days=1))


@pytest.fixture
def damaged(tmp_path):
    """A store of one day with 1,000 messages, one page of which is overwritten."""
    with opened(tmp_path) as store:
        for number in range(100):
            store.commit(batch(number * 10, 10, NOON), [], [], NOON)
    path = day_files(tmp_path)[0]
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 2 * 4096)
        file.write(random.Random(1).randbytes(4096))
    return tmp_path


def count(folder):
    with contextlib.closing(SqliteReader(folder)) as reader:
        return len(list(reader.readings()))


def test_a_repair_that_was_killed_is_made_at_the_next_start(damaged, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("gateway.store.salvage._copy_table", lambda *_: killed())
        with pytest.raises(KilledError):
            SqliteStore(damaged, NOON)
    assert day_files(damaged) == []
    with opened(damaged) as store:
        assert len(store.damaged) == 1
        store.commit(batch(500, 1, NOON), [], [], NOON)
    assert count(damaged) > 500
    with opened(damaged) as store:
        assert store.damaged == []


def test_a_repair_for_which_there_is_no_room_is_made_when_there_is(damaged, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.store.files.flush", no_room)
        with pytest.raises(StoreError) as told:
            SqliteStore(damaged, NOON)
    assert told.value.full
    with opened(damaged) as store:
        store.commit(batch(500, 1, NOON), [], [], NOON)
    assert count(damaged) > 500


def test_a_damaged_file_that_cannot_be_moved_is_told_as_the_store_error_that_it_is(damaged, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.store.files.move", refused)
        with pytest.raises(StoreError, match=r"\.day\.db: .*Permission denied"):
            SqliteStore(damaged, NOON)
    with opened(damaged) as store:
        assert len(store.damaged) == 1


@pytest.mark.parametrize("name", ["2026-05-29.day.db", "yizhan.db"])
def test_a_file_that_came_back_empty_stops_no_start(damaged, name):
    (damaged / name).write_bytes(b"")
    with opened(damaged) as store:
        assert [path.name.partition(".damaged")[0] for path in store.damaged][-1] == name
        store.commit(batch(500, 1, NOON), [], [], NOON)
    assert count(damaged) > 0


def test_a_day_that_lost_its_changes_knows_the_last_states_of_the_day_before(tmp_path):
    with opened(tmp_path) as store:
        store.commit(batch(1, 1, NOON), [change(NOON, TAKEN)], [], NOON)
        store.commit(batch(2, 1, NOON + DAY), [], [], NOON + DAY)
    day_files(tmp_path)[1].write_bytes(b"not a database" * 1_000)
    with opened(tmp_path, NOON + DAY) as store:
        store.commit(batch(3, 1, NOON + DAY), [], [], NOON + DAY)
    day_files(tmp_path)[0].unlink()
    with contextlib.closing(SqliteReader(tmp_path)) as reader:
        (interval,) = reader.history("yanshan", "seat-01", NOON + DAY, NOON + DAY + 1)
    assert interval.axes is TAKEN


def test_what_was_moved_aside_goes_with_its_day(damaged):
    with opened(damaged) as store:
        assert len(list(damaged.glob("*.damaged-*"))) > 0
        for day in (1, 2, 3):
            store.commit(batch(500 + day, 1, NOON), [], [], NOON + day * DAY)
        while store.tidy(NOON + 3 * DAY):
            pass
    assert list(damaged.glob("*.damaged-*")) == []


def killed():
    raise KilledError
