"""Nodes of each broker that is installed are killed under load: what the table of docs/broker.md promises of it."""

import argparse

import pytest

from tests.benchmarks.broker_kills import figures
from tests.e2e.brokers.programs import MAKES

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

KEEPS = {"nats", "rabbitmq", "artemis"}
"""Clusters that lose nothing of what they acknowledged when one node dies."""
ASKED = argparse.Namespace(
    kills=3, every_s=40.0, down_s=15.0, rest_s=10.0, rate=200.0, shards=4, shards_too=True, seed=1, logs=None
)


@pytest.mark.parametrize("make", [name for name, (_, program) in MAKES.items() if program is not None])
def test_what_a_broker_acknowledged_is_stored_once_or_owed_to_the_device(make: str) -> None:
    found = figures(make, ASKED)
    assert found["acknowledged"] > 10_000
    assert found["missing"] == 0 if make in KEEPS else found["missing"] <= found["owed_by_watermarks"]
    assert found["promised_and_missing"] == 0
    assert found["stored_after_resending"] == found["acknowledged"]
    assert (found["double"], found["still_owed"]) == (0, 0)
