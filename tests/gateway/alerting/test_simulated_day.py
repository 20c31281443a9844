import pytest

from tests.benchmarks.alert_week import MIX, run


@pytest.mark.parametrize(("days", "faults"), [(0.25, 8), pytest.param(0.5, 60, marks=pytest.mark.slow)])
def test_faults_of_simulated_hours_are_all_told_and_nothing_else(days: float, faults: int) -> None:
    """Six hours with a fault of each kind, twelve with 60; the table of a week with 1,000 is in docs/alerts.md."""
    result = run(days, faults)
    missed = [fault for fault in result.faults if fault.expected and fault.told_at is None]
    assert missed == []
    assert not result.false_alarms
    assert {fault.kind for fault in result.faults} == set(MIX)
