"""Many log-ins that fail are told once, and no longer when they have stopped."""

from pathlib import Path

import pytest

from gateway.base.failed_log_ins import AGAIN_MS, FILE, MANY, WITHIN_MS, FailedLogInCount, trouble_in

NOW = 1_795_262_400_000


def test_twenty_within_a_quarter_of_an_hour_are_told_until_a_quarter_has_gone(tmp_path: Path) -> None:
    count = FailedLogInCount(tmp_path)
    for number in range(MANY - 1):
        count.failed("192.0.2.1", NOW + number)
    assert trouble_in(tmp_path, NOW + MANY) is None
    count.failed("192.0.2.2", NOW + MANY)
    assert trouble_in(tmp_path, NOW + MANY) == "20 and more within 15 minutes, the last from 192.0.2.2"
    assert trouble_in(tmp_path, NOW + MANY + WITHIN_MS) is not None
    assert trouble_in(tmp_path, NOW + MANY + WITHIN_MS + 1) is None
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_few_over_a_long_time_are_nothing(tmp_path: Path) -> None:
    count = FailedLogInCount(tmp_path)
    for number in range(100):
        count.failed("192.0.2.1", NOW + number * (WITHIN_MS // (MANY - 2)))
    assert not (tmp_path / FILE).exists()


def test_a_flood_writes_seldom_and_stays_told(tmp_path: Path) -> None:
    count = FailedLogInCount(tmp_path)
    written = set()
    for number in range(1_000):
        count.failed("192.0.2.1", NOW + number * 100)
        if (tmp_path / FILE).exists():
            written.add((tmp_path / FILE).read_text())
    assert len(written) == 1 + (999 - MANY + 1) * 100 // AGAIN_MS
    assert trouble_in(tmp_path, NOW + 100_000) is not None


@pytest.mark.parametrize("text", ["", "[]", '{"last": "x", "count": 1, "address": ""}', '{"last": 1}', "\0"])
def test_a_damaged_file_is_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert trouble_in(tmp_path, NOW) is None


def test_a_clock_that_went_back_tells_of_nothing_for_ever(tmp_path: Path) -> None:
    count = FailedLogInCount(tmp_path)
    for _ in range(MANY):
        count.failed("192.0.2.1", NOW)
    assert trouble_in(tmp_path, NOW - 10 * WITHIN_MS) is None
