"""Ten thousand subscribers of one station each cost little, and no memory as time passes."""

import pytest

from tests.benchmarks.webhooks import measured


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_subscribers_cost_half_a_core_at_most() -> None:
    cost = measured(10_000, 50, seconds=60)
    assert cost.told_per_s >= 10, cost  # a busy machine makes fewer changes; each of them is delivered
    assert cost.core <= 0.5 * cost.told_per_s / 50, cost
    assert cost.grown_mib <= 12, cost
