"""The emulator's hidden world against what is published: honest devices, so the truth lies inside every interval."""

import json

import pytest

from gateway.live import document
from tests.gateway.properties import contract
from tests.gateway.properties.town import HOUR, MINUTE, START, Simulation

HONEST = ("reboot", "offline", "duplicates")


def truly_usable(town: Simulation, station: str) -> dict[tuple[str, str | None], int]:
    """How many really are usable, by kind and type; the stations are open all day and nothing is broken."""
    counts: dict[tuple[str, str | None], int] = {}
    truth = town.town.truth()
    for resource in town.resources:
        if resource.station != station:
            continue
        real = truth[station, resource.id]
        if resource.kind == "room":
            assert real.people is not None
            free = int(real.people < (resource.capacity or 1))
        else:
            free = real.free if real.free is not None else int(real.use == "free")
        key = resource.kind, resource.type
        counts[key] = counts.get(key, 0) + free
    return counts


@pytest.mark.parametrize(("seed", "fault_rate"), [pytest.param(1, 0.0, marks=pytest.mark.slow), (2, 0.05)])
def test_the_true_count_always_lies_inside_the_published_interval(seed, fault_rate):
    town = Simulation(2, seed=seed, speed=60.0, fault_rate=fault_rate, fault_kinds=HONEST)
    certain = 0
    for now in town.run(START + 10 * MINUTE):
        if now < START + 10_000:
            continue
        for station in town.live.stations.values():
            made = json.loads(document(station, now).body)
            town.live.made(station, now)
            contract.check(made, now)
            truth = truly_usable(town, station.id)
            for row in made["summary"]:
                real = truth[row["kind"], row["type"]]
                assert row["usable_min"] <= real <= row["usable_max"], (now - START, station.id, row, real)
                certain += row["usable_min"] == row["usable_max"]
    assert certain > 5_000


def test_devices_that_fall_silent_all_at_once_leave_nothing_shown_as_usable():
    town = Simulation(1, seed=3, speed=60.0)
    *_, now = town.run(START + MINUTE)
    station = next(iter(town.live.stations.values()))
    ends = contract.ms(json.loads(document(station, now).body)["valid_until"])
    assert ends is not None
    town.fire(now + 26 * HOUR)
    made = json.loads(document(station, now + 26 * HOUR).body)
    contract.check(made, now + 26 * HOUR)
    assert {row["usable_min"] for row in made["summary"]} == {0}
    assert {row["evidence"] for area in made["areas"] for row in area["resources"]} == {"stale"}
