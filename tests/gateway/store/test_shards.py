"""History over the folders of several shards."""

from pathlib import Path

from gateway.model import Batch, Change, Interval, Resource, axes_of
from gateway.store.shards import reader_of
from gateway.store.sqlite import SqliteStore
from gateway.store.tenure import Period, begun, ended
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
    assert [interval.end for interval in reader.history("yanshan", "seat-01", NOON, NOON + 2 * MINUTE, 1)] == [
        NOON + MINUTE,
        NOON + 2 * MINUTE,
    ]
    assert list(reader.readings()) == []
    assert list(reader.quarantine()) == []
    reader.close()


def had(folder: Path, *periods: Period) -> None:
    store = SqliteStore(folder, NOON, ballast_mib=0)
    known: list[Period] = []
    for start, until in periods:
        store.write([begun(known, start)])
        known.append((start, None))
        if until is not None:
            store.write([ended(known, until)])
            known[-1] = start, until
    store.close()


def test_back_to_a_number_of_before_no_interval_runs_on(tmp_path: Path) -> None:
    there, between, end = tmp_path / "box-1of1", tmp_path / "box-2of2", NOON + 10 * MINUTE
    wrote(there, Change(SEAT, NOON, NEVER, FREE, "state"), Change(SEAT, NOON + 4 * MINUTE, FREE, FREE, "start"))
    wrote(between, Change(SEAT, NOON + 2 * MINUTE, FREE, FREE, "start"))
    wrote(between, Change(SEAT, NOON + 3 * MINUTE, FREE, TAKEN, "state"))
    had(there, (0, NOON + 2 * MINUTE), (NOON + 4 * MINUTE, None))
    had(between, (NOON + 2 * MINUTE, NOON + 4 * MINUTE))
    reader = reader_of(tmp_path)()
    intervals = reader.history("yanshan", "seat-01", NOON, end)
    assert [(interval.start, interval.end) for interval in intervals if interval.axes is TAKEN] == [
        (NOON + 3 * MINUTE, NOON + 4 * MINUTE)
    ]
    assert [interval.start for interval in intervals[1:]] == [interval.end for interval in intervals[:-1]]
    assert (intervals[0].start, intervals[-1].end) == (NOON, end)
    assert [interval.end for interval in reader.history("yanshan", "seat-01", NOON, NOON + MINUTE)] == [NOON + MINUTE]
    reader.close()
