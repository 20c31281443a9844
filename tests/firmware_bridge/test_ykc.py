"""YKC piles: a talk over bare frames, and a made-up pile on a real line over a real spool."""

import random
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.schema.bridge import BusSettings
from firmware_bridge import protocols
from firmware_bridge.devices import ykc_frames as frames
from firmware_bridge.devices.base import Heard
from firmware_bridge.devices.ykc import AGAIN_MS, HOLDS_MS, Ykc
from firmware_bridge.door import Doors, Rules
from firmware_bridge.emulator.ocpp.plugs import Happening
from firmware_bridge.emulator.ykc import VirtualYkcPile, YkcPileThread
from firmware_bridge.protocols.base import NotConfiguredError
from firmware_bridge.tcp import TcpBus
from gateway.base.clock import now_ms
from tests.firmware_bridge.ocpp.rig import SpoolSink
from tests.patience import until

PILE, NOW = "32010600019236", 1_795_262_400_000
NEVER = {0x32, 0x34, 0x36, 0x52, 0x58, 0x61, 0x92, 0x94}
"""Starts, stops, settings, tariffs by command, locks, reboots and upgrades."""


def talk() -> Ykc:
    return Ykc({(PILE, 1): "pile-1", (PILE, 2): "pile-2"})


def pile() -> VirtualYkcPile:
    made = VirtualYkcPile(PILE, 2, speed=0)
    made.dialled(0)
    return made


def answers(heard: Any) -> list[int]:
    replies = b"".join(frame.reply for frame in heard)
    return [frames.parse(raw).kind for raw in frames.scanner().feed(replies)]


def told(heard: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(reading.device, reading.signals) for frame in heard for reading in frame.readings]


def state(made: VirtualYkcPile, gun: int, status: str, power_w: float = 0.0) -> bytes:
    plug = made.plugs[gun - 1]
    plug.status, plug.charging, plug.power_w = status, status == "Charging", power_w
    return made.state(plug)


def test_a_pile_that_logs_in_gets_its_clock_and_is_read() -> None:
    made, platform = pile(), talk()
    heard = platform.feed(made.dialled(0), NOW)
    assert answers(heard) == [frames.LOGIN_ANSWER, frames.SET_TIME, frames.READ_REALTIME, frames.READ_REALTIME]
    assert told(heard) == []
    heard_then = platform.feed(made.heard(heard[0].reply), NOW)
    assert made.clock == NOW
    free = {"status": "Available", "error": "", "power_w": 0.0}
    assert told(heard_then) == [("pile-1", free | {"firmware": "V4.1.50"}), ("pile-2", free | {"firmware": "V4.1.50"})]
    assert told(platform.feed(state(made, 1, "Available"), NOW + AGAIN_MS)) == [("pile-1", free)]


@pytest.mark.parametrize("high_first", [False, True])
def test_what_a_gun_is_stands_in_the_words_of_a_charger(high_first: bool) -> None:
    made, platform = pile(), talk()
    made.high_first = high_first
    words = [
        ("Available", {"status": "Available", "error": "", "power_w": 0.0}),
        ("Preparing", {"status": "Occupied", "error": "", "power_w": 0.0}),
        ("Charging", {"status": "Charging", "error": "", "power_w": 7600.0, "energy_wh": 0.0}),
        ("Faulted", {"status": "Faulted", "error": "emergency_stop", "power_w": 0.0}),
    ]
    for word, signals in words:
        heard = platform.feed(state(made, 1, word, 7_600.0), NOW)
        assert [said for said in told(heard) if said[1].get("phase") is None] == [("pile-1", signals)]
        assert heard[0].devices == ("pile-1", "pile-2")


def test_a_fault_by_heartbeat_overrules_a_state_until_it_is_over() -> None:
    made, platform = pile(), talk()
    platform.feed(state(made, 1, "Available"), NOW)
    at_fault, well = (
        frames.build(frames.HEARTBEAT, b"\1\0", bytes.fromhex(PILE) + b"\1" + flag) for flag in (b"\1", b"\0")
    )
    assert told(platform.feed(at_fault, NOW + 1))[0][1]["status"] == "Faulted"
    assert told(platform.feed(state(made, 1, "Available"), NOW + 2)) == []
    assert told(platform.feed(well, NOW + 3))[0][1]["status"] == "Available"


def test_a_state_is_told_again_while_it_holds_and_not_longer() -> None:
    made, platform = pile(), talk()
    beat = frames.build(frames.HEARTBEAT, b"\1\0", bytes.fromhex(PILE) + b"\1\0")
    platform.feed(state(made, 1, "Available"), NOW)
    assert told(platform.feed(beat, NOW + AGAIN_MS - 1)) == []
    assert told(platform.feed(beat, NOW + AGAIN_MS)) == [
        ("pile-1", {"status": "Available", "error": "", "power_w": 0.0})
    ]
    assert told(platform.feed(beat, NOW + HOLDS_MS - 1)) != []
    assert told(platform.feed(beat, NOW + HOLDS_MS + AGAIN_MS)) == []


def test_a_pile_without_a_tariff_gets_one_and_stays_on_line() -> None:
    platform, number = talk(), bytes.fromhex(PILE)
    none = platform.feed(frames.build(frames.TARIFF_CHECK, b"\7\0", number + b"\0\0"), NOW)
    some = platform.feed(frames.build(frames.TARIFF_CHECK, b"\7\0", number + b"\1\0"), NOW)
    asked = platform.feed(frames.build(frames.TARIFF, b"\x08\0", number), NOW)
    assert none[0].reply == frames.build(frames.TARIFF_CHECK_ANSWER, b"\7\0", number + b"\0\0\1")
    assert some[0].reply == frames.build(frames.TARIFF_CHECK_ANSWER, b"\7\0", number + b"\1\0\0")
    (answer,) = [frames.parse(raw) for raw in frames.scanner().feed(asked[0].reply)]
    assert (answer.kind, answer.sequence, len(answer.body)) == (frames.TARIFF_ANSWER, b"\x08\0", 90)
    assert not any(answer.body[9:])


@pytest.mark.parametrize(
    ("kind", "body", "event", "signals"),
    [
        (frames.STARTED, bytes(16) + bytes.fromhex(PILE) + b"\2\1\0", "start_result", {"granted": True, "reason": ""}),
        (frames.STOPPED, bytes.fromhex(PILE) + b"\2\0\3", "stop_result", {"granted": False, "reason": "ykc_03"}),
    ],
)
def test_the_result_of_a_start_or_stop_is_told_as_an_event(
    kind: int, body: bytes, event: str, signals: dict[str, Any]
) -> None:
    (heard,) = talk().feed(frames.build(kind, b"\1\0", body), NOW)
    assert [(reading.device, reading.event, reading.signals) for reading in heard.readings] == [
        ("pile-2", event, signals)
    ]
    assert heard.reply == b""
    assert talk().feed(frames.build(kind, b"\1\0", body[:-1]), NOW)[0].readings == ()


def test_who_is_not_configured_is_refused_and_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    platform, stranger = talk(), VirtualYkcPile("55031412782305", 1, speed=0)
    heard = platform.feed(stranger.dialled(0), NOW)
    assert (told(heard), [frame.devices for frame in heard]) == ([], [()])
    assert frames.scanner().feed(heard[0].reply)[0][-3] == 1
    assert platform.feed(stranger.tick(1), NOW) == []
    encrypted = bytearray(frames.build(frames.REALTIME, b"\1\0", bytes(60)))
    assert platform.feed(bytes(encrypted), NOW) == []
    assert caplog.text.count("is refused") == 1


@dataclass
class Line:
    sink: SpoolSink
    pile: VirtualYkcPile


@contextmanager
def dialled(folder: Path, made: VirtualYkcPile) -> Iterator[Line]:
    settings = BusSettings.model_validate(
        {
            "id": "piles", "port": "tcp://127.0.0.1:0", "protocol": "ykc",
            "devices": [{"device": f"pile-{gun}", "address": int(PILE), "connector": gun} for gun in (1, 2)],
        }
    )  # fmt: skip
    sink, stop = SpoolSink(folder), threading.Event()
    doors = Doors(Rules())
    bus = TcpBus("piles", ("127.0.0.1", 0), lambda: protocols.build(settings, doors), sink, 45_000, stop)
    threads = [threading.Thread(target=bus.run)]
    threads[0].start()
    try:
        threads.append(YkcPileThread(made, until(lambda: bus.bound, "listening"), stop))
        threads[1].start()
        yield Line(sink, made)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        sink.spool.close()


@pytest.mark.parametrize("high_first", [False, True])
def test_a_charge_is_kept_once_with_its_exact_energy_and_then_confirmed(tmp_path: Path, high_first: bool) -> None:
    made = VirtualYkcPile(PILE, 2, seed=3, speed=3_000, high_first=high_first)
    with dialled(tmp_path, made) as line:
        until(lambda: len(line.sink.transactions("pile-1")) > 1, "two charges that are over")
        until(lambda: made.answers[frames.RECORD_ANSWER] > 1 and not made.records, "they are confirmed")
        assert {"pile-1", "pile-2"} <= line.sink.online
        charges = line.sink.transactions("pile-1")
        begun = line.sink.transactions("pile-1", "started")
    for charge in charges:
        assert charge["energy_wh"] == pytest.approx(charge["meter_stop"] - charge["meter_start"])
        assert charge["energy_wh"] > 0
        assert charge["started_at"] <= charge["ended_at"] <= now_ms()
        assert charge["reason"] == "ykc_41"
    numbers = [charge["transaction"] for charge in charges]
    assert len(set(numbers)) == len(numbers)
    assert {told_charge["transaction"] for told_charge in begun} & set(numbers)
    assert not NEVER & set(made.answers)
    spool = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"VIN-OF-SOMEBODY" not in spool
    assert b"CARDCARD" not in spool


def test_a_record_that_is_repeated_is_confirmed_and_kept_once(tmp_path: Path) -> None:
    made = pile()
    made.deaf = True
    plug = made.plugs[0]
    with dialled(tmp_path, made) as line:
        until(lambda: line.sink.signals("pile-1").get("status") == "Available", "a word")
        plug.energy_wh = 500.0
        made.happens(plug, Happening("started", 1))
        plug.energy_wh = 1_734.5
        made.happens(plug, Happening("stopped", 1))
        until(lambda: line.sink.transactions("pile-1"), "the record")
        for _ in range(3):
            answered = made.answers[frames.RECORD_ANSWER]
            made._record_at = 0.0
            until(lambda answered=answered: made.answers[frames.RECORD_ANSWER] > answered, "another answer")
        (charge,) = line.sink.transactions("pile-1")
    assert (charge["meter_start"], charge["meter_stop"], charge["energy_wh"]) == (500.0, 1_734.5, 1_234.5)


def test_a_record_by_a_wrong_clock_ends_now_and_lasted_as_long_as_it_says(tmp_path: Path) -> None:
    made, platform = pile(), talk()
    plug = made.plugs[1]
    made.happens(plug, Happening("started", 2))
    made.happens(plug, Happening("stopped", 2))
    _, body = made.records[0]
    long_ago = NOW - 4_000 * 86_400_000
    wrong = body[:24] + frames.time_of(long_ago) + frames.time_of(long_ago + 600_000) + body[38:]
    sink = SpoolSink(tmp_path)
    sink.store(platform.feed(frames.build(frames.RECORD, b"\1\0", wrong), NOW), NOW)
    (charge,) = sink.transactions("pile-2")
    sink.spool.close()
    assert (charge["started_at"], charge["ended_at"]) == (NOW - 600_000, NOW)


@pytest.mark.parametrize(
    ("device", "why"),
    [
        ({"address": "123456789012345"}, "up to 14 digits"),
        ({"address": "CP-1"}, "up to 14 digits"),
        ({"address": "1", "connector": 0}, "1 to 99"),
        ({"address": "1", "connector": "A"}, "1 to 99"),
    ],
)
def test_a_number_that_no_pile_can_have_is_told(device: dict[str, Any], why: str) -> None:
    settings = {"id": "p", "port": "tcp://0.0.0.0:8767", "protocol": "ykc", "devices": [{"device": "d"} | device]}
    with pytest.raises(NotConfiguredError, match=why):
        protocols.build(BusSettings.model_validate(settings), Doors(Rules()))


def fuzzed(count: int) -> int:
    """Feed so many frames, most of them sound with any body, and look at all that is told. Gives the bytes kept."""
    source, platform = random.Random("ykc"), talk()
    known = [frames.LOGIN, frames.HEARTBEAT, frames.TARIFF_CHECK, frames.TARIFF, frames.STARTED, frames.STOPPED]
    kinds = [*known, frames.REALTIME, frames.RECORD]
    number = bytes.fromhex(PILE)
    for at in range(count):
        kind = source.choice(kinds) if source.random() < 0.9 else source.randrange(256)
        body = bytearray(source.randbytes(source.randrange(0, 197)))
        place = 16 if kind in (frames.REALTIME, frames.RECORD, frames.STARTED) else 0
        body[place : place + 7] = number
        if kind == frames.REALTIME and len(body) > 26:
            body[23:27] = bytes(source.choice((1, 2, 3)) for _ in range(4))
        frame = bytearray(frames.build(kind, source.randbytes(2), bytes(body[:196])))
        if source.random() < 0.3:
            frame[source.randrange(len(frame))] = source.randrange(256)
        heard = platform.feed(bytes(frame) + source.randbytes(source.randrange(0, 3)), NOW + at)
        assert not NEVER & set(answers(heard))
        for frame_heard in heard:
            check(frame_heard, bytes(frame))
    return len(platform.reader._rest)


def check(heard: Heard, frame: bytes) -> None:
    """Nothing that is told is out of reach, and free is only what says so."""
    for reading in heard.readings:
        assert reading.device in ("pile-1", "pile-2")
        assert 0 <= float(reading.signals.get("power_w") or 0) <= 1e6
        if reading.signals.get("status") == "Available" and frame[5] == frames.REALTIME:
            said = frames.realtime(frames.parse(frame).body)
            assert said is not None
            assert (said.status, said.plugged) == (frames.IDLE, False)


def test_fuzzed_frames_neither_raise_nor_start_anything() -> None:
    assert fuzzed(5_000) <= 204


@pytest.mark.soak
def test_a_million_fuzzed_frames_leave_nothing_behind() -> None:
    fuzzed(10_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert fuzzed(1_000_000) <= 204
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16_384  # KiB
