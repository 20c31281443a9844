"""What is taken from searches for garbage, and what is not."""

import gc
from pathlib import Path

import pytest

from config.load import load


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often what stands was taken from all searches."""
    times: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: times.append("frozen"))
    return times


def test_a_configuration_that_is_run_is_searched_no_more(tmp_path: Path, frozen: list[str]) -> None:
    (tmp_path / "yizhan.yaml").write_text("stations: [{id: yanshan}]")
    load(tmp_path / "yizhan.yaml")
    assert frozen
    assert gc.isenabled()


def test_one_that_is_only_looked_at_keeps_nothing(tmp_path: Path, frozen: list[str]) -> None:
    path = tmp_path / "yizhan.yaml"
    assert load(path, contents={path: b"stations: [{id: yanshan}]"}).stations[0].id == "yanshan"
    assert not frozen
    assert gc.isenabled()
