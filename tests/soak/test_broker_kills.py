"""Nodes of each broker that is installed are killed under load: what the table of docs/broker.md promises of it."""

import json
from typing import Any

import pytest

from tests.benchmarks.broker_households import note
from tests.benchmarks.broker_kills import Trial, figures
from tests.e2e.brokers.programs import MAKES

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

INSTALLED = [name for name, (_, program) in MAKES.items() if program is not None]
KEEPS = {"nats", "rabbitmq", "artemis"}
"""Clusters that lose nothing of what they acknowledged when one node dies."""


@pytest.mark.parametrize("make", INSTALLED)
def test_what_a_broker_acknowledged_is_stored_once_or_owed_to_the_device(make: str) -> None:
    told = figures(make, Trial(shards_too=True))
    assert told["acknowledged"] > 10_000
    assert told["missing"] == 0 if make in KEEPS else told["missing"] <= told["owed_by_watermarks"]
    exact(told)


@pytest.mark.parametrize("make", [name for name in ("nats", "rabbitmq") if name in INSTALLED])
def test_eight_shards_on_a_cluster_outlive_ten_kills_and_become_four_and_eight_and_four_under_load(make: str) -> None:
    told = figures(make, Trial(shards=8, kills=10, every_s=60, rate=100, then=(4, 8, 4)))
    note(json.dumps(told))
    changes = told["changes"]
    assert told["acknowledged"] > 30_000
    assert changes["acknowledged"] > told["acknowledged"] + 3_000
    assert (told["missing"], changes["missing"], changes["plain_missing"]) == (0, 0, 0)  # double: docs/broker.md
    exact(told)
    exact(changes)


def exact(told: dict[str, Any]) -> None:
    """Once each, what was promised among them, and nothing owed any more."""
    assert told["promised_and_missing"] == 0
    assert told["stored_after_resending"] == told["acknowledged"]
    assert (told["double"], told["still_owed"]) == (0, 0)
