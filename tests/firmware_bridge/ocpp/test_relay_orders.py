"""Whatever happens to operator, bridge and pile, in whatever order: the pile is answered, the operator has each step
once (by its id), in order, under his numbers; and what a hostile pile or operator says breaks nothing.

Time, disk and lines are the test's own here; nothing waits.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.cards import Cards
from firmware_bridge.devices.base import Heard
from firmware_bridge.ocpp.conversation import Conversation
from firmware_bridge.ocpp.pile import ChargePoint, Plug
from firmware_bridge.ocpp.relay import operator as operator_module
from firmware_bridge.ocpp.relay.line import Destination
from firmware_bridge.ocpp.relay.pile_relay import PileRelay
from firmware_bridge.ocpp.relay.seal import Seal
from firmware_bridge.ocpp.tokens import TokenDesk
from firmware_bridge.spool import Spool
from firmware_bridge.spool_relay import HeldFrame
from gateway.base.mishaps import Mishaps
from tests.firmware_bridge.ocpp.rig import CARD_KEY, COMMAND_KEY
from tests.firmware_bridge.ocpp.test_fuzzed import changed

NOW = 1_795_000_000_000
TAG = "04C0FFEE11"


class FakeLine:
    """In the place of a connection: opens when the world says so, and keeps what is sent for the operator to take."""

    world: "World"

    def __init__(self, owner: Any, _loop: Any, to: Destination) -> None:
        self.owner, self.to = owner, to
        self.open = self.gone = False
        self.heard_at = self.dialled_at = self.world.now_s
        self.pinged_at = self.opened_at = None
        self.sent: deque[Any] = deque()

    def dial(self) -> None:
        self.world.dialled(self)

    def send(self, message: bytes) -> None:
        self.sent.append(json.loads(message))

    def ping(self) -> None:
        self.heard_at = self.world.now_s

    def close(self, why: str) -> None:
        self.gone, self.open = True, False
        self.owner.line_lost(self, why)

    def said(self, message: list[Any] | bytes) -> None:
        self.heard_at = self.world.now_s
        self.owner.line_said(self, message if isinstance(message, bytes) else json.dumps(message).encode())


class World:
    def __init__(self, folder: Path, rng: random.Random, steps: int) -> None:
        self.rng, self.now_s, self.there = rng, 1_000.0, True
        FakeLine.world = self
        self.spool = Spool(folder, 1 << 24)
        self.spool._db.execute("PRAGMA synchronous=OFF")
        self.mishaps, self.tokens = Mishaps(), TokenDesk(Cards(CARD_KEY, "day"), None, lambda: COMMAND_KEY)
        self.loop, self.heartbeat_s = asyncio.new_event_loop(), 60
        self.lines: list[FakeLine] = []
        self.pending: deque[Callable[[], None]] = deque()
        self.steps, self.said, self.meter = steps, 0, 1_000
        self.outstanding: tuple[str, str, dict[str, Any]] | None = None
        self.number = self.starts = 0
        self.energies: list[int] = []
        self.numbers: dict[str, int] = {}  # of the operator, by message
        self.fresh: list[tuple[str, dict[str, Any]]] = []
        self.boot()

    # ---- the bridge ----

    def boot(self) -> None:
        before = self.spool.relayed_before(NOW)
        self.pending.clear()
        self.lines.clear()
        self.relay = PileRelay("CP001", Seal(b"k" * 32, lambda: b"k" * 32), self, before, self.loop)
        self.dial()

    def dial(self) -> None:
        self.answers: deque[Any] = deque()
        plugs = Plug("a", None, 1), Plug("b", None, 2)
        self.talk = Conversation(ChargePoint("CP001", plugs), self, self.hear, lambda: None)
        self.talk.relay = self.relay
        self.relay.there(self.talk, Destination("ws://x/CP001", "ocpp1.6", None, None))
        if self.outstanding is not None:  # a pile repeats what was not answered
            self.say(*self.outstanding[1:])

    def keep(self, heard: Heard, done: Callable[[bool], None]) -> None:
        self.pending.append(partial(self._store, heard, done))

    def _store(self, heard: Heard, done: Callable[[bool], None]) -> None:
        self.spool.put([heard], NOW + self.said)
        done(True)

    def fetch(self, pile: str, after: int, limit: int, done: Callable[[Sequence[HeldFrame]], None]) -> None:
        self.pending.append(lambda: done(self.spool.relay_next(pile, after, limit)))

    def booted(self, talk: Conversation) -> None:
        pass

    # ---- the pile ----

    def hear(self, raw: bytes) -> None:
        message = json.loads(raw)
        if message[0] == 2:
            self.answers.append(message)
        elif self.outstanding is not None and message[1] == self.outstanding[0]:
            assert message[0] == 3, message
            if self.outstanding[1] == "StartTransaction":
                self.number = message[2]["transactionId"]
            self.outstanding = None

    def say(self, action: str, payload: dict[str, Any]) -> None:
        message = f"p{self.rng.getrandbits(60):x}"
        self.outstanding = message, action, payload
        self.talk.hear(json.dumps([2, message, action, payload]).encode())

    def speak(self) -> None:
        if self.outstanding is not None or self.said >= self.steps:
            return
        self.said += 1
        at = f"2026-11-29T10:{self.said // 60 % 60:02}:{self.said % 60:02}Z"
        kind = self.said % 3
        if kind == 1:
            self.begun = self.meter
            start = {"connectorId": 1, "idTag": TAG, "meterStart": self.meter, "timestamp": at}
            self.say("StartTransaction", start)
        elif kind == 2:
            self.meter += self.rng.randint(1, 99)
            values = [{"timestamp": at, "sampledValue": [{"value": str(self.meter)}]}]
            self.say("MeterValues", {"connectorId": 1, "transactionId": self.number, "meterValue": values})
        else:
            self.energies.append(self.meter - self.begun)
            self.say("StopTransaction", {"transactionId": self.number, "meterStop": self.meter, "timestamp": at})

    # ---- the operator ----

    def dialled(self, line: FakeLine) -> None:
        self.lines.append(line)

    def line(self) -> FakeLine | None:
        return self.lines[-1] if self.lines and not self.lines[-1].gone else None

    def let_in(self) -> None:
        line = self.line()
        if line is not None and not line.open and self.there:
            line.open, line.opened_at = True, self.now_s  # type: ignore[assignment]
            line.owner.line_open(line)

    def take(self, *, answer: bool) -> None:
        line = self.line()
        if line is None or not line.sent or not line.open:
            return
        kind, message, *rest = line.sent.popleft()
        if kind != 2:  # a pile's answer
            return
        action, payload = rest
        if message not in self.numbers:
            self.starts += action == "StartTransaction"
            self.numbers[message] = 500 + self.starts
            self.fresh.append((action, payload))
        if not answer:
            line.close("killed")
            return
        told = {"transactionId": self.numbers[message], "idTagInfo": {"status": "Accepted"}}
        line.said([3, message, told if action == "StartTransaction" else {}])

    def leave(self) -> None:
        self.there = False
        line = self.line()
        if line is not None:
            line.close("gone")

    # ---- all ----

    def commit(self) -> None:
        if self.pending:
            self.pending.popleft()()

    def later(self) -> None:
        self.now_s += self.rng.choice((0.5, 2.0, 7.0, 70.0))
        self.relay.operator.look(self.now_s)

    def happen(self) -> None:
        what = self.rng.choices(
            (self.speak, self.commit, partial(self.take, answer=True), self.let_in, self.later,
             partial(self.take, answer=False), self.leave, self.come, self.boot, self.dial),
            (20, 20, 14, 10, 8, 2, 1, 3, 1, 1),
        )[0]  # fmt: skip
        what()
        if not self.pending:
            assert self.relay.waiting == len(self.spool.relay_next("CP001", 0, 1_000))

    def come(self) -> None:
        self.there = True

    def settle(self) -> None:
        """All are there and willing."""
        self.there = True
        for _ in range(3_000):
            self.speak()
            self.let_in()
            self.take(answer=True)
            self.commit()
            self.later()
            done = self.said >= self.steps and self.outstanding is None and not self.pending
            if done and not self.spool.relay_next("CP001", 0, 1):
                return
        raise AssertionError("it never came to rest")

    def close(self) -> None:
        self.spool.close()
        self.loop.close()


@pytest.fixture(autouse=True)
def own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_module, "monotonic_s", lambda: FakeLine.world.now_s)
    monkeypatch.setattr(operator_module, "UpstreamLine", FakeLine)


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 6_000), marks=pytest.mark.soak)])
def test_the_operator_has_each_step_once_in_order_under_his_numbers(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        world = World(tmp_path / str(seed), random.Random(seed), steps=30)
        for _ in range(400):
            world.happen()
        world.settle()
        steps = [(action, payload) for action, payload in world.fresh if action != "MeterValues"]
        assert [action for action, _ in steps] == ["StartTransaction", "StopTransaction"] * 10, seed
        assert [payload["transactionId"] for action, payload in steps[1::2]] == list(range(501, 511)), seed
        assert [
            ended["meterStop"] - begun["meterStart"]
            for (_, begun), (_, ended) in zip(steps[::2], steps[1::2], strict=True)
        ] == world.energies
        held = world.spool.after("a", 0, 9_999)
        ended = [row.signals for row in held if row.event == "transaction" and row.signals["phase"] == "ended"]
        assert [charge["energy_wh"] for charge in ended] == world.energies, seed
        metered = [payload for action, payload in world.fresh if action == "MeterValues"]
        assert [payload.get("transactionId") for payload in metered][:1] in ([501], [None]), seed
        assert {payload.get("transactionId", 501) for payload in metered} <= set(range(501, 511)), seed
        assert world.mishaps.count == 0
        world.close()


def test_what_waits_is_counted_right_also_where_the_oldest_has_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("firmware_bridge.spool_relay", "firmware_bridge.ocpp.relay.pile_relay"):
        monkeypatch.setattr(f"{module}.MOST_HELD", 2)
    for seed in range(8):
        world = World(tmp_path / str(seed), random.Random(seed), steps=60)
        for _ in range(400):
            world.happen()
        world.settle()
        assert world.relay.waiting == 0
        assert [action for action, _ in world.fresh if action != "MeterValues"] == [
            "StartTransaction", "StopTransaction"
        ] * 20  # fmt: skip
        world.close()


WORDS = (
    ("RemoteStopTransaction", {"transactionId": 501}),
    ("RemoteStartTransaction", {"idTag": TAG, "connectorId": 1}),
    ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {"transactionId": 501, "stackLevel": 1}}),
    ("Reset", {"type": "Soft"}),
    ("DataTransfer", {"vendorId": "x", "data": '{"a":[1]}'}),
)


@pytest.mark.parametrize("frames", [1_000, pytest.param(300_000, marks=pytest.mark.soak)])
def test_nothing_that_pile_or_operator_say_breaks_the_relay(tmp_path: Path, frames: int) -> None:
    rng = random.Random(frames)
    world = World(tmp_path, rng, steps=10**9)
    for number in range(frames):
        world.happen()
        line = world.line()
        if line is not None and line.open and rng.random() < 0.5:
            action, payload = rng.choice(WORDS)
            raw = json.dumps(
                rng.choice(([2, f"o{number}", action, payload], [3, "x", payload], [4, "x", "InternalError", "", {}]))
            )
            line.said(changed(rng, raw).encode("utf-8", "surrogatepass"))
        while world.answers:  # the pile answers what it is asked, nearly
            _, message, *_ = world.answers.popleft()
            world.talk.hear(
                changed(rng, json.dumps([3, message, {"status": "Accepted"}])).encode("utf-8", "surrogatepass")
            )
        world.talk.calls.give_up(1e12)
    assert world.mishaps.count == 0
    world.close()
