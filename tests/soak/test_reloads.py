"""Many reloads under load: nothing is lost, nothing comes twice, memory stays."""

import pytest

from tests.e2e.rig import MOSQUITTO
from tests.soak.reloads import run

pytestmark = [
    pytest.mark.soak,
    pytest.mark.broker,
    pytest.mark.timeout(3_000),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]


def test_a_thousand_reloads_of_59_stations_lose_and_double_no_message() -> None:
    told = run(59, 1_000, 5_000, 60)
    assert (told.reloads, told.stored, told.duplicate, told.quarantined) == (1_000, told.sent, 0, 0)
    assert told.rss_last_mib < told.rss_first_mib + 8


def test_twenty_reloads_of_20000_stations_lose_no_message_and_hold_up_intake_for_a_moment() -> None:
    told = run(20_000, 20, 500, 60)
    assert (told.reloads, told.stored, told.duplicate, told.quarantined) == (20, told.sent, 0, 0)
    assert told.apply_cpu_median_ms <= 100


def test_a_default_of_20000_stations_is_another_within_a_second_of_intake() -> None:
    told = run(20_000, 5, 0, 0, everyone=True)
    assert told.reloads == 5
    assert told.apply_cpu_median_ms <= 1_500  # a second on an idle machine
