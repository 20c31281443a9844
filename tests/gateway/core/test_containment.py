"""Any function of the core raises at any call while one message is taken: that message is set aside, all else exact."""

import json
import random
from contextlib import nullcontext
from typing import Any

import pytest

from config.schema import Settings
from gateway import wire
from gateway.commands import SeenNonces, sign
from gateway.core import plan
from gateway.core.outcome import Frame
from gateway.core.pipeline import Pipeline
from gateway.core.unusual import Unusual
from gateway.evidence.freshness import Freshness
from gateway.live import document
from gateway.model import InvariantError, Rejected
from gateway.policy.hours import Openings
from gateway.runtime.memory import Memory
from tests.gateway.faults import ERRORS, Fault, FaultError, calls

MANY = 5_001  # in one look: as many as come under load


START = 1_795_226_400_000
ROOMS = (
    "gateway/kinds",
    "gateway/dialects",
    "gateway/evidence",
    "gateway/live",
    "gateway/policy",
    "gateway/wire.py",
    "gateway/core/admission.py",
    "gateway/core/foreign.py",
    "gateway/core/unusual.py",
    "gateway/core/commands.py",
    "gateway/model.py",
)
KINDS: dict[str, list[dict[str, Any]]] = {
    "seat": [{"occupied": True}, {"occupied": False, "battery_pct": 50}, {"occupied": True, "fault": "E1"}],
    "room": [{"in": 3, "out": 1}, {"people": 7}, {"occupied": False}],
    "charger": [{"status": "Charging", "power_w": 7_000.0, "energy_wh": 5.0}, {"status": "Available", "power_w": 0.0}],
    "door": [{"open": True}, {"open": False}],
    "appliance": [{"status": "running", "power_w": 400.0}, {"status": "idle"}],
    "locker": [{"free": 3, "total": 8}],
    "parking": [{"free": 1, "total": 4}],
    "safety": [{"present": True, "battery_pct": 80}],
}
FOREIGN = [
    ("zigbee2mqtt", "zigbee2mqtt/seat", ['{"occupancy": true, "battery": 90}', '{"occupancy": false}']),
    ("tasmota", "tele/plug/SENSOR", ['{"ENERGY": {"Power": 300, "Total": 1.5}}']),
]


def settings() -> Settings:
    resources: list[dict[str, Any]] = [{"id": kind, "kind": kind, "ttl": 60} for kind in KINDS]
    resources.append({"id": "z", "kind": "seat", "source": {"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/seat"}})
    resources.append(
        {"id": "t", "kind": "charger", "type": "ebike", "source": {"dialect": "tasmota", "topic": "tele/plug"}}
    )
    areas = [{"id": "a", "name": {"zh": "x"}, "resources": resources}]
    station = {"id": "y", "name": {"zh": "x"}, "areas": areas, "hours": "Mo-Su 08:00-20:00"}
    return Settings.model_validate({"stations": [station]})


SETTINGS = settings()


class World:
    def __init__(self) -> None:
        self.live = plan.build(SETTINGS, SETTINGS.stations, Openings(SETTINGS), START)
        self.pipeline = Pipeline(self.live, plan.foreign(SETTINGS, self.live))
        self.memory = Memory(self.live)
        self.stored: list[tuple[bytes, bytes, int, int]] = []
        self.changes: list[object] = []
        self.refused: list[Rejected] = []

    def take(self, frames: list[Frame], now: int) -> None:
        self.pipeline.tick(now)
        self.pipeline.handle_all(frames, now)
        self.collect()

    def collect(self) -> None:
        done = self.pipeline.take()
        batch = done.batch
        self.stored += zip(batch.topics, batch.payloads, batch.received, batch.flags, strict=True)
        self.changes += [(change.at, change.resource.id, change.after, change.cause) for change in done.changes]
        self.refused += done.rejected

    def state(self, now: int) -> list[object]:
        """Everything that a restart keeps, and all that people see."""
        parts = [self.memory.dump(part, now) for part in range(len(self.memory.parts))]
        return [
            parts,
            [document(station, now).body for station in self.live.stations.values()],
            self.stored,
            self.changes,
        ]


def day(random: random.Random, messages: int) -> list[tuple[Frame, int]]:
    """A mixed stream: every kind, repeats, late ones, wills, events, retained ones, foreign dialects, rubbish."""
    now, seq, stream = START, dict.fromkeys(KINDS, 0), []
    for _ in range(messages):
        now += random.choice([10, 1_000, 40_000])
        kind = random.choice(list(KINDS))
        seq[kind] += random.choice([1, 1, 1, 1, 3, 0])
        header = {"boot": random.choice(["b1"] * 9 + ["b2"]), "seq": seq[kind], "ts": now - 500}
        topic, payload, flags = f"yz/y/{kind}/state", json.dumps(header | random.choice(KINDS[kind])), 0
        match random.randrange(12):
            case 0:
                topic, payload = (
                    f"yz/y/{kind}/availability",
                    json.dumps({"online": random.random() < 0.5, "boot": "b1"}),
                )
            case 1:
                topic, payload = f"yz/y/{kind}/event", json.dumps(header | {"type": random.choice(["help", "card"])})
            case 2 | 3:
                _, topic, said = random.choice(FOREIGN)
                payload = random.choice(said)
            case 4:
                payload = json.dumps({"occupied": "perhaps", **header})
            case 5:
                flags = 1
            case 6:
                topic = "yz-cmd/y/override"
                word = {"status": random.choice(["closed", "free"]), "until": now + 100_000}
                nonce = f"{random.random():.16f}"
                payload = json.dumps({"nonce": nonce, "expires": now + 9_000, "resource": kind, "override": word})
        stream.append(((topic.encode(), payload.encode(), flags), now))
    return stream


def poison(stream: list[tuple[Frame, int]], at: int, number: int, error: type[Exception]) -> tuple[World, Fault]:
    """The world after all of it, with a fault at call `number` of message `at`."""
    world = World()
    for place, (frame, now) in enumerate(stream):
        if place != at:
            world.take([frame], now)
            continue
        world.pipeline.tick(now)
        with Fault(ROOMS, number, error).inside() as fault:
            world.pipeline.handle_all([frame], now)
        world.collect()
    return world, fault


def never_came(stream: list[tuple[Frame, int]], at: int) -> World:
    """The same without the message: what a restart makes of one in quarantine is only that its number is known."""
    world = World()
    for place, (frame, now) in enumerate(stream):
        if place != at:
            world.take([frame], now)
            continue
        world.pipeline.tick(now)
        topic = frame[0]
        if topic.startswith(b"yz/"):
            world.pipeline._refusals.refuse(topic, frame[1], frame[2], now, "internal_error")
        world.collect()
        world.refused.clear()
    return world


def check(seed: int, messages: int) -> str:
    random_ = random.Random(seed)
    stream = day(random_, messages)
    at = random_.randrange(messages)
    world = World()
    for frame, now in stream[:at]:
        world.take([frame], now)
    frame, now = stream[at]
    world.pipeline.tick(now)
    many = calls(ROOMS, lambda: world.pipeline.handle_all([frame], now))
    if not many:
        return ""
    end = stream[-1][1]
    poisoned, fault = poison(stream, at, random_.randint(1, many), random_.choice(ERRORS))
    if not any(message.reason == "internal_error" for message in poisoned.refused):
        return ""  # an error of a kind that its caller takes for an unreadable message
    assert fault.raised, (seed, at)
    assert poisoned.state(end) == never_came(stream, at).state(end), (seed, at, fault.raised)
    assert poisoned.pipeline.quarantined["internal_error"] == 1
    assert len(poisoned.live.mishaps.take()) == 1
    return fault.raised


def test_a_message_that_any_function_fails_over_costs_itself() -> None:
    raised = {check(seed, 40) for seed in range(60)} - {""}
    assert len(raised) > 20, raised


@pytest.mark.soak
def test_ten_thousand_messages_that_some_function_fails_over_cost_themselves() -> None:
    raised = {check(seed, 60) for seed in range(1_000, 11_000)} - {""}
    assert len(raised) > 80, raised


def looks(seed: int, messages: int, size: int) -> list[tuple[list[Frame], int]]:
    """The mixed stream as it comes when so many come in one look."""
    stream = [frame for frame in day(random.Random(seed), 2 * messages) if not frame[0][0].startswith(b"yz-cmd/")][
        :messages
    ]
    return [
        ([frame for frame, _ in stream[at : at + size]], stream[at][1]) for at in range(0, len(stream) - size + 1, size)
    ]


def whole(all_looks: list[tuple[list[Frame], int]], at: int = -1, fault: Fault | None = None) -> World:
    """The world after all of them, with a fault in one."""
    world = World()
    for place, (frames, now) in enumerate(all_looks):
        world.pipeline.tick(now)
        with fault.inside() if fault is not None and place == at else nullcontext():
            world.pipeline.handle_all(frames, now)
        world.collect()
    return world


@pytest.mark.parametrize("seed", range(30))
def test_a_fault_that_passes_over_one_of_many_that_came_together_costs_nothing(seed: int) -> None:
    all_looks, chance = looks(seed, 150, 50), random.Random(seed)
    at, end = chance.randrange(3), all_looks[-1][1]
    clean = whole(all_looks)
    world = whole(all_looks[:at])
    world.pipeline.tick(all_looks[at][1])
    many = calls(ROOMS, lambda: world.pipeline.handle_all(*all_looks[at]))
    poisoned = whole(all_looks, at, Fault(ROOMS, chance.randint(many // 4, many), chance.choice(ERRORS)))
    assert poisoned.state(end) == clean.state(end)
    assert poisoned.refused == clean.refused
    assert poisoned.live.counters == clean.live.counters


@pytest.mark.parametrize("many", [2, 70, MANY])
@pytest.mark.parametrize("occupied", ["true", "false"])
def test_one_of_many_that_fails_each_time_costs_itself_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, many: int, occupied: str
) -> None:
    """Whether it says what is known or another value; it fails after all of it was taken over."""
    note, poison = Freshness.told, START + 1

    def breaks(fresh: Freshness, observed_at: int) -> None:
        if observed_at == poison:
            raise FaultError
        note(fresh, observed_at)

    monkeypatch.setattr(Freshness, "told", breaks)
    frames = [(b"yz/y/seat/state", b'{"boot":"b","seq":%d,"occupied":true}' % seq, 0) for seq in range(1, many)]
    text = f'{{"boot":"b","seq":{many},"ts":{poison},"occupied":{occupied}}}'
    last = b"yz/y/seat/state", text.encode(), 0
    poisoned, clean = World(), World()
    poisoned.take([*frames, last], START + 2)
    clean.take(frames, START + 2)
    clean.pipeline.set_aside(last, START + 2)
    clean.collect()
    assert poisoned.state(START + 2) == clean.state(START + 2)
    assert [message.payload for message in poisoned.refused] == [last[1]]
    assert poisoned.live.mishaps.take() == [("y", "FaultError")]


def test_a_command_among_many_is_carried_out_once() -> None:
    world, done, key = World(), list[str](), b"k" * 32
    world.pipeline.commands.on_done = lambda _by, what, _target, _detail: done.append(what)
    word = {"status": "closed", "until": START + 100_000}
    order = {"nonce": "n" * 16, "expires": START + 9_000, "by": "li", "resource": "seat", "override": word}
    topic = b"yz-cmd/y/override"
    text = sign(key, topic.decode(), json.dumps(order).encode())
    world.pipeline.commands.trust(key, SeenNonces())
    seats = [(b"yz/y/seat/state", b'{"boot":"b","seq":%d,"occupied":true}' % seq, 0) for seq in range(40)]
    with Fault(("gateway/kinds/seat.py",), 30).inside() as fault:
        world.pipeline.handle_all([(topic, text, 0), *seats], START)
    assert fault.raised
    assert done == ["override"]


def test_a_fault_that_passes_under_load_costs_nothing() -> None:
    frames = [(b"yz/y/seat/state", b'{"boot":"b","seq":%d,"occupied":true}' % seq, 0) for seq in range(MANY)]
    poisoned, clean = World(), World()
    many = calls(ROOMS, lambda: World().pipeline.handle_all(frames, START))
    with Fault(ROOMS, many // 2).inside() as fault:
        poisoned.pipeline.handle_all(frames, START)
    assert fault.raised
    poisoned.collect()
    clean.take(frames, START)
    assert poisoned.state(START) == clean.state(START)
    assert not poisoned.refused
    assert poisoned.live.mishaps.take() == [(None, "FaultError")]


def test_a_fault_before_the_first_of_many_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned, clean = World(), World()
    frames = [(b"yz/y/seat/state", b'{"boot":"b","seq":%d,"occupied":true}' % seq, 0) for seq in range(5)]
    whole, breaks = wire.has_long_digits, [True]

    def once(payload: bytes) -> bool:
        if breaks and breaks.pop():
            raise FaultError
        return whole(payload)

    monkeypatch.setattr(wire, "has_long_digits", once)
    poisoned.take(frames, START)
    clean.take(frames, START)
    assert poisoned.state(START) == clean.state(START)
    assert len(poisoned.stored) == len(frames)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(Unusual, "_accept", _breaks)
    return world


def _breaks(*_: object) -> None:
    raise InvariantError("a promise of ours does not hold")


def test_only_a_broken_promise_of_ours_ends_the_process(broken: World) -> None:
    with pytest.raises(InvariantError):
        broken.take([(b"yz/y/seat/state", b'{"occupied":true,"x":1}', 0)], START)


def test_a_deadline_that_fails_is_met_later(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.take([(b"yz/y/seat/state", b'{"boot":"b","seq":1,"occupied":true}', 0)], START)
    with Fault(("gateway/evidence/freshness.py",), 1).inside():
        world.take([], START + 60_000)
    world.take([], START + 71_000)
    assert world.live.devices["y", "seat"].facts[0].axes.evidence == "stale"
