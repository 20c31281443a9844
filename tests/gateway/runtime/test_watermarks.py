"""When which device is told what."""

from itertools import pairwise

import pytest

from gateway.live import Device
from gateway.runtime.watermarks import A_TURN, GAP_S, Watermarks

INTERVAL_S = 5.0


def _device(number: int = 0, upto: int = 7) -> Device:
    device = Device("yanshan", f"seat-{number}", [], lambda _payload: None)
    device.seen.admit("b", upto, None)
    device.owed = True
    return device


@pytest.fixture
def marks() -> Watermarks:
    return Watermarks(INTERVAL_S)


def test_a_device_is_told_once_the_interval_is_over(marks: Watermarks) -> None:
    device = _device()
    marks.heard([device], 100.0)
    assert marks.take(104.9) == []
    assert marks.due(105.0)
    assert marks.take(105.0) == [("yz-ack/yanshan/seat-0", b'{"boot":"b","upto":7}')]
    assert not device.owed
    assert marks.take(200.0) == []


def test_what_was_told_is_not_told_again_unless_it_may_be_lost(marks: Watermarks) -> None:
    device = _device()
    marks.heard([device], 0.0)
    assert len(marks.take(10.0)) == 1
    device.owed = True
    marks.heard([device], 10.0)
    assert marks.take(20.0) == [], "nothing new"
    marks.again([device], 20.0)
    assert len(marks.take(20.0)) == 1


def test_no_device_is_told_twice_within_a_second_but_all_of_it_in_the_end(marks: Watermarks) -> None:
    device = _device()
    marks.heard([device], 0.0)
    marks.take(5.0)
    device.seen.admit("b", 8, None)
    marks.again([device], 5.1)
    assert marks.take(5.1) == []
    assert marks.take(5.1 + GAP_S) == [("yz-ack/yanshan/seat-0", b'{"boot":"b","upto":8}')]
    device.seen.admit("b", 9, None)
    device.owed = True
    marks.heard([device], 6.4)
    assert marks.last(6.5) == [("yz-ack/yanshan/seat-0", b'{"boot":"b","upto":9}')]


def test_many_at_once_are_told_in_turns_and_none_is_forgotten(marks: Watermarks) -> None:
    marks.heard([_device(number) for number in range(2 * A_TURN + 5)], 0.0)
    told = [marks.take(5.0) for _ in range(4)]
    assert [len(turn) for turn in told] == [A_TURN, A_TURN, 5, 0]
    assert len({topic for turn in told for topic, _ in turn}) == 2 * A_TURN + 5


def test_a_device_without_numbers_is_never_told(marks: Watermarks) -> None:
    device = Device("yanshan", "seat-0", [], lambda _payload: None)
    marks.heard([device], 0.0)
    marks.again([device], 0.0)
    assert marks.take(9.0) == []


def test_a_slow_commit_brings_no_two_watermarks_together(marks: Watermarks) -> None:
    device = _device()
    marks.heard([device], 0.0)
    assert len(marks.take(5.0)) == 1
    marks.sent(8.0)
    device.seen.admit("b", 8, None)
    marks.again([device], 8.1)
    assert marks.take(8.2) == []
    assert len(marks.take(8.2 + GAP_S)) == 1


def test_a_device_that_comes_back_for_ever_waits_once_and_is_told_all_the_same(marks: Watermarks) -> None:
    device, told = _device(), []
    for step in range(1000):  # ten seconds
        moment = step / 100
        device.seen.admit("b", 8 + step, None)
        if not device.owed:
            device.owed = True
            marks.heard([device], moment)
        marks.again([device], moment)
        told += [moment] * len(marks.take(moment))
    assert sum(len(devices) for _, _, devices, _ in marks._heap) < 10
    assert [round(later - earlier, 2) >= GAP_S for earlier, later in pairwise(told)] == [True] * (len(told) - 1)
    assert len(told) == 8
    assert len(marks.last(20.0)) == 1
