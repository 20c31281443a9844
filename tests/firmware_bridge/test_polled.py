"""One question in flight, each device on its beat, and the silent only in slack: under a clock of the test's own."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.devices.base import DeviceOrder, DeviceReading
from firmware_bridge.polled import Polled, Question, Slave

TIMEOUT_MS, ANSWER_MS = 200, 25


class Echo:
    """Answers what it is asked."""

    def __init__(self, device: str) -> None:
        self.device = device

    def round(self) -> Sequence[Question]:
        name = self.device.encode()
        return (Question(name, lambda heard: heard if heard == name else None),)

    def read(self, answers: list[Any], now: int) -> tuple[DeviceReading, ...]:
        return (DeviceReading(self.device, {"n": now}),)

    def order(self, order: DeviceOrder) -> Question | None:
        return Question(b"do", lambda heard: heard if heard == b"ok" else None) if order.device == "d0" else None


def polls(slaves: int, dead: set[str], interval_ms: int, length_ms: int) -> dict[str, list[int]]:
    """When each device was asked, in ms."""
    talk = Polled([(Echo(f"d{at}"), interval_ms) for at in range(slaves)], TIMEOUT_MS, gap_ms=5)
    talk.opened(0)
    asked: dict[str, list[int]] = {f"d{at}": [] for at in range(slaves)}
    now, answer_at, who = 0, -1, b""
    while now < length_ms:
        if now == answer_at:
            talk.feed(who, now)
        _, said = talk.tick(now)
        if said:
            asked[said.decode()].append(now)
            who, answer_at = said, -1 if said.decode() in dead else now + ANSWER_MS
        now += 1
    return asked


def test_eight_dead_of_32_leave_the_others_on_their_beat_within_ten_percent() -> None:
    dead = {f"d{at}" for at in range(0, 32, 4)}
    asked = polls(32, dead, 2_000, 60_000)
    for device, at in asked.items():
        if device not in dead:
            steady = [moment for moment in at if moment > 6_000]
            gaps = [after - before for before, after in pairwise(steady)]
            assert len(at) >= 28
            assert all(1_800 <= gap <= 2_200 for gap in gaps), (device, gaps)


def test_a_dead_device_is_asked_again_with_growing_pauses_and_never_forgotten() -> None:
    asked = polls(4, {"d1"}, 1_000, 200_000)["d1"]
    gaps = [after - before for before, after in pairwise(asked)]
    assert gaps[0] < gaps[2] < gaps[4]
    assert 50_000 <= max(gaps) <= 62_000


def test_a_bus_without_any_slack_still_asks_the_silent_within_half_a_minute() -> None:
    asked = polls(12, {"d3"}, 300, 100_000)
    assert len(asked["d3"]) >= 2


@settings(max_examples=20)
@given(st.sets(st.integers(0, 7)), st.integers(400, 3_000))
def test_no_living_device_is_ever_starved(dead: set[int], interval_ms: int) -> None:
    asked = polls(8, {f"d{at}" for at in dead}, interval_ms, 20_000)
    for at in set(range(8)) - dead:
        assert len(asked[f"d{at}"]) >= 20_000 // interval_ms - 4


def test_an_order_goes_out_before_the_next_question_and_its_answer_is_no_reading() -> None:
    talk = Polled([(Echo("d0"), 1_000)], TIMEOUT_MS)
    talk.opened(0)
    assert talk.tick(0)[1] == b"d0"
    talk.feed(b"d0", 10)
    assert talk.order(DeviceOrder("d0", "unlock", 500), 11) == b""
    assert talk.order(DeviceOrder("other", "unlock", 500), 11) is None
    assert talk.tick(40)[1] == b"do"
    assert talk.feed(b"ok", 50)[0].readings == ()
    assert talk.tick(talk.deadline())[1] == b""
    assert talk.tick(1_000)[1] == b"d0"


def test_bytes_that_nobody_asked_for_are_no_answer() -> None:
    slave: Slave = Echo("d0")
    talk = Polled([(slave, 1_000)], TIMEOUT_MS)
    talk.opened(0)
    assert talk.feed(b"d0", 0) == ()
    assert talk.health().junk == 2
