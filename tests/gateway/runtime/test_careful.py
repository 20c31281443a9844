"""After starts that ended early messages are handled singly, each marked until all that follows from it is done."""

from pathlib import Path

import pytest

from gateway.mqtt.reader import Arrivals
from gateway.runtime.careful import CarefulStart
from gateway.runtime.starts import GUILTY, MARK, PLAIN, SETTLED_S, Starts
from tests.gateway.runtime.desk import FEW, Desk
from tests.gateway.world import NOON, Town

SEATS = [{"id": "seat-1", "kind": "seat"}]
FRAMES = [(b"yz/yanshan/seat-1/state", b'{"boot":"b","seq":%d,"occupied":true}' % seq, 0) for seq in range(3)]


@pytest.fixture
def town() -> Town:
    return Town(*SEATS)


def started(folder: Path, town: Town, early: int = PLAIN + 1) -> CarefulStart:
    for _ in range(early):
        starts = Starts.begin(folder, "1.0", NOON)
    return CarefulStart(starts, town.pipeline)


def under_way(folder: Path) -> bool:
    return (folder / MARK).exists() and bool((folder / MARK).read_bytes().strip())


def test_each_waits_for_the_one_before_and_the_last_carries_the_acknowledgements(tmp_path: Path, town: Town) -> None:
    careful = started(tmp_path, town)
    assert careful.singly
    careful.put(Arrivals(FRAMES, [7, 8, 9], 4))
    taken = [careful.next() for _ in range(4)]
    assert taken == [([FRAMES[0]], 4, []), ([FRAMES[1]], 4, []), ([FRAMES[2]], 4, [7, 8, 9]), None]
    assert careful.bytes == 0


def test_one_is_marked_until_the_next_is_asked_for_or_the_disk_keeps_it_waiting(tmp_path: Path, town: Town) -> None:
    careful = started(tmp_path, town)
    careful.put(Arrivals(FRAMES, [], 1))
    for _ in range(2):
        some = careful.next()
        assert some is not None
        assert not under_way(tmp_path)
        assert careful.without_those_that_ended_us(some[0], NOON) == some[0]
        assert under_way(tmp_path)
    careful.acquit()
    assert not under_way(tmp_path)


def test_the_guilty_one_is_set_aside_and_counted_and_the_others_are_handled(tmp_path: Path, town: Town) -> None:
    started(tmp_path, town, PLAIN)
    for _ in range(GUILTY):
        started(tmp_path, town, 1).without_those_that_ended_us(FRAMES[1:2], NOON)
    careful = started(tmp_path, town, 1)
    assert careful.without_those_that_ended_us(FRAMES, NOON) == [FRAMES[0], FRAMES[2]]
    (rejected,) = town.pipeline.outcome.rejected
    assert (rejected.payload, rejected.reason) == (FRAMES[1][1], "internal_error")
    assert town.pipeline.quarantined == {"internal_error": 1}
    assert town.device("seat-1").seen.upto() == 1  # its number counts as seen: the device need not send it again


def test_a_start_has_gone_well_a_minute_after_messages_can_come(tmp_path: Path, town: Town) -> None:
    careful = started(tmp_path, town)
    careful.settle(0.0, subscribed=False)
    careful.settle(10 * SETTLED_S, subscribed=False)
    careful.settle(20 * SETTLED_S, subscribed=True)
    careful.settle(21 * SETTLED_S - 1, subscribed=True)
    assert careful.singly
    careful.settle(21 * SETTLED_S, subscribed=True)
    assert careful.settled
    assert not careful.singly


def test_what_still_waits_is_handled_singly_before_a_start_has_gone_well(tmp_path: Path, town: Town) -> None:
    careful = started(tmp_path, town)
    careful.put(Arrivals(FRAMES[:1], [], 1))
    careful.settle(0.0, subscribed=True)
    careful.settle(SETTLED_S, subscribed=True)
    assert not careful.settled
    careful.next()
    careful.settle(2 * SETTLED_S, subscribed=True)
    assert careful.settled


def test_a_start_that_nothing_preceded_handles_all_at_once(tmp_path: Path, town: Town) -> None:
    careful = started(tmp_path, town, 1)
    assert not careful.singly
    assert careful.without_those_that_ended_us(FRAMES, NOON) is FRAMES
    assert not (tmp_path / MARK).exists()


def test_a_careful_start_takes_few_at_a_time_from_the_broker_so_it_stays_there_and_ends_in_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(PLAIN):
        Starts.begin(tmp_path, "test", NOON)
    station = {"id": "yanshan", "hours": "24/7", "areas": [{"id": "lounge", "resources": SEATS}]}
    desk = Desk(tmp_path, monkeypatch, [station])
    backlog = 500
    for number in range(backlog):
        desk.say("yanshan", "seat-1", occupied=bool(number % 2))
    most = 0
    for turns in range(1, 200):
        desk.turn()
        most = max(most, len(desk.intake._careful))
        assert len(desk.session.coming) >= backlog - turns - FEW
    assert most == FEW  # what is read is handled before more is read
    assert desk.session.coming
    desk.turn(int(1000 * SETTLED_S) + 1)
    while desk.intake._careful:
        desk.turn()
    desk.turn()
    desk.turn()
    assert not desk.intake._careful.singly  # though much waits at the broker still
    assert desk.session.coming == []
    assert desk.session.acknowledged == list(range(1, backlog + 1))
    desk.close()
