"""Any function of the publisher fails: everything held still reaches the gateway, and who is there is told."""

import json
import logging
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge import publisher as publisher_in
from firmware_bridge.calls import CallDesk
from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.presence import Presence
from firmware_bridge.publisher import Publisher
from firmware_bridge.spool import Spool
from gateway.base.mishaps import Mishaps
from gateway.commands import Gate
from gateway.mqtt import Arrivals
from tests.gateway.faults import ERRORS, Fault

ROOMS = ("firmware_bridge/publisher.py", "firmware_bridge/spool.py", "firmware_bridge/presence.py")
DEVICES = ("a", "b", "c")
STEPS = 12
NOW = 1_795_226_400_000


class GatewayBehindIt:
    """A session whose broker has a gateway that confirms what it got without a gap."""

    subscribed = connected = True

    def __init__(self) -> None:
        self.on_connect: Callable[[bool], None] = lambda _: None
        self.on_published: Callable[[int], None] = lambda _: None
        self.online: dict[str, bool] = {}
        self.got: dict[str, set[int]] = {device: set() for device in DEVICES}
        self.boot = ""
        self._mid = 0
        self._taken: list[int] = []

    def poll(self, _timeout_s: float) -> Arrivals | None:
        for mid in self._taken:
            self.on_published(mid)
        self._taken.clear()
        frames = []
        for device, got in self.got.items():
            upto = max(got, default=0)
            if got == set(range(1, upto + 1)) and got:
                frames.append(
                    (f"yz-ack/y/{device}".encode(), b'{"boot":"%b","upto":%d}' % (self.boot.encode(), upto), 0)
                )
        return Arrivals(frames, [], 1)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int:
        _, _, device, which = topic.split("/")
        said = json.loads(payload)
        if which == "availability":
            self.online[device] = said["state"] == "online" if "state" in said else said["online"]
        else:
            self.got[device].add(said["seq"])
        self._mid += 1
        self._taken.append(self._mid)
        return self._mid

    def subscribe(self, _filters: object) -> None:
        pass

    def ack(self, _epoch: int, _mids: object) -> None:
        pass

    def wake(self) -> None:
        pass


def check(folder: Path, patch: pytest.MonkeyPatch, seed: int) -> str:
    dice, now = random.Random(seed), [NOW]
    patch.setattr(publisher_in, "now_ms", lambda: now[0])
    patch.setattr(publisher_in, "steady_ms", lambda: now[0])
    spool, presence, session, mishaps = Spool(folder / str(seed), 1 << 24), Presence(), GatewayBehindIt(), Mishaps()
    session.boot = spool.boot
    publisher = Publisher(
        session, spool, presence, ("y", "box"), 10_000, lambda _: True, Gate(lambda: None, spool),  # type: ignore[arg-type]
        CallDesk("y", "box", lambda: None, lambda: None, lambda _reading: None),
    )  # fmt: skip
    session.on_connect(False)
    fault, poisoned = Fault(ROOMS, dice.randint(1, 80), dice.choice(ERRORS)), dice.randrange(STEPS)
    for step in range(STEPS + 120):
        now[0] += 1_000
        if step < STEPS:
            device = dice.choice(DEVICES)
            presence.heard([device], now[0], 1 << 40)
            publisher.notify(spool.put([Heard((DeviceReading(device, {"occupied": True}),))], now[0]))
        with mishaps.contained("publishing"):  # as the bridge does
            if step == poisoned:
                with fault.inside():
                    publisher.step(0.0)
            else:
                publisher.step(0.0)
    assert spool.devices() == {}, (seed, fault.raised)
    assert session.online == dict.fromkeys({*presence.online(), "box"}, True), (seed, fault.raised)
    spool.close()
    return fault.raised


def test_what_is_held_is_told_whatever_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check(tmp_path, monkeypatch, seed) for seed in range(25)}) > 3


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_thousand_faults_of_the_publisher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check(tmp_path, monkeypatch, seed) for seed in range(1_000, 3_000)}) > 15
