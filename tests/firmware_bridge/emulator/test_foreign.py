"""A station in which six dialects are spoken works like any other: the gateway's answers follow the hidden truth."""

import json
from collections import Counter

import pytest

from config.schema import Settings
from firmware_bridge.emulator.device import Publish
from firmware_bridge.emulator.foreign import SPEAKERS, foreign_town, mixed_station, presence
from firmware_bridge.emulator.truth import TrueSignals
from gateway.core import plan
from gateway.core.pipeline import Pipeline
from gateway.live import Live
from gateway.model import Message

START = 1_795_226_400_000


class Mixed:
    """The mixed station's town, wired to a real pipeline without a broker."""

    def __init__(self, faults: float = 0.0) -> None:
        settings = Settings.model_validate({"stations": [mixed_station()]})
        self.town = foreign_town(settings, START, seed=3, speed=30.0, faults=faults, from_midday=True)
        self.live: Live = plan.build(settings, settings.stations, lambda _station, _area: None, START)
        self.pipeline = Pipeline(self.live, plan.foreign(settings, self.live))
        self.heard: Counter[str] = Counter()
        self.now = START

    def run(self, seconds: int) -> None:
        for _ in range(seconds * 5):
            self.now += 200
            self._carry(self.town.step(self.now))
            self.pipeline.tick(self.now)

    def stop(self) -> None:
        self._carry(self.town.farewell())

    def _carry(self, messages: list[Publish]) -> None:
        for message in messages:
            self.heard[message.topic] += 1
            self.pipeline.handle(Message(message.topic.encode(), message.payload, self.now), self.now)

    def usable(self) -> dict[str, str]:
        return {facts.resource.id: facts.axes.usable for facts in self.live.stations["mixed"].facts()}

    def in_truth_free(self) -> dict[str, bool]:
        return {resource: truth.use == "free" for (_, resource), truth in self.town.truth().items()}


def test_after_a_few_seconds_every_resource_is_known() -> None:
    mixed = Mixed()
    mixed.run(20)
    assert set(mixed.usable().values()) <= {"yes", "no"}
    assert not mixed.pipeline.quarantined
    assert not any(topic.startswith("yz/") for topic in mixed.heard)


def test_half_an_hour_of_the_town_never_shows_a_taken_thing_as_free() -> None:
    mixed = Mixed()
    mixed.run(5)
    seen: Counter[str] = Counter()
    for _ in range(60):
        mixed.run(1)
        free = mixed.in_truth_free()
        for resource, usable in mixed.usable().items():
            seen[usable] += 1
            if resource != "hall":  # a room is free until it is full
                assert usable != "yes" or free[resource], (resource, mixed.now)
    assert seen["yes"] > 50
    assert seen["no"] > 50


def test_devices_that_misbehave_are_refused_and_the_rest_goes_on() -> None:
    mixed = Mixed(faults=0.5)
    mixed.run(600)
    assert mixed.pipeline.quarantined
    assert "yes" in mixed.usable().values()


def test_who_can_say_goodbye_is_offline_at_once() -> None:
    mixed = Mixed()
    mixed.run(10)
    mixed.stop()
    evidence = {facts.resource.id: facts.axes.evidence for facts in mixed.live.stations["mixed"].facts()}
    silent = {"seat-03"}  # a LoRaWAN device never says that it is gone; it grows stale
    assert {resource for resource, word in evidence.items() if word == "offline"} == set(evidence) - silent


@pytest.mark.parametrize("dialect", SPEAKERS)
def test_each_dialect_says_the_same_thing_as_json_or_a_word(dialect: str) -> None:
    topic = "homeassistant/device/x/config"
    signals: TrueSignals = {"occupied": True, "people": 2, "power_w": 7.0, "status": "Charging", "open": True}
    for _, body, _ in [*SPEAKERS[dialect](topic, signals, START), *presence(dialect, topic, True)]:
        assert isinstance(body, str) or json.loads(json.dumps(body)) == body


def test_who_could_not_be_heard_at_first_says_it_again() -> None:
    mixed = Mixed()
    mixed.town.step(START + 20_000)  # nobody listens yet
    mixed._carry(mixed.town.replay())
    assert set(mixed.usable().values()) <= {"yes", "no"}


def test_the_station_speaks_six_dialects_and_the_town_all_of_them() -> None:
    mixed = Mixed()
    mixed.run(20)
    spoken = {item["source"]["dialect"] for area in mixed_station()["areas"] for item in area["resources"]}
    assert spoken == set(SPEAKERS)
    assert len(mixed.usable()) == len({device for _, device in mixed.live.devices})


def test_a_source_that_nobody_imitates_stays_silent() -> None:
    station = mixed_station()
    station["areas"][0]["resources"][0]["source"]["dialect"] = "senml"
    town = foreign_town(Settings.model_validate({"stations": [station]}), START, from_midday=True)
    told = {message.device for second in range(30) for message in town.step(START + second * 1000)}
    assert "seat-01" not in told
    assert "seat-02" in told
