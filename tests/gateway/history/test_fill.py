"""How full rooms and banks were: people ÷ capacity and occupied time, units ÷ units; bookings to which nobody came."""

from typing import Any

import pytest

from gateway.history.fill import Level, fill
from gateway.model import Interval, axes_of
from gateway.policy.activities import GRACE_MS

MINUTE = 60_000
HOUR = 60 * MINUTE
AXES = {
    "free": axes_of("active", "ok", "open", "free", "live"),
    "full": axes_of("active", "ok", "open", "occupied", "live"),
    "reserved": axes_of("active", "ok", "open", "reserved", "live"),
    "silent": axes_of("active", "ok", "open", "free", "stale"),
    "shut": axes_of("active", "ok", "closed", "free", "live"),
}


def states(*spans: tuple[str, int]) -> list[Interval]:
    """(state, minutes) one after another, from 0 on."""
    intervals, at = [], 0
    for name, minutes in spans:
        intervals.append(Interval(at, at + minutes * MINUTE, AXES[name]))
        at += minutes * MINUTE
    return intervals


def levels(*said: tuple[int, int | None], size: int = 20) -> list[Level]:
    return [Level(at * MINUTE, taken, size) for at, taken in said]


def hour(intervals: list[Interval], said: list[Level], **more: Any) -> Any:
    return fill(intervals, said, 0, HOUR, units=False, **more)


def test_a_dance_room_with_ten_of_twenty_is_half_full_and_occupied_all_the_time() -> None:
    minutes = hour(states(("free", 60)), levels((0, 10)))
    assert (minutes.utilization, minutes.filled, minutes.in_use) == (1.0, 0.5, HOUR)
    assert minutes.known_open == HOUR


def test_a_room_is_occupied_while_anybody_is_there() -> None:
    minutes = hour(states(("free", 60)), levels((0, 0), (15, 4), (45, 0)))
    assert (minutes.occupied, minutes.free, minutes.sessions) == (30 * MINUTE, 30 * MINUTE, 1)
    assert minutes.filled == pytest.approx(4 * 30 / (20 * 60))


def test_what_is_full_and_what_has_room_are_both_counted_by_their_people() -> None:
    minutes = hour(states(("full", 30), ("free", 30)), levels((0, 20), (30, 5)))
    assert (minutes.occupied, minutes.filled) == (HOUR, (20 * 30 + 5 * 30) / (20 * 60))


@pytest.mark.parametrize("state", ["silent", "shut"])
def test_what_is_not_known_or_not_open_is_in_neither_sum(state: str) -> None:
    minutes = hour(states((state, 30), ("free", 30)), levels((0, 10)))
    assert (minutes.places, minutes.taken) == (20 * 30 * MINUTE, 10 * 30 * MINUTE)
    assert minutes.known_open == 30 * MINUTE


def test_where_nothing_counts_it_stays_as_its_states_say() -> None:
    minutes = hour(states(("full", 15), ("free", 45)), levels((0, None)))
    assert (minutes.occupied, minutes.filled, minutes.places) == (15 * MINUTE, None, 0)


def test_a_bank_half_full_for_an_hour_is_half_an_hour_of_being_occupied() -> None:
    minutes = fill(states(("free", 60)), levels((0, 12), size=24), 0, HOUR, units=True)
    assert (minutes.utilization, minutes.filled, minutes.in_use) == (0.5, 0.5, HOUR)


def test_hours_add_up_to_the_whole() -> None:
    intervals, said = states(("free", 90), ("full", 30)), levels((0, 3), (70, 0), (80, 7), (100, 20))
    whole = fill(intervals, said, 0, 2 * HOUR, units=False)
    parts = [fill(intervals, said, at, at + HOUR, units=False) for at in (0, HOUR)]
    parts[0].add(parts[1])
    assert parts[0] == whole


@pytest.mark.parametrize(
    ("spans", "people", "no_shows"),
    [
        ([("free", 5), ("reserved", 15), ("free", 40)], 0, 1),
        ([("free", 5), ("reserved", 15), ("free", 40)], 3, 0),
        ([("free", 5), ("reserved", 40), ("free", 15)], 0, 0),
        ([("free", 5), ("reserved", 15), ("full", 40)], 0, 0),
        ([("free", 5), ("reserved", 15), ("silent", 40)], 0, 0),
    ],
    ids=["nobody came", "three came", "held to its end", "somebody came", "not known"],
)
def test_a_booking_to_which_nobody_came_is_counted(spans: list[tuple[str, int]], people: int, no_shows: int) -> None:
    assert GRACE_MS == 15 * MINUTE
    assert hour(states(*spans), levels((0, people))).no_shows == no_shows
