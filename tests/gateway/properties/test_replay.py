"""Replay: the same recording gives the same bytes, on every run and from any order of arrival inside the window."""

import json
from random import Random

import pytest

from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.core.replay import Record, in_order, replay, run_to
from gateway.policy.hours import Openings
from tests.gateway.properties.town import MINUTE, START, Simulation

WINDOW_MS = 30_000


def recording(seed: int) -> tuple[Simulation, list[Record]]:
    """Three minutes of a town in which a tenth of the devices misbehaves, as `yizhan export --raw` would write them."""
    town = Simulation(2, seed=seed, speed=60.0, fault_rate=0.1)
    records = []
    for second in range(180):
        for sent in town.town.step(START + second * 1_000):
            record = as_record(sent.topic, sent.payload, START + second * 1_000, sent.retain)
            if record is not None:
                records.append(record)
    return town, records


def as_record(topic: str, payload: bytes, at: int, retained: bool) -> Record | None:
    try:
        body = json.loads(payload)
    except ValueError:
        return None  # what can't be read was never stored, so no recording has it
    header = {name: body.pop(name) for name in ("ts", "boot", "seq", "oldest") if name in body}
    return Record(topic, at, retained, header, body)


def played(town: Simulation, records: list[Record]) -> bytes:
    pipeline = Pipeline(build(town.settings, town.settings.stations, Openings(town.settings), START))
    lines = list(replay(pipeline, in_order(records, WINDOW_MS), lambda _outcome, _now: ()))
    lines += run_to(pipeline, START + 20 * MINUTE, lambda _outcome, _now: ())
    return b"\n".join(lines)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_order_of_arrival_inside_the_window_gives_the_same_bytes(seed):
    town, records = recording(seed)
    first = played(town, records)
    assert first.count(b"\n") > 200
    assert played(town, records) == first
    rng = Random(seed)
    jumbled = sorted(records, key=lambda record: record.received_at + rng.randrange(WINDOW_MS))
    assert jumbled != records
    assert played(town, jumbled) == first


def test_what_comes_later_than_the_window_still_goes_in():
    _, records = recording(1)
    late = [*records[1:], records[0]]
    assert sorted(message.payload for message in in_order(late, WINDOW_MS)) == sorted(
        message.payload for message in in_order(records, WINDOW_MS)
    )
