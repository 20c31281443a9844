"""Kill and remove any of the three copies: nothing acknowledged is missing, nothing is double."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.runs import Load
from tests.benchmarks.runs import run as measured
from tests.e2e.rig import MOSQUITTO
from tests.postgres import Servers, servers
from tests.soak.three_copies import UNCONFIRMED, run

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(3_600),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]


@pytest.fixture
def cluster() -> Iterator[Servers]:
    yield from servers()


@pytest.mark.slow
def test_each_of_three_copies_may_go_once(tmp_path, cluster):
    ways = ["gateway removed", "primary killed", "standby removed", "primary removed", "gateway killed"]
    told = run(tmp_path, cluster, [*ways], 300, seed=1)
    assert told.stored > 1_000
    assert (told.missing, told.double, told.backwards, told.alike) == (0, 0, 0, True)
    assert max(told.take_overs_s) <= 30


@pytest.mark.slow
@pytest.mark.parametrize("broken", [False, True])
def test_a_gateway_that_acknowledged_before_the_replica_has_it_would_be_found_out(tmp_path, cluster, broken):
    told = run(tmp_path, cluster, [UNCONFIRMED], 300, seed=1, broken=broken)
    assert told.stored > 1_000
    assert (told.missing > 0, told.double, told.alike) == (broken, 0, True)


@pytest.mark.soak
def test_fifty_kills_and_removals_at_half_of_what_the_machine_takes_lose_and_double_nothing(tmp_path, cluster):
    # Devices, broker and gateway on the same cores, as it will be then.
    rates = sorted(measured("gateway", Load(50_000, 10, 20))["rate"] for _ in range(3))
    print(f"without a replica: {rates} messages a second", flush=True)
    told = run(tmp_path, cluster, [None] * 50, rates[1] / 2, seed=2026)
    print(told, flush=True)
    assert told.stored > 10_000
    assert (told.missing, told.double, told.backwards, told.alike) == (0, 0, 0, True)
    assert max(told.take_overs_s) <= 30
