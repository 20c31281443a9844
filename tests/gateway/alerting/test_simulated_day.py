from tests.benchmarks.alert_week import MIX, run


def test_faults_of_a_simulated_half_day_are_all_told_and_nothing_else() -> None:
    """Twelve hours with 60 faults; the table of a week with 1,000 is in docs/alerts.md."""
    result = run(0.5, 60)
    missed = [fault for fault in result.faults if fault.expected and fault.told_at is None]
    assert missed == []
    assert not result.false_alarms
    assert {fault.kind for fault in result.faults} == set(MIX)
