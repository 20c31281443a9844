"""History over the folders of several shards."""

from pathlib import Path

from gateway.model import Batch, Change, Interval, Resource, axes_of
from gateway.store.shards import reader_of
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import MINUTE, NOON

SEAT = Resource("yanshan", "lounge", "seat-01", "seat", "seat-01")
NEVER = axes_of("active", "ok", "open", "unknown", "never")
FREE = axes_of("active", "ok", "open", "free", "live")
TAKEN = axes_of("active", "ok", "open", "occupied", "live")


def wrote(folder: Path, *changes: Change) -> None:
    store = SqliteStore(folder, NOON, ballast_mib=0)
    store.commit(Batch(), changes, [], NOON)
    store.close()


def test_without_shards_it_is_the_folder_itself(tmp_path: Path) -> None:
    wrote(tmp_path, Change(SEAT, NOON, NEVER, FREE, "state"))
    reader = reader_of(tmp_path)()
    assert reader.history("yanshan", "seat-01", NOON, NOON + 1) == [Interval(NOON, NOON + 1, FREE)]
    reader.close()


def test_a_station_that_moved_to_another_shard_keeps_its_past(tmp_path: Path) -> None:
    wrote(tmp_path / "box-1of2", Change(SEAT, NOON, NEVER, FREE, "state"))
    wrote(tmp_path / "box-2of2", Change(SEAT, NOON + MINUTE, NEVER, TAKEN, "state"))
    reader = reader_of(tmp_path)()
    assert reader.history("yanshan", "seat-01", NOON, NOON + 2 * MINUTE) == [
        Interval(NOON, NOON + MINUTE, FREE),
        Interval(NOON + MINUTE, NOON + 2 * MINUTE, TAKEN),
    ]
    assert [one.end for one in reader.history("yanshan", "seat-01", NOON, NOON + 2 * MINUTE, 1)] == [
        NOON + MINUTE,
        NOON + 2 * MINUTE,
    ]
    assert list(reader.readings()) == []
    assert list(reader.quarantine()) == []
    reader.close()
