"""The first of several to be free: borne out by groups that were held back, or not told."""

import random
from statistics import median
from zoneinfo import ZoneInfo

import pytest

from gateway.history.first_free import FirstFree, Spell, spells_of
from gateway.history.forecast import Forecast, UseSpan

SPELLS = 30


UTC = ZoneInfo("UTC")
NOON = 1_780_056_000_000
HOUR, MINUTE, DAY = 3_600_000, 60_000, 86_400_000


def busy_group(seats: int, days: int, seed: int = 1) -> list[list[UseSpan]]:
    """Each seat is taken for some while between 9 and 21 o'clock, and taken again soon after."""
    rng = random.Random(seed)
    members: list[list[UseSpan]] = []
    for _ in range(seats):
        sessions = []
        for day in range(days):
            at = NOON + day * DAY - 3 * HOUR
            while at < NOON + day * DAY + 9 * HOUR:
                end = at + round(rng.lognormvariate(3.9, 0.6) * MINUTE)
                sessions.append(UseSpan(at, end))
                at = end + round(rng.expovariate(1 / 3) * MINUTE) + 1
        members.append(sessions)
    return members


def classes(seats: int, days: int) -> list[list[UseSpan]]:
    """All come and go together, after an hour and a half or so: their ends are anything but independent."""
    rng = random.Random(2)
    members: list[list[UseSpan]] = [[] for _ in range(seats)]
    for day in range(days):
        for begin in range(3):
            at, lasts = NOON + day * DAY + begin * 3 * HOUR, rng.gauss(90, 15)
            for sessions in members:
                sessions.append(UseSpan(at, at + round((lasts + rng.gauss(0, 1)) * MINUTE)))
    return members


def asked(members: list[list[UseSpan]], cut: int) -> tuple[FirstFree, list[tuple[Spell, int]]]:
    """What is learnt before `cut`, and what somebody may ask after it, each ten minutes of every full time."""
    learnt = FirstFree([[session for session in sessions if session.end < cut] for sessions in members], UTC, 2_000)
    later = [spell for spell in spells_of(members) if spell.begin >= cut]
    return learnt, [(spell, now) for spell in later for now in range(spell.begin, spell.end, 10 * MINUTE)]


@pytest.mark.parametrize("seats", [2, 6, 12])
def test_the_first_of_a_group_held_back_is_covered_as_promised_and_its_middle_is_in_the_middle(seats: int) -> None:
    learnt, looks = asked(busy_group(seats, 30), NOON + 20 * DAY)
    told = [(learnt.remaining(spell.starts, now), spell.end - now) for spell, now in looks]
    known = [(left, true) for left, true in told if left is not None]
    assert len(known) > 0.95 * len(looks) > 30
    assert 0.7 <= sum(left.low <= true <= left.high for left, true in known) / len(known) <= 0.92
    assert 0.38 <= sum(true <= left.median for left, true in known) / len(known) <= 0.62


def test_the_first_of_twelve_comes_long_before_any_ones_middle() -> None:
    members = busy_group(12, 30)
    learnt, looks = asked(members, NOON + 20 * DAY)
    forecast = Forecast(sorted(session for sessions in members for session in sessions)[-2000:], UTC)
    spell, now = looks[0]
    nearest = min(left.median for start in spell.starts if (left := forecast.remaining(start, now)) is not None)
    first = learnt.remaining(spell.starts, now)
    assert first is not None
    assert first.median < nearest / 2
    truth = median(spell.end - now for spell, now in looks)
    assert abs(first.median - truth) < nearest / 2


def test_who_comes_and_goes_together_is_covered_or_not_told() -> None:
    learnt, looks = asked(classes(8, 30), NOON + 20 * DAY)
    told = [(learnt.remaining(spell.starts, now), spell.end - now) for spell, now in looks]
    known = [(left, true) for left, true in told if left is not None]
    assert learnt.level is None or sum(left.low <= true <= left.high for left, true in known) >= 0.7 * len(known)


def test_a_group_that_changed_its_habits_is_not_told() -> None:
    """What was learnt of short stays is not borne out by a last third of long ones."""
    short = [
        [UseSpan(NOON + n * DAY, NOON + n * DAY + (20 + (n * 7 + m) % 9) * MINUTE) for n in range(40)] for m in (0, 1)
    ]
    long = [
        [UseSpan(NOON + n * DAY, NOON + n * DAY + (300 + (n * 7 + m) % 9) * MINUTE) for n in range(40, 70)]
        for m in (0, 1)
    ]
    members = [[*before, *after] for before, after in zip(short, long, strict=True)]
    assert FirstFree(members, UTC, 2_000).remaining((NOON + 80 * DAY, NOON + 80 * DAY), NOON + 80 * DAY) is None


def test_a_group_that_was_seldom_full_is_not_told() -> None:
    members = [[UseSpan(NOON + n * DAY, NOON + n * DAY + HOUR) for n in range(SPELLS - 1)] for _ in range(3)]
    starts = (NOON + 50 * DAY,) * 3
    assert FirstFree(members, UTC, 2_000).remaining(starts, NOON + 50 * DAY) is None


def test_a_group_of_which_half_is_out_of_order_is_another_group() -> None:
    learnt, looks = asked(busy_group(6, 30), NOON + 20 * DAY)
    spell, now = looks[0]
    assert learnt.remaining(spell.starts, now) is not None
    assert learnt.remaining(spell.starts[:3], now) is None


def test_nothing_at_all_is_no_forecast() -> None:
    assert FirstFree([], UTC, 2_000).remaining((), NOON) is None
    assert FirstFree([[], []], UTC, 2_000).remaining((NOON, NOON), NOON) is None


def test_a_spell_is_from_the_last_to_come_to_the_first_to_go() -> None:
    members = [[UseSpan(0, 100), UseSpan(100, 200)], [UseSpan(20, 60), UseSpan(90, 150)]]
    assert spells_of(members) == [Spell((0, 20), 20, 60), Spell((0, 90), 90, 100), Spell((90, 100), 100, 150)]
