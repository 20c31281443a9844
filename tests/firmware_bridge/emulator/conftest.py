import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.schema import Settings
from firmware_bridge.emulator.configured import resources_of
from firmware_bridge.emulator.day import midday
from firmware_bridge.emulator.device import Publish
from firmware_bridge.emulator.stations import demo_stations
from firmware_bridge.emulator.town import Town
from gateway.model import Resource

START = 1_780_000_000_000  # a Thursday
CHINA_S = 8 * 3600.0

BuildTown = Callable[..., Town]


@pytest.fixture(scope="session")
def demo_resources() -> list[Resource]:
    return list(resources_of(Settings.model_validate({"stations": demo_stations(2)})))


@pytest.fixture
def build_town(demo_resources: list[Resource]) -> BuildTown:
    """A town of the two first demo stations just before noon; every argument of `Town` may be given instead."""

    def build(resources: list[Resource] | None = None, **arguments: Any) -> Town:
        given: dict[str, Any] = {"start": START, "day_start_s": midday(START, CHINA_S), "speed": 30.0, "seed": 7}
        return Town(demo_resources if resources is None else resources, **given | arguments)

    return build


@pytest.fixture
def play() -> Callable[..., Iterator[Publish]]:
    """Step a town for `seconds`, `step_ms` at a time; with `ack`, every message is covered as soon as it is sent."""

    def run(town: Town, seconds: float, *, step_ms: int = 250, ack: bool = True) -> Iterator[Publish]:
        for now in range(START, START + int(seconds * 1000) + 1, step_ms):
            for message in town.step(now):
                yield message
                if ack and b'"seq"' in message.payload:
                    body = json.loads(message.payload)
                    town.acked(message.station, message.device, body["boot"], body["seq"])

    return run
