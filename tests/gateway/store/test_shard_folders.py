"""Whose turn it is among the folders of shards of several numbers."""

import os
from pathlib import Path

import pytest

from gateway.store.base import StoreError
from gateway.store.shard_folders import ShardFolders
from gateway.store.sqlite import SqliteStore
from gateway.store.tenure import begun, ended
from tests.api.conftest import NOON


def made(root: Path, *names: str, periods: str = "") -> None:
    """`periods`: nothing, `open` or `over`."""
    for name in names:
        store = SqliteStore(root / name if name else root, NOON, ballast_mib=0)
        if periods:
            store.write([begun(None, 0)])
        if periods == "over":
            store.write([ended([(0, None)], NOON)])
        store.close()


def used(root: Path, name: str, at: float) -> None:
    for path in (root / name).glob("*"):
        os.utime(path, (at, at))


def test_where_nothing_else_is_nobody_hands_over(tmp_path: Path) -> None:
    assert ShardFolders(tmp_path, "gateway").before(4) is None
    made(tmp_path, "gateway-1of4", "other-1of2", "past")
    assert ShardFolders(tmp_path, "gateway").before(4) is None


def test_shards_of_another_number_hand_over_until_they_have(tmp_path: Path) -> None:
    made(tmp_path, "gateway-1of2", "gateway-2of2", periods="open")
    assert ShardFolders(tmp_path, "gateway").before(3) == 2
    assert ShardFolders(tmp_path, "gateway").before(0) == 2
    made(tmp_path, "gateway-1of3", periods="open")
    assert ShardFolders(tmp_path, "gateway").before(3) is None


def test_a_gateway_alone_hands_over_to_shards(tmp_path: Path) -> None:
    made(tmp_path, "", periods="")
    assert ShardFolders(tmp_path, "gateway").before(2) == 0


def test_those_that_handed_over_before_do_so_no_more_but_may_get_all_back(tmp_path: Path) -> None:
    made(tmp_path, "gateway-1of2", "gateway-2of2", periods="over")
    assert ShardFolders(tmp_path, "gateway").before(3) is None
    made(tmp_path, "gateway-1of3", periods="open")
    assert ShardFolders(tmp_path, "gateway").before(2) == 3


@pytest.mark.parametrize(("newest", "before"), [("gateway-1of2", 2), ("gateway-1of3", None)])
def test_of_folders_that_say_nothing_those_written_last_are_in_use(
    tmp_path: Path, newest: str, before: int | None
) -> None:
    made(tmp_path, "gateway-1of2", "gateway-1of3")
    for name in ("gateway-1of2", "gateway-1of3"):
        used(tmp_path, name, 2_000_000_000 if name == newest else 1_000_000_000)
    assert ShardFolders(tmp_path, "gateway").before(3) == before


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    made(tmp_path, "gateway-1of3", "gateway-3of3")
    assert ShardFolders(tmp_path, "gateway").missing(3) == ["gateway-2of3"]
    assert ShardFolders(tmp_path, "gateway").missing(0) == [tmp_path.name]


def test_nothing_changes_hands_while_an_old_one_runs(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "gateway-1of2", NOON, ballast_mib=0)
    with pytest.raises(StoreError, match="stop all gateways"):
        ShardFolders(tmp_path, "gateway").check_ended(2)
    store.close()
    ShardFolders(tmp_path, "gateway").check_ended(2)
