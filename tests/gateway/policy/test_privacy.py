"""What the public may know of people: whoever comes or goes among fewer than five leaves no trace."""

from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.policy.privacy import Band, Public, bands, coarse, level, rounded, total

CROWD = 5


TICK = 300_000
BANDS = bands((0, 1, 5, 10, 20, 50))


class Stay(NamedTuple):
    """One person in one room."""

    room: int
    start: int
    end: int


STAY = st.builds(
    lambda room, start, span: Stay(room, start, start + span), st.integers(0, 2), *[st.integers(1, 40)] * 2
)
STAYS = st.lists(STAY, max_size=14)
STEP = 60_000
STEPS = range(90)


def people(stays: list[Stay], room: int, step: int) -> int:
    return sum(stay.room == room and stay.start <= step < stay.end for stay in stays)


def published(stays: list[Stay], heartbeat: int) -> list[Any]:
    """Everything that leaves: at each step bands, words and the total of three rooms, counted at every move."""
    rooms, stream, counts = [Public(BANDS, TICK) for _ in range(3)], [], [-1] * 3
    for step in STEPS:
        now = step * STEP
        for number, room in enumerate(rooms):
            count = people(stays, number, step)
            if count != counts[number] or step % heartbeat == 0:
                counts[number] = count
                room.put(count, now)
        shown = [room.at(now) for room in rooms]
        stream.append((shown, total(shown), [coarse(band, 8) for band in shown]))
    return stream


@given(STAYS, STAY, st.integers(1, 7))
def test_one_person_below_a_crowd_leaves_no_trace(stays: list[Stay], somebody: Stay, heartbeat: int) -> None:
    with_them = [*stays, somebody]
    assume(all(people(with_them, somebody.room, step) < CROWD for step in range(somebody.start, somebody.end)))
    assert published(with_them, heartbeat) == published(stays, heartbeat)


@given(STAYS, STAY)
def test_one_person_anywhere_shows_at_most_in_their_own_room_and_by_one_band(stays: list[Stay], somebody: Stay) -> None:
    for before, after in zip(published(stays, 3), published([*stays, somebody], 3), strict=True):
        moved = [(a, b) for a, b in zip(before[0], after[0], strict=True) if a != b]
        assert len(moved) <= 1
        assert all(BANDS.index(b) == BANDS.index(a) + 1 for a, b in moved)


@given(STAYS)
def test_what_is_published_changes_at_ticks_only(stays: list[Stay]) -> None:
    stream = published(stays, 1)
    assert all(before == after for step, (before, after) in enumerate(pairwise(stream), 1) if step % 5)


def shown(counts: list[int]) -> list[Band | None]:
    rooms = [Public(BANDS, TICK) for _ in counts]
    for room, count in zip(rooms, counts, strict=True):
        room.put(count, 0)
    return [room.at(0) for room in rooms]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)).map(sorted), min_size=1, max_size=5), st.integers(0, 60)
)
def test_a_total_tells_no_more_than_its_parts(pairs: list[list[int]], base: int) -> None:
    """Counts that look alike one by one look alike together, and the true sum lies within."""
    low = next(band.low for band in reversed(BANDS) if band.low <= base)
    some, others = [low + few for few, _ in pairs], [low + more for _, more in pairs]
    assert shown(some) == shown(others)
    band = total(shown(some))
    assert band == total(shown(others))
    assert band is not None
    assert all(band.low <= sum(counts) <= (band.high or 1_000) for counts in (some, others))
    assert band.high is None or band.high - band.low >= CROWD - 1


@given(st.lists(st.integers(0, 200), max_size=8))
def test_no_band_is_narrower_than_a_crowd_and_each_count_lies_in_one(bounds: list[int]) -> None:
    every = bands(bounds)
    assert every[0].low == 0
    assert every[-1].high is None
    for band, following in pairwise(every):
        assert band.high == following.low - 1
        assert following.low - band.low >= CROWD


def test_the_bound_at_one_person_is_joined_away() -> None:
    assert [band.low for band in BANDS] == [0, 5, 10, 20, 50]


@pytest.mark.parametrize(
    ("band", "capacity", "word", "shown"),
    [
        (Band(0, 4), 20, "quiet", ("quiet", "free")),
        (Band(5, 9), 20, "some", ("open", "free")),
        (Band(10, 19), 20, "busy", ("busy", "free")),
        (Band(10, 19), 12, "busy", ("busy", "unknown")),
        (Band(20, 49), 20, "full", ("busy", "occupied")),
        (Band(20, 49), None, "some", ("open", "unknown")),
        (Band(0, 4), 1, "quiet", ("open", "unknown")),
    ],
)
def test_words_follow_the_band_and_a_small_room_keeps_silent(
    band: Band, capacity: int | None, word: str, shown: tuple[str, str]
) -> None:
    assert level(band, capacity) == word
    assert coarse(band, capacity) == shown


def test_an_unknown_count_makes_the_total_unknown() -> None:
    assert total([Band(0, 4), None]) is None
    assert coarse(None, 20) == ("open", "unknown")


def test_a_count_that_gets_unknown_is_shown_so_from_the_next_tick() -> None:
    room = Public(BANDS, TICK)
    room.put(7, 10)
    room.put(None, 20)
    assert room.at(TICK - 1) == Band(5, 9)
    assert room.next_tick(20) == TICK
    assert room.at(TICK) is None


def test_the_second_of_a_step_through_the_door_is_rounded_away() -> None:
    assert rounded(7 * TICK + 12_345, TICK) == 7 * TICK
    assert rounded(None, TICK) is None


def test_a_band_is_five_people_wide_and_never_four() -> None:
    assert bands([4, 8]) == (Band(0, 7), Band(8, None))
    assert bands([5, 10]) == (Band(0, 4), Band(5, 9), Band(10, None))
