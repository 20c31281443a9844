"""A simulated town through the real core: every message as its devices send it, every deadline at its own moment."""

from collections.abc import Iterator, Sequence
from typing import Any

from config.schema import Settings
from firmware_bridge.emulator.configured import resources_of
from firmware_bridge.emulator.day import midday
from firmware_bridge.emulator.stations import demo_stations
from firmware_bridge.emulator.town import Town
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.model import Message
from gateway.policy.hours import Openings

START = 1_780_279_200_000  # Monday 2026-06-01, 10:00 in Shanghai
CHINA_S = 8 * 3600.0
MINUTE, HOUR = 60_000, 3_600_000


class Simulation:
    """`stations` demo stations, open all day; `town` is the truth, `pipeline` what the gateway makes of it."""

    def __init__(self, stations: int = 2, *, seed: int = 0, kinds: dict[str, Any] | None = None, **town: Any) -> None:
        described = [{**station, "hours": "24/7"} for station in demo_stations(stations)]
        self.settings = Settings.model_validate({"stations": described, "kinds": kinds or {}})
        self.resources = list(resources_of(self.settings))
        self.town = Town(
            self.resources, start=START, day_start_s=midday(START, CHINA_S) - 4 * 3600, seed=seed, hold=50, **town
        )
        self.live = build(self.settings, self.settings.stations, Openings(self.settings), START)
        self.pipeline = Pipeline(self.live)
        self.now = START

    def run(self, until: int, *, step_ms: int = 1_000) -> Iterator[int]:
        """Play to `until`; yields the time after each step."""
        while self.now < until:
            end = min(self.now + step_ms, until)
            sent = self.town.step(end)
            self.fire(end)
            self.pipeline.handle_all([(message.topic.encode(), message.payload, 0) for message in sent], end)
            self.pipeline.take()
            self.now = end
            yield end

    def fire(self, end: int) -> None:
        while (due := self.live.next_deadline()) is not None and due <= end:
            self.pipeline.tick(max(due, self.now))

    def send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.pipeline.handle(message, message.received_at)
