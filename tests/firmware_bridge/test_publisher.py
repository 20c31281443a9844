"""From the spool to a real broker and back: order, rate, window, watermarks, commands."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.calls import CallDesk
from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.presence import Presence, steady_ms
from firmware_bridge.publisher import Publisher, will
from firmware_bridge.spool import Spool
from gateway import wire
from gateway.base.clock import now_ms
from gateway.commands import Gate, sign
from gateway.mqtt import Broker, Session, Will
from tests.conftest import Mosquitto
from tests.patience import until

pytestmark = pytest.mark.broker

KEY = b"0123456789abcdef" * 4


class Bench:
    """A publisher on a thread of its own, and a client that plays the gateway."""

    def __init__(self, folder: Path, port: int, rate_per_s: int = 10_000) -> None:
        self.spool, self.presence = Spool(folder, 1 << 24), Presence()
        self.unlocked: list[str] = []
        self.gate = Gate(lambda: KEY, self.spool)
        broker = Broker("127.0.0.1", port)
        topic, payload = will("s1", "box-1", self.spool.boot)
        self.session = Session(broker, "bridge", will=Will(topic, payload), keep=False)
        self.publisher = Publisher(
            self.session, self.spool, self.presence, ("s1", "box-1"), rate_per_s, self._unlock,
            self.gate, CallDesk("s1", "box-1", lambda: KEY, self.session.wake, lambda _reading: None),
        )  # fmt: skip
        self.gateway = Session(broker, "gateway", filters=["yz/#"], keep=False)
        self.got: list[tuple[str, dict[str, Any]]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _unlock(self, device: str) -> bool:
        self.unlocked.append(device)
        return device == "door-1"

    def _run(self) -> None:
        while not self._stop.is_set():
            self.publisher.step(0.02)

    def start(self) -> "Bench":
        until(lambda: self.look() is not None and self.gateway.subscribed)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(60)
        self.session.close()
        self.gateway.close()
        self.spool.close()

    def put(self, *heard: Heard) -> None:
        self.publisher.notify(self.spool.put(heard, now_ms()))

    def look(self) -> list[tuple[str, dict[str, Any]]]:
        arrivals = self.gateway.poll(0.02)
        for topic, payload, _ in arrivals.frames if arrivals else ():
            self.got.append((topic.decode(), json.loads(payload)))
        if arrivals:
            self.gateway.ack(arrivals.epoch, arrivals.mids)
        return self.got

    def seqs(self, device: str) -> list[int]:
        return [body["seq"] for topic, body in self.look() if topic.startswith(f"yz/s1/{device}/") and "seq" in body]

    def cover(self, device: str, upto: int, *, boot: str | None = None) -> None:
        body = json.dumps({"boot": boot or self.spool.boot, "upto": upto}).encode()
        self.gateway.publish(f"yz-ack/s1/{device}", body, retain=True)


def state(device: str, n: int = 0) -> Heard:
    return Heard((DeviceReading(device, {"people": n}),), (device,))


@pytest.fixture
def bench(tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []
    broker = mosquitto_of()

    def make(**options: Any) -> Bench:
        made.append(Bench(tmp_path, broker.port, **options))
        return made[-1]

    yield make
    for running in made:
        running.stop()


def test_messages_go_out_in_the_native_dialect_and_leave_the_spool_when_covered(bench: Callable[..., Bench]) -> None:
    box = bench().start()
    box.put(state("a", 1), Heard((DeviceReading("a", {"card": "00ff", "granted": True}, "card"),)))
    until(lambda: box.seqs("a") == [1, 2])
    (_, first), (topic, second) = [message for message in box.got if message[0].startswith("yz/s1/a/")]
    assert first == {"ts": first["ts"], "boot": box.spool.boot, "seq": 1, "oldest": 1, "people": 1}
    assert topic == "yz/s1/a/event"
    assert wire.read_event(json.dumps(second).encode()).granted is True
    box.cover("a", 1)
    until(lambda: box.look() and box.spool.oldest("a") == 2)
    box.cover("a", 2, boot="another")
    box.cover("a", 2)
    until(lambda: box.look() and box.spool.oldest("a") is None)


def test_a_false_watermark_costs_nothing_that_the_broker_has_not(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware_bridge.publisher.WINDOW", 20)
    box = bench()
    until(lambda: box.look() is not None and box.gateway.subscribed)
    box.cover("a", 2**53)
    box.spool.put([state("a", n) for n in range(60)], 0)
    box.publisher._watermark(b"yz-ack/s1/a", json.dumps({"boot": box.spool.boot, "upto": 2**53}).encode(), now_ms())
    assert box.spool.oldest("a") == 1, "the broker has none of them"
    box.publisher.notify(["a"])
    box.start()
    until(lambda: box.look() and box.spool.oldest("a") is None)
    until(lambda: len(set(box.seqs("a"))) == 60)


def test_a_watermark_from_before_a_restart_holds_once_the_broker_has_the_messages(bench: Callable[..., Bench]) -> None:
    box = bench()
    until(lambda: box.look() is not None and box.gateway.subscribed)
    box.spool.put([state("a", n) for n in range(9)], 0)
    box.cover("a", 5)
    box.publisher.notify(["a"])
    box.start()
    until(lambda: box.look() and box.spool.oldest("a") == 6)
    until(lambda: set(box.seqs("a")) == set(range(1, 10)))


def test_a_backlog_goes_out_in_order_at_the_bounded_rate(bench: Callable[..., Bench]) -> None:
    box = bench(rate_per_s=200)
    box.spool.put([state("a", n) for n in range(250)], 0)
    box.publisher.notify(["a"])
    box.start()
    begin = time.monotonic()
    until(lambda: len(box.seqs("a")) == 250)
    assert time.monotonic() - begin > 0.2  # a second's worth at once, the rest at the rate
    assert box.seqs("a") == list(range(1, 251))


def test_a_device_that_nobody_confirms_stops_at_its_window_and_holds_no_other_up(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware_bridge.publisher.WINDOW", 20)
    box = bench().start()
    box.put(*(state("ghost", n) for n in range(100)))
    until(lambda: len(box.seqs("ghost")) == 20)
    box.put(state("a"))
    until(lambda: box.seqs("a") == [1])
    assert len(box.seqs("ghost")) == 20
    box.cover("ghost", 10)
    until(lambda: len(box.seqs("ghost")) == 30)


def test_a_device_is_3000_messages_ahead_of_its_watermark_at_most(bench: Callable[..., Bench]) -> None:
    box = bench().start()
    box.put(*(state("ghost", n) for n in range(3_001)))
    until(lambda: len(box.seqs("ghost")) == 3_000)
    box.put(state("a"))
    until(lambda: box.seqs("a") == [1])
    assert len(box.seqs("ghost")) == 3_000


def test_a_gateway_that_is_back_gets_again_what_it_has_not_confirmed(bench: Callable[..., Bench]) -> None:
    box = bench().start()
    box.put(*(state("a", n) for n in range(5)))
    until(lambda: len(box.seqs("a")) == 5)
    box.cover("a", 2)
    until(lambda: box.look() and box.spool.oldest("a") == 3)
    box.gateway.publish("yz-sys/gw", b'{"state":"online"}', retain=True)
    until(lambda: box.seqs("a") == [1, 2, 3, 4, 5, 3, 4, 5])
    box.gateway.publish("yz-sys/gw", b'{"state":"offline"}', retain=True)
    box.gateway.publish("yz-sys/gw", b'{"state":"online"}', retain=True)
    until(lambda: box.seqs("a")[8:] == [3, 4, 5])


def test_what_is_not_confirmed_for_long_is_sent_again(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware_bridge.publisher.RESEND_MS", (300, 900_000))
    box = bench().start()
    box.put(state("a"))
    until(lambda: len(box.seqs("a")) >= 2)
    assert set(box.seqs("a")) == {1}


def test_readings_dropped_for_want_of_room_are_told_by_the_lowest_number_still_held(
    bench: Callable[..., Bench],
) -> None:
    box = bench()
    box.spool._max = 3_000
    for n in range(60):
        box.spool.put([state("a", n)], n)
    lowest = box.spool.oldest("a")
    assert lowest is not None
    assert lowest > 1
    box.start()
    until(lambda: box.seqs("a") and box.seqs("a")[-1] == 60)
    assert {body["oldest"] for topic, body in box.got if topic == "yz/s1/a/state"} == {lowest}


def test_after_a_broker_restart_everything_not_covered_goes_again(
    tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]
) -> None:
    broker = mosquitto_of("persistence false")
    box = Bench(tmp_path, broker.port).start()
    try:
        box.put(state("a"), state("a"))
        until(lambda: box.seqs("a") == [1, 2])
        broker.kill()
        until(lambda: box.look() and not box.gateway.connected and not box.session.connected)
        broker.start()
        until(lambda: box.seqs("a") and box.gateway.subscribed)
        box.gateway.publish("yz-sys/gw", b'{"state":"online"}', retain=True)
        until(lambda: len(box.seqs("a")) >= 4)
        assert box.seqs("a")[-2:] == [1, 2]
    finally:
        box.stop()


def test_presence_is_retained_and_said_again_on_a_new_connection(bench: Callable[..., Bench]) -> None:
    box = bench().start()
    box.presence.heard(["a"], steady_ms(), 200)
    box.publisher.notify(())
    until(
        lambda: (
            [body["state"] for topic, body in box.look() if topic == "yz/s1/a/availability"] == ["online", "offline"]
        )
    )
    assert ("yz/s1/box-1/availability", {"state": "online", "boot": box.spool.boot}) in box.got


def command(nonce: str, topic: str = "yz-cmd/s1/door-1/unlock", *, in_ms: int = 5_000, key: bytes = KEY) -> bytes:
    text = {"nonce": nonce.ljust(16, "0"), "expires": now_ms() + in_ms, "by": "li"}
    return sign(key, topic, json.dumps(text).encode())


def test_a_remote_unlock_is_done_once_soon_or_never_and_what_was_done_is_told(bench: Callable[..., Bench]) -> None:
    box = bench().start()
    until(lambda: box.session.subscribed)
    good = command("nonce-0001")
    late, far = command("nonce-0002", in_ms=-1), command("nonce-0003", in_ms=999_999)
    forged, moved = command("nonce-0004", key=b"f" * 64), command("nonce-0005", "yz-cmd/s1/door-2/unlock")
    for payload in (good, good, late, far, forged, moved, b"{}", b'{"nonce": "nonce-0006000000", "expires": 1}'):
        box.gateway.publish("yz-cmd/s1/door-1/unlock", payload)
    box.gateway.publish("yz-cmd/s1/door-9/unlock", command("nonce-0007", "yz-cmd/s1/door-9/unlock"))

    def audit() -> list[tuple[str, bool, str, str]]:
        return [
            (topic.split("/")[2], body["granted"], body["reason"], body["by"])
            for topic, body in box.look()
            if body.get("type") == "command"
        ]

    until(lambda: len(audit()) == 2)
    assert sorted(audit()) == [("door-1", True, "", "li"), ("door-9", False, "no_such_door", "li")]
    assert box.unlocked == ["door-1", "door-9"]
    refused = ["expired", "repeated", "too_far_ahead", "unsigned", "unsigned", "wrong_signature", "wrong_signature"]
    assert sorted(box.gate.refused.elements()) == refused


def test_a_retained_unlock_that_waits_at_the_broker_is_never_done(bench: Callable[..., Bench]) -> None:
    box = bench()
    until(lambda: box.look() is not None and box.gateway.subscribed)
    box.gateway.publish("yz-cmd/s1/door-1/unlock", command("nonce-0006"), retain=True)
    box.start()
    until(lambda: box.gate.refused["retained"])
    assert box.unlocked == []
