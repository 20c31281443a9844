"""What boxes tell of their stations is kept, whatever goes wrong with one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.sites import path_of
from gateway.base.mishaps import Mishaps
from gateway.runtime import sites
from gateway.runtime.sites import SiteKeeper
from tests.patience import until


@pytest.fixture
def taken_up() -> list[int]:
    return []


@pytest.fixture
def keeper(tmp_path: Path, taken_up: list[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[SiteKeeper]:
    monkeypatch.setattr(sites, "AGAIN_S", 0.05)
    monkeypatch.setattr(sites, "TOGETHER_S", 0.01)
    made = SiteKeeper(tmp_path, Mishaps())
    made.on_changed = lambda: taken_up.append(1)
    yield made
    made.end(5)


def test_what_a_box_tells_is_kept_and_taken_up(keeper: SiteKeeper, tmp_path: Path, taken_up: list[int]) -> None:
    keeper.put("yanshan", b"{}")
    until(lambda: taken_up)
    assert path_of(tmp_path, "yanshan").read_bytes() == b"{}"


def test_one_that_can_not_be_kept_costs_no_other_and_is_kept_later(
    keeper: SiteKeeper, tmp_path: Path, taken_up: list[int]
) -> None:
    path_of(tmp_path, "shaping").mkdir(parents=True)  # nothing can be written there
    keeper.put("shaping", b"{}")
    keeper.put("yanshan", b"{}")
    until(lambda: path_of(tmp_path, "yanshan").is_file())
    until(lambda: taken_up)
    path_of(tmp_path, "shaping").rmdir()
    until(lambda: path_of(tmp_path, "shaping").is_file())
    until(lambda: len(taken_up) > 1)


def test_what_the_box_tells_meanwhile_stands_above_what_waits(keeper: SiteKeeper, tmp_path: Path) -> None:
    path_of(tmp_path, "yanshan").mkdir(parents=True)
    keeper.put("yanshan", b"1")
    until(lambda: keeper._mishaps.count)
    keeper.put("yanshan", b"2")
    path_of(tmp_path, "yanshan").rmdir()
    until(lambda: path_of(tmp_path, "yanshan").is_file())
    until(lambda: path_of(tmp_path, "yanshan").read_bytes() == b"2")


def test_another_version_of_the_same_lines_is_kept_and_nothing_is_taken_up(
    keeper: SiteKeeper, tmp_path: Path, taken_up: list[int]
) -> None:
    path = path_of(tmp_path, "yanshan")
    keeper.put("yanshan", b'{"box":"b","version":1,"station":{"id":"yanshan"}}')
    until(lambda: taken_up == [1])
    keeper.put("yanshan", b'{"box":"b","version":2,"station":{"id":"yanshan"}}')
    until(lambda: b'"version":2' in path.read_bytes())
    keeper.put("yanshan", b'{"box":"b","version":3,"station":{"id":"yanshan","hours":"24/7"}}')
    until(lambda: len(taken_up) > 1)
    keeper.end(5)
    assert taken_up == [1, 1]
