"""A message that says what is known already is not judged anew, and nobody could tell."""

import json
import random
from typing import Any

import pytest

from gateway.core.outcome import Frame
from gateway.kinds import KINDS
from gateway.kinds.base import never_repeats
from gateway.live.repeats import Repeats
from gateway.model import Millis
from gateway.policy.override import Override, OverrideTarget
from tests.gateway.core.test_containment import KINDS as SAID
from tests.gateway.core.test_containment import START, World
from tests.gateway.faults import calls

JUDGES = ("gateway/evidence/contradiction.py", "gateway/evidence/facts.py")


def seat(seq: int, occupied: str = "true") -> Frame:
    return b"yz/y/seat/state", f'{{"boot":"b","seq":{seq},"occupied":{occupied}}}'.encode(), 0


def test_every_kind_says_whether_a_message_repeats() -> None:
    assert all(callable(rule.repeats) for rule in KINDS.values())


def test_a_kind_whose_messages_may_repeat_tells_neither_alerts_nor_power_nor_entries() -> None:
    world = World()
    asked = [
        facts
        for device in world.live.devices.values()
        for facts in device.facts
        if facts.kind.repeats is not never_repeats
    ]
    assert asked
    for facts in asked:
        assert not facts.kind.WATCHED
        assert not facts.sees_entry
        assert not hasattr(facts.kind.Shape, "power_w")


def test_a_message_that_repeats_is_judged_by_nobody() -> None:
    world = World()
    world.take([seat(1)], START)
    world.take([seat(2)], START + 1)  # the first one's place is taken by its number
    assert calls(JUDGES, lambda: world.pipeline.handle_all([seat(3)], START + 2)) == 0
    assert calls(JUDGES, lambda: world.pipeline.handle_all([seat(4, "false")], START + 3)) > 0


def test_a_message_of_the_same_moment_repeats_too() -> None:
    world = World()

    def at_once(seq: int) -> Frame:
        return b"yz/y/seat/state", f'{{"boot":"b","seq":{seq},"ts":{START},"occupied":true}}'.encode(), 0

    world.take([at_once(1)], START)
    world.take([at_once(2)], START + 1)
    assert calls(JUDGES, lambda: world.pipeline.handle_all([at_once(3)], START + 2)) == 0


Act = tuple[Millis, Frame | Override | None]


def calm_day(chance: random.Random, messages: int) -> list[Act]:
    """Devices that mostly say again what they said, in time and late, with all that may come between."""
    now, seq, said, acts = START, dict.fromkeys(SAID, 0), dict[str, dict[str, Any]](), list[Act]()
    for _ in range(messages):
        now += chance.choice([10, 10, 500, 500, 3_000, 20_000, 61_000])
        kind = chance.choice(["seat", "seat", "locker", "parking", *SAID])
        seq[kind] += 1 if chance.random() < 0.97 else 2
        if kind not in said or chance.random() < 0.2:
            said[kind] = chance.choice(SAID[kind]) | chance.choice([{}, {}, {"battery_pct": 50}, {"fault": ""}])
            if kind == "seat" and chance.random() < 0.1:
                said[kind] = said[kind] | {"hold_s": 20}
        header = {"boot": "b1", "seq": seq[kind], "ts": now - chance.choice([0, 0, 0, 500, 30_000, 59_000, 70_000])}
        acts.append((now, (f"yz/y/{kind}/state".encode(), json.dumps(header | said[kind]).encode(), 0)))
        match chance.randrange(30):
            case 0:
                words = json.dumps({"online": chance.random() < 0.5, "boot": "b1"}).encode()
                acts.append((now, (f"yz/y/{kind}/availability".encode(), words, 0)))
            case 1:
                acts.append((now, (f"yz/y/{kind}/state".encode(), b'{"occupied": "perhaps"}', 0)))
            case 2:
                acts.append((now, Override(chance.choice(["free", "busy", "maintenance"]), now + 5_000)))
            case 3:
                acts.append((now, None))
    return acts


def lived(acts: list[Act]) -> World:
    world = World()
    for now, act in acts:
        if isinstance(act, tuple):
            world.take([act], now)
        elif act is None:
            world.live.shift(1, now)
        else:
            world.pipeline.tick(now)
            world.live.set_by_hand(OverrideTarget("y", None, "seat"), act, now)
    return world


@pytest.mark.parametrize("seed", range(25))
def test_whoever_judges_every_message_comes_to_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    acts, spared, repeats = calm_day(random.Random(seed), 300), list[bool](), Repeats.take
    monkeypatch.setattr(Repeats, "take", lambda *said: spared.append(repeats(*said)) or spared[-1])
    world = lived(acts)
    assert sum(spared) > 5
    monkeypatch.setattr(Repeats, "take", lambda *_: False)
    judged = lived(acts)
    for now in range(acts[-1][0], acts[-1][0] + 400_000, 20_000):
        world.take([], now)
        judged.take([], now)
        assert world.state(now) == judged.state(now)
