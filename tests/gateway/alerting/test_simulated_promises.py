import pytest

from tests.benchmarks.promises_month import run
from tests.benchmarks.promises_stations import SORTS


@pytest.mark.slow
def test_lies_of_simulated_stations_are_told_nobody_else_is_accused_and_kept_minutes_are_right() -> None:
    """One station of each sort for three days; the table of months is in docs/promises.md."""
    result = run(len(SORTS), 3)
    assert result.restarts
    assert result.differing == []
    assert list(result.wrong()) == []
    assert {lie.kind for lie in result.told} >= {"dead_reader", "early_closing", "late_opening", "locked_by_day"}
    no_bolt = [month for month in result.months if "locked" not in month.sort.door and not month.sort.reader]
    assert all(lie.told_at is None for month in no_bolt for lie in month.lies)
