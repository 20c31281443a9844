"""What ended the process is found by the starts after it, and only that is set aside."""

from pathlib import Path
from typing import Any

import pytest

from gateway.base.mishaps import Mishaps
from gateway.runtime.starts import FILE, GUILTY, MANY, MARK, PLAIN, EndedProcessError, Starts, read

TOPIC, POISON, NOW = b"yz/yanshan/seat-1/state", b'{"occupied": true}', 1_780_056_000_000
OTHER = b"yz/shaping/seat-2/state"


@pytest.fixture
def begin(tmp_path: Path) -> Any:
    return lambda version="1.0": Starts.begin(tmp_path, version, NOW)


def dies_over(begin: Any, topic: bytes, payload: bytes, received_at: int = 0) -> Starts:
    """Starts that end while this message is handled, until one sets it aside."""
    for _ in range(PLAIN + GUILTY + 1):
        starts: Starts = begin()
        if starts.watchful and starts.unseen(topic, payload, received_at) is not None:
            return starts
    raise AssertionError("it was never set aside")


def test_the_message_that_was_under_way_each_time_is_set_aside_and_no_other(begin: Any) -> None:
    starts = dies_over(begin, TOPIC, POISON)
    assert starts.unseen(TOPIC, POISON) is False
    assert starts.unseen(TOPIC, POISON + b" ") is None
    assert starts.unseen(OTHER, POISON) is None
    assert starts.unseen(TOPIC, POISON, 1) is None  # another in the journal


def test_it_is_told_once_with_its_station(begin: Any) -> None:
    starts, mishaps = dies_over(begin, TOPIC, POISON), Mishaps()
    starts.tell(mishaps)
    starts.tell(mishaps)
    assert mishaps.take() == [("yanshan", EndedProcessError.__name__)]
    starts.settle()
    again, mishaps = begin(), Mishaps()
    again.tell(mishaps)
    assert mishaps.take() == []
    assert again.unseen(TOPIC, POISON) is False


def test_a_message_that_was_under_way_once_is_innocent(begin: Any) -> None:
    for _ in range(PLAIN):
        begin()
    for number in range(5):
        starts = begin()
        assert starts.careful
        assert starts.unseen(TOPIC, b"%d" % number) is None
    assert not read(starts._folder).guilty  # type: ignore[union-attr]


def test_what_was_done_with_is_not_under_way(begin: Any) -> None:
    for _ in range(PLAIN + GUILTY + 3):
        starts = begin()
        starts.unseen(TOPIC, POISON)
        starts.clear()
    assert begin().unseen(TOPIC, POISON) is None


def test_a_start_that_went_well_is_not_counted(begin: Any, tmp_path: Path) -> None:
    for _ in range(10):
        starts = begin()
        assert not starts.careful
        starts.settle()
    assert not (tmp_path / MARK).exists()


def test_few_starts_that_end_early_cost_nothing(begin: Any, tmp_path: Path) -> None:
    for _ in range(PLAIN):
        starts = begin()
        assert not starts.watchful
        starts.clear()
    assert not (tmp_path / MARK).exists()


def test_another_version_tries_again_what_was_set_aside(begin: Any) -> None:
    dies_over(begin, TOPIC, POISON)
    starts = begin("1.1")
    assert not starts.watchful
    assert starts.unseen(TOPIC, POISON) is None


def test_a_topic_that_brings_one_after_another_is_set_aside_as_a_whole(begin: Any) -> None:
    for number in range(MANY):
        dies_over(begin, TOPIC, b"%d" % number)
    starts = begin()
    assert starts.unseen(TOPIC, b"never seen before") is False
    assert starts.unseen(OTHER, b"0") is None


def test_one_that_ends_the_process_even_while_it_is_set_aside_is_kept_bare(begin: Any) -> None:
    starts = dies_over(begin, TOPIC, POISON)
    assert starts.unseen(TOPIC, POISON) is False
    assert begin().unseen(TOPIC, POISON) is True


@pytest.mark.parametrize(
    ("topic", "station"),
    [
        (b"yz/yanshan/11010519491231002X/state", b"yanshan"),
        (b"yz/11010519491231002X/seat-1/state", b'"-"'),
        (b"tele/11010519491231002X/SENSOR", b'"-"'),
    ],
)
def test_no_file_holds_what_a_message_said(begin: Any, tmp_path: Path, topic: bytes, station: bytes) -> None:
    dies_over(begin, topic, b'{"card": "11010519491231002X"}')
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"11010519491231002" not in kept
    assert station in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff" * 300, b'{"version": 1}', b"null"])
def test_damaged_files_stop_no_start(begin: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    (tmp_path / MARK).write_bytes(content)
    starts = begin()
    assert not starts.careful
    starts.settle()


def test_where_nothing_can_be_marked_messages_are_handled(begin: Any, tmp_path: Path) -> None:
    for _ in range(PLAIN):
        begin()
    (tmp_path / MARK).mkdir()
    (tmp_path / MARK / "x").touch()
    starts = begin()
    assert starts.careful
    assert starts.unseen(TOPIC, POISON) is None
    starts.clear()


def test_where_nothing_can_be_kept_the_start_goes_on(begin: Any, tmp_path: Path, caplog: Any) -> None:
    (tmp_path / FILE).mkdir()
    (tmp_path / FILE / "x").touch()
    assert not begin().careful
    assert "can't be written" in caplog.text
