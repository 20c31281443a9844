"""What shards that are no more have left behind goes when its time is over, as if they still ran."""

from functools import partial
from pathlib import Path

import pytest

from gateway.model import Batch, Millis
from gateway.runtime.left_folders import LeftFolders
from gateway.store.base import StoreError
from gateway.store.days import day_files
from gateway.store.neighbours import before_of, neighbours
from gateway.store.reader import SqliteReader
from gateway.store.shard_folders import ShardFolders
from gateway.store.sqlite import SqliteStore
from gateway.store.tenure import TakeOver, begun, ended
from tests.gateway.store.world import DAY, HOUR, NOON, refused

DOOR = b"yz/yanshan/door-main/event"
OLD, OWN = "gateway-1of2", "gateway-1of4"
opened = partial(SqliteStore, ballast_mib=0)


def written(folder: Path, days: range, *, over: bool) -> None:
    """A card at a door on each of these days, and one message that could not be read."""
    store = opened(folder, NOON)
    for day in days:
        passage = Batch()
        passage.append(
            DOOR, b'{"boot":"b","seq":%d,"type":"card","card":"ab12","granted":true}' % day, NOON + day * DAY, 0
        )
        store.commit(passage, [], [refused(NOON + day * DAY)], NOON + day * DAY)
    store.checkpoint(0, store.last_id, b"")
    store.write([ended([(0, None)], NOON) if over else begun(None, 0)])
    store.close()


def chore(root: Path, *, raw_days: int = 400, card_days: int = 30) -> LeftFolders:
    own = root / OWN
    return LeftFolders(own, lambda: ShardFolders(root, "gateway").left(own), opened, raw_days, card_days)


def finish(left: LeftFolders, now: Millis) -> None:
    for _ in range(1_000):
        if not left.tidy(now):
            return
    raise AssertionError("it never ends")


def cards(folder: Path) -> list[bool]:
    """Of each message, oldest first, whether it still has one."""
    reader = SqliteReader(folder)
    try:
        return [b'"card":' in reading.payload for reading in reader.readings()]
    finally:
        reader.close()


def unreadable(folder: Path) -> int:
    reader = SqliteReader(folder)
    try:
        return sum(1 for _ in reader.quarantine())
    finally:
        reader.close()


def test_cards_and_what_could_not_be_read_go_from_every_day_that_shards_of_before_have_left(tmp_path: Path) -> None:
    written(tmp_path / OLD, range(3), over=True)
    written(tmp_path / OWN, range(3, 4), over=False)
    left = chore(tmp_path)
    finish(left, NOON + 4 * DAY)
    assert cards(tmp_path / OLD) == [True] * 3
    finish(left, NOON + 32 * DAY)
    assert cards(tmp_path / OLD) == [False, False, True]
    finish(left, NOON + 33 * DAY)
    assert cards(tmp_path / OLD) == [False] * 3
    assert unreadable(tmp_path / OLD) == 0
    assert cards(tmp_path / OWN) == [True]  # its own are its own chore's


def test_it_is_done_once_a_day(tmp_path: Path) -> None:
    written(tmp_path / OLD, range(1), over=True)
    left = chore(tmp_path)
    finish(left, NOON + 40 * DAY)
    assert not left.tidy(NOON + 40 * DAY + HOUR)
    assert left.tidy(NOON + 41 * DAY)


def test_days_past_those_to_keep_are_dropped_and_the_newest_of_all_stay_whatever_the_clock_says(tmp_path: Path) -> None:
    written(tmp_path / OLD, range(4), over=True)
    written(tmp_path / OWN, range(4, 6), over=False)
    left = chore(tmp_path, raw_days=3)
    finish(left, NOON + 5 * DAY)
    assert len(day_files(tmp_path / OLD)) == 2  # of day 2, as old as may be, and of day 3
    finish(left, NOON + 4_000 * DAY)
    assert len(day_files(tmp_path / OLD)) == 1  # it and the two of today's shard are the newest three
    assert len(day_files(tmp_path / OWN)) == 2


def test_what_was_found_damaged_goes_with_its_day(tmp_path: Path) -> None:
    written(tmp_path / OLD, range(2), over=True)
    first, second = day_files(tmp_path / OLD)
    for name in (f"{first.name}.damaged-1", f"{first.name}.healed-1", f"{second.name}.healed-1"):
        (tmp_path / OLD / name).write_bytes(b"?")
    written(tmp_path / OWN, range(2, 3), over=False)
    finish(chore(tmp_path, raw_days=2), NOON + 100 * DAY)
    assert day_files(tmp_path / OLD) == [second]
    assert [path.name for path in (tmp_path / OLD).glob("*.*-1")] == [f"{second.name}.healed-1"]


def test_folders_whose_time_goes_on_are_left_alone(tmp_path: Path) -> None:
    written(tmp_path / OLD, range(2), over=False)
    finish(chore(tmp_path), NOON + 100 * DAY)
    assert cards(tmp_path / OLD) == [True, True]


def test_a_folder_that_somebody_has_open_is_told_and_its_turn_comes_on_the_next_day(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (OLD, "gateway-2of2"):
        written(tmp_path / name, range(2), over=True)
    somebody, left = opened(tmp_path / OLD, NOON), chore(tmp_path)
    finish(left, NOON + 100 * DAY)
    assert f"what was left in {tmp_path / OLD} stays as it is until tomorrow" in caplog.text
    assert cards(tmp_path / "gateway-2of2") == [False, False]
    somebody.close()
    finish(left, NOON + 101 * DAY)
    assert cards(tmp_path / OLD) == [False, False]
    left.close()


def test_a_shard_that_starts_meanwhile_is_not_kept_from_it(tmp_path: Path) -> None:
    written(tmp_path / OLD, range(2), over=True)
    written(tmp_path / OWN, range(2, 3), over=False)
    left = chore(tmp_path)
    while left._store is None:
        assert left.tidy(NOON + 3 * DAY)
    assert neighbours(tmp_path, tmp_path / "gateway-2of4") == []
    [before] = before_of(tmp_path, tmp_path / "gateway-2of4", TakeOver(NOON, [OLD]))
    assert str(before) == str(tmp_path / OLD)
    left.close()


def test_a_shard_that_starts_beside_one_of_another_number_that_runs_is_kept_from_it(tmp_path: Path) -> None:
    written(tmp_path / OLD, range(2), over=False)
    running = opened(tmp_path / OLD, NOON)
    with pytest.raises(StoreError, match="stop all gateways"):
        neighbours(tmp_path, tmp_path / "gateway-2of4")
    running.close()
