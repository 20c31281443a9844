"""Of what shards that end and those that begin both hear, each message is one side's, in whatever order it comes."""

from collections import Counter, deque
from collections.abc import Sequence
from random import Random

import pytest

from gateway.model import DUP, QOS1, RETAINED
from gateway.mqtt import parting as module
from gateway.mqtt.parting import GRACE_S, LATE_S, LOST_S, QUIET_S, Parting
from gateway.mqtt.reader import Frame


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [0.0]
    monkeypatch.setattr(module, "monotonic_s", lambda: moment[0])
    return moment


def said(word: str, flags: int = QOS1, station: str = "north") -> Frame:
    return f"yz/{station}/seat/state".encode(), word.encode(), flags


def cut(parting: Parting, clock: list[float]) -> None:
    clock[0] += LATE_S + QUIET_S + 1
    assert parting.caught_up()
    parting.cut()


def test_before_the_cut_the_ending_ones_take_all_and_the_beginning_ones_drop_all(clock: list[float]) -> None:
    parting = Parting()
    frames = [said("1"), said("1"), said("2", 0), said("3", RETAINED)]
    assert parting.takes("old", frames) == [True] * 4
    assert parting.drops("new", frames) == [True] * 4


def test_after_it_what_neither_has_had_waits_for_the_new_ones(clock: list[float]) -> None:
    parting = Parting()
    cut(parting, clock)
    assert parting.takes("old", [said("1")]) == [False]
    assert parting.drops("new", [said("1")]) == [False]
    assert parting.parted


def test_what_was_dropped_the_ending_ones_take_still_and_it_is_not_parted_before(clock: list[float]) -> None:
    parting = Parting()
    cut_with(parting, clock, dropped=[said("1"), said("1")])
    assert not parting.parted
    assert parting.takes("old", [said("2"), said("1")]) == [False, True]
    assert not parting.parted
    assert parting.takes("old", [said("1"), said("1")]) == [True, False]  # equal ones are counted
    assert parting.parted


def test_what_was_taken_the_beginning_ones_drop_still_or_leave_after_a_while(clock: list[float]) -> None:
    parting = Parting()
    cut_with(parting, clock, taken=[said("1"), said("2")])
    assert parting.drops("new", [said("3"), said("1"), said("1")]) == [False, True, False]
    assert not parting.parted
    clock[0] += GRACE_S + 1
    assert parting.parted


def cut_with(
    parting: Parting, clock: list[float], *, taken: Sequence[Frame] = (), dropped: Sequence[Frame] = ()
) -> None:
    """The other side has not heard these when it comes."""
    clock[0] += LATE_S + QUIET_S + 1
    assert parting.caught_up()
    parting.takes("old", taken)
    parting.drops("new", dropped)
    parting.cut()


def test_what_waited_for_the_ending_ones_puts_the_cut_off_until_it_has_all_come(clock: list[float]) -> None:
    parting = Parting()
    for second in range(20):  # the new sessions never hear of these
        clock[0] = second
        parting.takes("old", [said(f"waited {second}")])
        assert not parting.caught_up()
    clock[0] += LATE_S
    assert not parting.caught_up()
    clock[0] += QUIET_S + 1
    assert parting.caught_up()


def test_devices_that_go_on_don_t_put_it_off(clock: list[float]) -> None:
    parting = Parting()
    for second in range(20):
        clock[0] = second
        parting.takes("old", [said(f"live {second}")])
        parting.drops("new", [said(f"live {max(0, second - 1)}", QOS1 if second else 0)])
    assert parting.caught_up()


def test_one_that_lags_behind_puts_it_off(clock: list[float]) -> None:
    parting = Parting()
    parting.drops("new", [said("1")])
    clock[0] = LATE_S + QUIET_S + 1
    assert not parting.caught_up()
    parting.takes("old", [said("1")])
    assert parting.caught_up()


def test_what_no_ending_one_gets_is_counted_and_not_waited_for(clock: list[float]) -> None:
    parting = Parting()
    cut_with(parting, clock, dropped=[said("1")])
    clock[0] += LOST_S + 1
    assert parting.parted
    assert parting.lost == 1


def test_what_comes_again_counts_once(clock: list[float]) -> None:
    parting = Parting()
    parting.takes("old", [said("1"), said("1", QOS1 | DUP)])
    parting.drops("new", [said("1")])
    cut(parting, clock)
    assert parting.drops("new", [said("1")]) == [False]  # said once more


def test_what_comes_to_several_of_a_side_counts_for_each(clock: list[float]) -> None:
    parting = Parting()
    for old in ("1of2", "2of2"):
        parting.takes(old, [said("all")])
    cut(parting, clock)
    for new in ("1of3", "2of3", "3of3"):
        assert parting.drops(new, [said("all"), said("all")]) == [True, False]


def test_of_stations_that_no_ending_one_hears_the_beginning_ones_keep_all(clock: list[float]) -> None:
    parting = Parting()
    parting.leave_alone(["south"])
    assert parting.drops("new", [said("1", station="south"), said("1")]) == [False, True]


def test_of_other_stations_nothing_puts_it_off(clock: list[float]) -> None:
    parting = Parting(["north"])
    for second in range(20):
        clock[0] = second
        parting.takes("old", [said(f"gone {second}", station="gone")])
    assert parting.caught_up()


def test_in_any_order_every_message_is_stored_once(clock: list[float]) -> None:
    """Two topics, each in an order of its own at either side, words that repeat, and a cut at any moment."""
    for seed in range(200):
        chance = Random(seed)
        parting = Parting()
        stream = [said(str(chance.randrange(4)), station=chance.choice(["north", "south"])) for _ in range(60)]
        waited = [said("waited") for _ in range(chance.randrange(5))]
        sides = {"old": shuffled(waited + stream, chance), "new": shuffled(stream, chance)}
        stored: Counter[Frame] = Counter()
        kept: Counter[Frame] = Counter()
        cut_in = chance.randrange(100)
        while sides["old"] or sides["new"]:
            cut_in -= 1
            if cut_in < 0 and not any(frame[1] == b"waited" for frame in sides["old"]):
                parting.cut()
                cut_in = 10**6
            side = chance.choice([side for side, left in sides.items() if left])
            frame = sides[side].popleft()
            if side == "old":
                stored[frame] += parting.takes("old", [frame])[0]
            else:
                kept[frame] += not parting.drops("new", [frame])[0]
        assert stored + kept == Counter(waited + stream), seed


def shuffled(frames: list[Frame], chance: Random) -> deque[Frame]:
    """As a broker with a queue for each topic may bring them."""
    queues = [deque(frame for frame in frames if name in frame[0]) for name in (b"north", b"south")]
    order: deque[Frame] = deque()
    while any(queues):
        order.append(chance.choice([queue for queue in queues if queue]).popleft())
    return order


def test_it_waits_for_what_a_broker_brings_again_late(clock: list[float]) -> None:
    parting = Parting()
    parting.begin(least_s=30.0)
    clock[0] = 30.0 + LATE_S + QUIET_S
    assert not parting.caught_up()
    clock[0] += 1
    assert parting.caught_up()
