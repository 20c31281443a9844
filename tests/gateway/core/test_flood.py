"""One device that floods costs itself, and names that nobody configured cost no memory."""

import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from gateway.alerting.facts import Watch
from gateway.core import plan
from gateway.core.flood import AWAY_MS, CALM_S, STRIDE, SWEEP_MS, Flood
from gateway.core.outcome import Frame
from gateway.core.pipeline import Pipeline
from gateway.store.sqlite import SqliteStore
from tests.gateway.world import SECOND, Town

SEATS: list[dict[str, Any]] = [{"id": f"seat-{n:02}", "kind": "seat", "ttl": 60} for n in range(20)]
PER_S, BURST = 50, 2_000
FLOOD = b"yz/yanshan/seat-00/state"
FEW_NAMES, MANY_NAMES = 5_000, 200_000


@pytest.fixture
def town() -> Town:
    return Town(*SEATS)


def flood_of(town: Town, per_s: int = PER_S, burst: int = BURST) -> Flood:
    return town.pipeline.flood(per_s, burst)


def frames(count: int, topic: bytes = FLOOD) -> list[Frame]:
    return [(topic, b'{"occupied":true}', 0)] * count


def second(flood: Flood, town: Town, per_s: int, others: int = 1) -> list[Frame]:
    """What is let in of a second in which seat-00 sends so many messages and each other seat a few, mixed."""
    town.now += SECOND
    sent = frames(per_s)
    for number in range(1, len(SEATS)):
        sent += frames(others, b"yz/yanshan/seat-%02d/state" % number)
    random.Random(town.now).shuffle(sent)
    passed: list[Frame] = []
    for at in range(0, len(sent), 500):
        passed += flood.let_in(sent[at : at + 500], town.now)
    return passed


def test_a_device_that_floods_is_held_to_its_allowance_and_the_others_to_none(town: Town) -> None:
    flood = flood_of(town)
    for number in range(30):
        passed = second(flood, town, 5_000)
        assert len([frame for frame in passed if frame[0] != FLOOD]) == len(SEATS) - 1
        if number >= 2:
            assert len([frame for frame in passed if frame[0] == FLOOD]) in range(PER_S - 1, PER_S + 2)
    ((device, told),) = flood.look(town.now)
    assert (device.id, flood.limited) == ("seat-00", 1)
    assert 4_900 < told < 5_300
    assert flood.dropped > 140_000


def test_its_value_follows_what_is_let_in_and_the_others_stay_live(town: Town) -> None:
    flood = flood_of(town)
    for number in range(120):
        passed = second(flood, town, 3_000, others=1 if number % 20 == 0 else 0)
        town.pipeline.tick(town.now)
        town.pipeline.handle_all(passed, town.now)
    town.pipeline.tick(town.now)
    assert {town.axes(seat["id"]).evidence for seat in SEATS} == {"live"}


def test_a_device_is_free_again_when_it_has_been_calm(town: Town) -> None:
    flood = flood_of(town)
    for _ in range(5):
        second(flood, town, 5_000)
    assert flood.look(town.now)
    for _ in range(CALM_S + 5):
        assert len(second(flood, town, 1)) >= len(SEATS) - 1
    assert flood.look(town.now) == []
    assert flood.limited == 0


def test_a_busy_network_without_a_flood_loses_nothing(town: Town) -> None:
    """20 devices in step, all together far beyond what one may send: whoever looks at each 20th would blame one."""
    flood = flood_of(town)
    for _ in range(200):
        town.now += SECOND
        sent = [(b"yz/yanshan/seat-%02d/state" % (n % len(SEATS)), b"{}", 0) for n in range(30 * len(SEATS))]
        assert flood.let_in(sent, town.now) is sent
    assert flood.dropped == 0


def test_a_flood_of_values_hides_no_alarm_no_goodbye_and_no_command(town: Town) -> None:
    flood = flood_of(town)
    for _ in range(5):
        second(flood, town, 5_000)
    kept = [b"yz/yanshan/seat-00/event", b"yz/yanshan/seat-00/availability", b"yz-cmd/yanshan/staff"]
    passed = flood.let_in(frames(2_000) + [(topic, b"{}", 0) for topic in kept], town.now)
    assert [frame[0] for frame in passed][-3:] == kept
    command = frames(50_000, b"yz-cmd/yanshan/override")
    assert flood.let_in(command, town.now) == command


def test_what_came_while_we_were_away_is_let_in(town: Town) -> None:
    town.hear("seat-01", {"occupied": True})
    away_s = 3_600
    town.now += away_s * SECOND
    flood = flood_of(town)  # a start: it knows when something was heard last
    backlog = frames(BURST + away_s * PER_S - 10_000)
    passed = [
        frame for at in range(0, len(backlog), 5_000) for frame in flood.let_in(backlog[at : at + 5_000], town.now)
    ]
    assert len(passed) == len(backlog)
    assert flood_of(town).let_in(frames(1), town.now + AWAY_MS) == frames(1)


def test_without_a_bound_everything_is_let_in(town: Town) -> None:
    flood = flood_of(town, per_s=0)
    sent = frames(100_000)
    assert flood.let_in(sent, town.now) is sent


def test_a_device_of_another_make_is_held_by_its_topic() -> None:
    source = {"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/chair"}
    town = Town({"id": "seat-00", "kind": "seat", "source": source})
    flood = Pipeline(town.live, plan.foreign(town.settings, town.live)).flood(PER_S, BURST)
    for _ in range(5):
        town.now += SECOND
        passed = flood.let_in(frames(5_000, b"zigbee2mqtt/chair"), town.now)
    assert [flooding.device.id for flooding in flood.look(town.now)] == ["seat-00"]
    assert len(passed) in range(PER_S - 1, PER_S + 2)


def test_strangers_together_are_as_one_device_and_no_alert_names_them(town: Town) -> None:
    flood = flood_of(town)
    for number in range(5):
        town.now += SECOND
        strangers = [(b"yz/s%d-%d/d/state" % (number, n), b"{}", 0) for n in range(5_000)]
        known = frames(1, b"yz/yanshan/seat-01/state")
        passed = flood.let_in(strangers + known, town.now)
        assert passed[-1:] == known
    assert len(passed) in range(PER_S - 1, PER_S + 4)
    assert flood.look(town.now) == []
    assert flood.limited == 1


def test_allowances_that_are_whole_again_are_forgotten(town: Town) -> None:
    flood = flood_of(town)
    for _ in range(20):
        town.now += SECOND
        flood.let_in([(b"yz/yanshan/seat-%02d/state" % (n % 20), b"{}", 0) for n in range(400)], town.now)
    town.now += SWEEP_MS + 2 * STRIDE * SECOND // PER_S
    flood.let_in([], town.now)
    assert flood.remembered == 0


def hear_of_strangers(names: int, folder: Path, bound: int) -> tuple[int, Town]:
    """Bytes that stay after so many names that nobody configured went all the way to the store; the town."""
    town = Town(*SEATS)
    store = SqliteStore(folder, town.now, ballast_mib=0, quarantine_rows=bound)
    watch = Watch(town.settings, town.live, "gateway")
    shapes = (b"yz/x%d/d/state", b"yz/yanshan/x%d/state", b"yz/yanshan/seat-01/x%d", b"yz/a/b/state/%d", b"yz/%d")
    payload = json.dumps({"boot": "b", "seq": 1, "occupied": True}).encode()

    def some(first: int, last: int) -> None:
        for at in range(first, last, 1_000):
            town.now += SECOND
            sent = [(shapes[n % len(shapes)] % n, payload, 0) for n in range(at, min(at + 1_000, last))]
            town.pipeline.handle_all(sent, town.now)
            town.pipeline.tick(town.now)
            outcome = town.pipeline.take()
            store.commit(outcome.batch, outcome.changes, outcome.rejected, town.now)
            watch.follow(outcome, town.now)
            watch.look(town.now)

    some(0, names // 5)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    some(names // 5, names)
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    store.close()
    return sum(difference.size_diff for difference in after.compare_to(before, "filename")), town


def test_names_that_nobody_configured_stay_nowhere_in_memory(tmp_path: Path) -> None:
    stayed, town = hear_of_strangers(FEW_NAMES, tmp_path, 1_000)
    assert stayed < 100_000  # less than 25 bytes for each name
    assert town.pipeline.quarantined.total() == FEW_NAMES


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_200_000_names_that_nobody_configured_stay_nowhere_in_memory(tmp_path: Path) -> None:
    stayed, town = hear_of_strangers(MANY_NAMES, tmp_path, 10_000)
    assert stayed < 200_000
    assert town.pipeline.quarantined.total() == MANY_NAMES
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 20 << 20
