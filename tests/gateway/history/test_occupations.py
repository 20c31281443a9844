"""Shares of occupations: what may be told of a month, and that nobody can single out fewer than five people by it."""

import random
from itertools import combinations

import pytest

from gateway.history.occupations import FEWEST, OCCUPATIONS, OTHER, Shares, together, told
from gateway.policy.privacy import CROWD

NAMES = list(OCCUPATIONS)


def month(chance: random.Random) -> dict[str, int]:
    """Answers as they may come: many of few groups, few of many."""
    return {name: chance.choice((0, 0, 1, 2, 3, 4, 5, 6, 9, 30)) for name in NAMES}


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ({}, None),
        ({"courier": 19}, None),
        ({"courier": 20}, {"courier": 20}),
        ({"courier": 20, "security": 4}, {"courier": 20}),
        ({"courier": 20, "security": 5}, {"courier": 20, "security": 5}),
        ({"courier": 20, "security": 3, "freight": 2}, {"courier": 20, "other": 5}),
        ({"courier": 15, "other": 4, "freight": 1}, {"courier": 15, "other": 5}),
        ({"courier": 16, "other": 4}, None),
        (dict.fromkeys(NAMES, 4), {"other": 32}),
    ],
)
def test_what_is_told_of_a_month(counts: dict[str, int], groups: dict[str, int] | None) -> None:
    shares = told(counts)
    assert (shares and dict(shares.groups)) == groups


def test_shares_add_up_and_the_largest_stands_first() -> None:
    shares = told({"courier": 10, "sanitation": 30, "other": 50, "security": 1})
    assert shares is not None
    assert list(shares.shares) == ["sanitation", "courier", OTHER]
    assert sum(shares.shares.values()) == pytest.approx(1)


def test_a_sum_is_made_of_what_is_told_alone() -> None:
    first, two = told({"courier": 20, "security": 4}), told({"security": 25})
    assert together([first, None, two]) == Shares({"security": 25, "courier": 20})
    assert together([None, None]) is None


def test_whoever_is_in_a_group_under_five_changes_nothing_that_is_told() -> None:
    """Any way in which the same people of small groups could be spread over them is told alike."""
    chance = random.Random(11)
    for _ in range(3_000):
        counts = month(chance)
        small = [name for name in NAMES if counts[name] < CROWD and name != OTHER]
        if len(small) < 2:
            continue
        giver, taker = chance.sample(small, 2)
        if counts[giver] == 0 or counts[taker] + 1 >= CROWD:
            continue
        moved = {**counts, giver: counts[giver] - 1, taker: counts[taker] + 1}
        assert told(moved) == told(counts)


def test_nobody_and_four_people_beside_the_large_groups_look_alike() -> None:
    chance = random.Random(12)
    for _ in range(3_000):
        counts = {name: count for name, count in month(chance).items() if count >= CROWD and name != OTHER}
        left = [name for name in NAMES if name not in counts]
        few = dict.fromkeys(left, 0)
        for _ in range(chance.randrange(CROWD)):
            few[chance.choice(left)] += 1
        assert told(counts | few) == told(counts)


def test_no_combination_of_public_answers_tells_of_fewer_than_five_people() -> None:
    """Answers are months of stations, and sums over stations: differences of any two of them, group by group."""
    chance = random.Random(13)
    for _ in range(300):
        stations = [told(month(chance)) for _ in range(4)]
        regions = [part for size in range(1, 5) for part in combinations(stations, size)]
        answers = [answer for part in regions if (answer := together(part)) is not None]
        for answer, other in combinations(answers, 2):
            for name in NAMES:
                apart = answer.groups.get(name, 0) - other.groups.get(name, 0)
                parts = [station.groups.get(name, 0) for station in stations if station is not None]
                assert all(count == 0 or count >= CROWD for count in parts)
                assert apart in differences(parts)
            assert answer.answers >= FEWEST


def differences(parts: list[int]) -> set[int]:
    """What can be told apart of whole groups: each is added, taken away, or neither."""
    values = {0}
    for count in parts:
        values |= {value + sign * count for value in values for sign in (-1, 1)}
    return values
