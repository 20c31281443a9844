"""Kill -9 of anybody at any moment: what was published is what is stored, nothing missing, nothing twice."""

import random
from operator import itemgetter

import pytest

from gateway.mqtt import Broker
from tests.conftest import KEEPING
from tests.e2e.faults.box import Box, Devices

pytestmark = [pytest.mark.e2e, pytest.mark.broker]


@pytest.fixture
def town(tmp_path, mosquitto_of):
    """Start a box with its broker and devices; everything ends with the test."""
    ends = []

    def start(seats, *options, seed=0, **store):
        mosquitto = mosquitto_of(*options)
        box = Box(tmp_path, f"mqtt://127.0.0.1:{mosquitto.port}", seats, **store)
        devices = Devices(Broker("127.0.0.1", mosquitto.port), seats, seed)
        ends.extend([box.kill, devices.close])
        box.start()
        return mosquitto, box, devices

    yield start
    for end in ends:
        end()


def soak(town, messages, rate, gateway_kills, broker_kills, seed=1):
    mosquitto, box, devices = town(20, *KEEPING, seed=seed)
    chance = random.Random(seed)
    victims = [box] * gateway_kills + [mosquitto] * broker_kills
    plan = sorted(((chance.randrange(rate, messages), victim) for victim in victims), key=itemgetter(0))
    for number in devices.publish(messages, rate):
        while plan and number >= plan[0][0]:
            _, victim = plan.pop(0)
            victim.kill()
            victim.start()
    assert not plan
    devices.settle(60)
    assert box.stop(30) == 0
    stored = box.readings()
    assert len(devices.sent) == messages
    missing, twice = devices.sent - set(stored), len(stored) - len(set(stored))
    assert (len(missing), twice) == (0, 0)
    assert set(stored) == devices.sent


@pytest.mark.slow
def test_six_kills_of_the_gateway_and_two_of_the_broker_lose_nothing(town):
    soak(town, messages=2_000, rate=400, gateway_kills=6, broker_kills=2)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_fifty_kills_of_the_gateway_and_twenty_of_the_broker_lose_nothing(town):
    soak(town, messages=20_000, rate=200, gateway_kills=50, broker_kills=20, seed=2)
