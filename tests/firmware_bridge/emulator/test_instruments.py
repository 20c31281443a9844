"""Instruments of the hidden world say what is so: who went in and out, how warm it is, and that nothing burns."""

import json
from collections import defaultdict

from config.schema import Settings
from firmware_bridge.emulator.configured import town_of
from firmware_bridge.emulator.instruments import AtRest
from firmware_bridge.emulator.stations import demo_stations

NOON = 1_780_286_400_000


def test_the_counter_counts_everybody_who_passes_and_never_backwards() -> None:
    settings = Settings.model_validate({"stations": demo_stations(1), "timezone": "Asia/Shanghai"})
    town = town_of(settings, NOON, speed=120, from_midday=True)
    told: dict[str, list[dict[str, object]]] = defaultdict(list)
    for second in range(120):
        for message in town.step(NOON + second * 1000):
            if message.topic.endswith("/state"):
                told[message.device].append(json.loads(message.payload))
    totals = [(state["in"], state["out"]) for state in told["counter"]]
    assert totals == sorted(totals)
    assert totals[-1] > totals[0]
    world = town.worlds["yanshan"]
    [counter] = [thing for thing in world.things if thing.resource.kind == "counter"]
    ins, outs = counter.signals(0)["in"], counter.signals(0)["out"]
    assert world.people == ins - outs  # type: ignore[operator]
    assert {state["alarm"] for state in told["smoke"]} == {False}
    assert all(15 < float(str(state["temperature_c"])) < 32 for state in told["climate"])


def test_a_kind_that_the_emulator_does_not_know_says_its_signals_at_rest() -> None:
    settings = Settings.model_validate({"stations": demo_stations(1)})
    town = town_of(settings, NOON)
    [smoke] = [thing for thing in town.worlds["yanshan"].things if thing.resource.kind == "hazard"]
    assert AtRest(smoke.resource, None).signals(0) == {"alarm": False, "test": False}  # type: ignore[arg-type]
