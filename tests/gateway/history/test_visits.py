"""Visits are told as intervals that hold the truth, and no combination of them tells of fewer than five people."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.base.local_time import DAY_MS
from gateway.history.turnstile import CounterStep, Passed, Turnstile, TurnstileSaid
from gateway.history.visits import (
    CARD,
    COUNTER,
    VisitBounds,
    by_cards,
    by_openings,
    by_totals,
    entrance,
    mean_coverage,
    published,
)
from gateway.policy.privacy import Band, total

CROWD = 5
MINUTE = 60_000
HOUR = 60 * MINUTE


def heard(*totals: int | tuple[int, str], every: int = MINUTE, silence: int = HOUR) -> list[tuple[int, int | None]]:
    """Least and most of each step; (total, boot) where the device says when it started."""
    turnstile, passed = Turnstile(), []
    for number, reported in enumerate(totals):
        ins, boot = reported if isinstance(reported, tuple) else (reported, None)
        told = TurnstileSaid(ins=ins, boot=boot, seq=None if boot is None else number)
        step = turnstile.hear(told, number * every, silence)
        if step is not None:
            passed.append((step.least, step.most))
    return passed


def test_what_a_total_rose_by_came_in_and_the_first_total_tells_nothing():
    assert heard(5_000) == []
    assert heard(5_000, 5_003, 5_003) == [(3, 3), (0, 0)]


def test_a_device_that_starts_anew_may_have_lost_what_passed_in_between_and_no_more():
    assert heard((5_000, "a"), (3, "b"), (4, "b")) == [(3, 60), (1, 1)]
    assert heard((5_000, "a"), (3, "b"), every=HOUR) == [(3, None)]


def test_a_device_that_keeps_its_total_over_a_start_goes_on():
    assert heard((50_000, "a"), (50_003, "b")) == [(3, 3)]


def test_a_silence_tells_its_whole_rise_where_the_device_did_not_start_anew():
    assert heard((10, "a"), (400, "a"), every=2 * HOUR) == [(390, 390)]
    assert heard(50_010, 50_400, every=2 * HOUR) == [(390, 390)], "it can't have counted 50,400 since"
    assert heard(10, 400, every=2 * HOUR) == [(390, None)], "it may have started anew"


def test_a_total_that_runs_backwards_takes_back_what_it_may_have_told_too_much():
    steps = heard((5_000, "a"), (4_998, "a"), (5_001, "a"))
    assert sum(least for least, _ in steps) == 1
    assert sum(most or 0 for _, most in steps) >= 3


@pytest.mark.parametrize("glitch", [0, 7, 4_000, 60_000])
def test_a_total_that_is_back_where_it_was_had_a_glitch(glitch: int):
    steps = heard(5_000, glitch, 5_002, 5_003)
    assert sum(least for least, _ in steps) <= 3
    assert sum(most or 0 for _, most in steps) >= 3
    assert steps[-1] == (1, 1)


@pytest.mark.parametrize("size", [2**16, 2**32])
@pytest.mark.parametrize("boot", [None, "a"])
def test_a_register_that_is_full_begins_at_zero_again_and_the_truth_is_inside(size: int, boot: str | None):
    totals = [size - 3, size - 1, 2, 5]
    steps = heard(*[total if boot is None else (total, boot) for total in totals])
    assert steps == [(2, 2), (0, 60), (3, 3)]
    many = [size - 100, 150]  # 250 in a minute, as many messages came at once
    [(least, most)] = heard(*[total if boot is None else (total, boot) for total in many])
    assert (least, most) == (0, 250)
    assert heard((size - 3, "a"), (2, "a"), every=HOUR) == [(0, None)], "it may have been reset as well"


@pytest.mark.parametrize("glitch", [0, 7])
def test_a_full_register_that_was_a_glitch_counts_nobody_twice(glitch: int):
    steps = heard((65_530, "a"), (glitch, "a"), (65_531, "a"), (65_533, "a"))
    assert 0 <= sum(least for least, _ in steps) <= 3
    assert sum(most or 0 for _, most in steps) >= 3


def test_a_fall_from_far_below_the_end_of_a_register_runs_backwards():
    assert heard((40_000, "a"), (39_000, "a"))[0][0] == -1_000
    assert heard((65_530, "a"), (3, "b")) == [(3, 60)], "where a start is told it was one"


def test_a_leap_that_nobody_can_have_walked_is_none():
    assert heard((100, "a"), (90_000, "a"), (90_001, "a")) == [(0, 60), (1, 1)]


def test_late_messages_and_those_of_an_older_start_tell_nothing():
    turnstile = Turnstile()
    assert turnstile.hear(TurnstileSaid(ins=5, boot="a", seq=5), 0, HOUR) is None
    assert turnstile.hear(TurnstileSaid(ins=4, boot="a", seq=4), MINUTE, HOUR) is None
    assert turnstile.hear(TurnstileSaid(ins=7, boot="a", seq=6), 2 * MINUTE, HOUR) == CounterStep(0, 2 * MINUTE, 2, 2)


def test_what_was_held_back_and_comes_at_once_is_counted():
    turnstile = Turnstile()
    turnstile.hear(TurnstileSaid(ins=10_000), 0, HOUR)
    steps = [turnstile.hear(TurnstileSaid(ins=10_000 + 60 * hour), 3 * HOUR, HOUR) for hour in (1, 2, 3)]
    assert sum(step.least for step in steps if step) == 180


def test_a_door_opens_once_until_it_was_seen_closed_again():
    turnstile = Turnstile()
    seen = [
        turnstile.opens(TurnstileSaid(open=is_open), at)
        for at, is_open in enumerate([True, False, True, True, False, True])
    ]
    assert seen == [False, False, True, False, False, True]


def test_sensors_of_one_entrance_are_intersected():
    both = entrance([VisitBounds(90, 120, 1.0), VisitBounds(100, 140, 0.5)])
    assert both == (VisitBounds(100, 120, 1.0), True)
    assert entrance([VisitBounds(90, None, 0.2), VisitBounds(0, None, None)]) == (VisitBounds(90, None, 0.2), True)


def test_sensors_that_do_not_meet_are_joined_and_do_not_agree():
    assert entrance([VisitBounds(90, 95, 1.0), VisitBounds(100, 140, 1.0)]) == (VisitBounds(90, 140, 1.0), False)
    assert entrance([VisitBounds(90, 95, 1.0), VisitBounds(100, None, 1.0)]) == (VisitBounds(90, None, 1.0), False)


def test_what_a_reader_did_not_watch_or_not_alone_bounds_nothing():
    assert by_cards(100, CARD, 0.94, only_way=True).high is None
    assert by_cards(100, CARD, 0.95, only_way=False).high is None
    assert by_cards(100, CARD, 0.95, only_way=True).high is not None


def test_a_door_that_opens_tells_of_half_as_many_visits_at_the_least():
    assert by_openings(0, COUNTER, 1.0) == VisitBounds(0, None, 1.0)
    assert 35 <= by_openings(100, COUNTER, 1.0).low <= 50


def test_ten_minutes_that_nobody_saw_are_bounded_and_more_are_not():
    seen = by_totals(100, 100, 0, DAY_MS, COUNTER)
    short = by_totals(100, 100, 10 * MINUTE, DAY_MS - 10 * MINUTE, COUNTER)
    assert seen.high is not None
    assert short.high is not None
    assert short.high >= seen.high + 600
    assert by_totals(100, 100, 10 * MINUTE + 1, DAY_MS, COUNTER).high is None
    assert by_totals(0, 0, HOUR, 3 * HOUR, COUNTER).coverage == 0.75
    assert by_totals(0, 0, 0, 0, COUNTER).coverage is None


def test_closed_days_do_not_thin_the_coverage():
    assert mean_coverage([1.0, None, 0.5]) == 0.75
    assert mean_coverage([None]) is None


@dataclass
class Day:
    truth: int
    least: int = 0
    most: int = 0
    unseen: int = 0
    whole: bool = True
    steps: list[CounterStep] = field(default_factory=list)

    def evidence(self) -> VisitBounds:
        return by_totals(self.least, self.most, self.unseen, DAY_MS - self.unseen, COUNTER)


def days(seed: int, number: int, visits: int, *, boots: bool, trouble: float) -> Iterator[Day]:
    """A counter that misses 2 % and doubles 5 %, says its total each minute; starts anew, falls silent, stumbles."""
    rng, turnstile = random.Random(seed), Turnstile()
    total_, boot, silent_until = rng.randint(0, 5_000), 0, -1
    for number_of_day in range(number):
        day = Day(sum(rng.random() < 0.5 for _ in range(2 * visits)))
        came = [0] * 1440
        for _ in range(day.truth):
            came[min(1439, max(0, round(rng.gauss(800, 240))))] += 1
        troubles = {rng.randrange(1440) for _ in range(3)} if rng.random() < trouble else set()
        for minute in range(1440):
            for _ in range(came[minute]):
                lot = rng.random()
                total_ += 0 if lot < 0.02 else 2 if lot < 0.07 else 1
            at = number_of_day * DAY_MS + (minute + 1) * MINUTE - 1
            said = total_
            if minute in troubles:
                day.whole = False
                what = rng.choice(("anew", "silent", "both", "stumbles"))
                if what in ("anew", "both"):
                    total_, boot = 0, boot + 1
                if what in ("silent", "both"):
                    silent_until = at + rng.randint(2, 300) * MINUTE
                said = max(0, total_ - rng.randint(1, 50)) if what == "stumbles" else total_
            if at < silent_until:
                day.whole = False
                continue
            told = TurnstileSaid(ins=said, boot=f"b{boot}" if boots else None, seq=at if boots else None)
            if (step := turnstile.hear(told, at, HOUR)) is not None:
                day.steps.append(step)
        yield day


def share_out(days_: list[Day]) -> None:
    """As the store does: a step over midnight may belong to either day, one without a bound was not seen."""
    for number, day in enumerate(days_):
        start, end = number * DAY_MS, (number + 1) * DAY_MS
        steps = [step for passed in days_ for step in passed.steps if step.since < end and step.until >= start]
        seen = 0
        for step in steps:
            crosses = step.since < start or step.until >= end
            day.least += min(0, step.least) if crosses else step.least
            day.most += max(0, step.most or 0)
            seen += 0 if step.most is None else min(step.until, end) - max(step.since, start)
        day.unseen = DAY_MS - seen


def simulated(visits: int, boots: bool, *, more: bool) -> Any:
    """`more`: of those that say the same of other numbers."""
    return pytest.param(visits, boots, marks=pytest.mark.slow if more else ())


@pytest.mark.parametrize(
    ("visits", "boots"),
    [simulated(visits, boots, more=(visits, boots) not in ((3, True), (40, False), (500, True)))
     for visits in (0, 3, 40, 200, 500, 1_500) for boots in (True, False)],
)  # fmt: skip
def test_the_truth_is_inside_on_99_of_100_days_and_the_interval_narrow_on_quiet_ones(visits: int, boots: bool):
    days_told = list(days(visits + boots, 60, visits, boots=boots, trouble=0.3))
    share_out(days_told)
    days_told = days_told[1:-1]  # nothing is known before the first total
    inside = 0
    for day in days_told:
        band = published(day.evidence())
        inside += band.low <= day.truth and (band.high is None or day.truth <= band.high)
        if day.whole:
            assert band.high is not None
            if visits >= 200 and day.truth >= 200:
                assert band.high - band.low <= (0.2 if day.truth >= 500 else 0.25) * day.truth
    assert inside >= 0.99 * len(days_told)
    assert 10 < sum(day.whole for day in days_told) < len(days_told)


def test_no_band_of_visits_is_narrower_than_a_crowd_and_few_look_like_none():
    for people in range(200):
        band = published(VisitBounds(people, people, 1.0))
        assert band.high is not None
        assert band.low <= people <= band.high
        assert band.high - band.low + 1 == CROWD
    assert published(VisitBounds(0, 0, 1.0)) == published(VisitBounds(CROWD - 1, CROWD - 1, 1.0))
    assert published(VisitBounds(7, None, 1.0)) == (5, None)


def test_what_came_in_over_midnight_may_belong_to_either_day_and_is_seen_by_the_hour():
    zone, midnight = ZoneInfo("Asia/Shanghai"), 16 * HOUR
    by_hour: dict[int, Passed] = {}
    for hour, passed in CounterStep(midnight - 90 * MINUTE, midnight + 5 * MINUTE, 7, 9).shared_out(zone):
        by_hour.setdefault(hour, Passed()).add(passed)
    assert by_hour == {
        midnight - 2 * HOUR: Passed(seen_ms=30 * MINUTE),
        midnight - HOUR: Passed(most=9, seen_ms=HOUR),
        midnight: Passed(most=9, seen_ms=5 * MINUTE),
    }
    assert dict(CounterStep(HOUR, HOUR, 3, 3).shared_out(zone)) == {HOUR: Passed(least=3, most=3)}
    assert dict(CounterStep(HOUR, 2 * HOUR, 3, None).shared_out(zone)) == {HOUR: Passed(least=3)}, "unbounded: not seen"
    assert list(CounterStep(0, 41 * DAY_MS, 3, 3).shared_out(zone)) == []


sensors = st.builds(
    VisitBounds, st.integers(0, 60), st.one_of(st.none(), st.integers(0, 80)), st.one_of(st.none(), st.floats(0, 1))
)
entrances = st.lists(st.lists(sensors, min_size=1, max_size=3), min_size=1, max_size=4)


def sane(parts: list[VisitBounds]) -> list[VisitBounds]:
    return [
        VisitBounds(part.low, None if part.high is None else max(part.low, part.high), part.coverage) for part in parts
    ]


@given(entrances)
def test_no_combination_of_answers_tells_of_fewer_than_five_people(parts: list[list[VisitBounds]]):
    """Each sensor alone, each pair, the entrance, and sums: whatever is known of an entrance is at least five wide."""
    bands = []
    for part in map(sane, parts):
        answers = [published(entrance(part[:size])[0]) for size in range(1, len(part) + 1)]
        answers += [published(entrance([evidence])[0]) for evidence in part]
        bands.append(answers[len(part) - 1])
        for answer in answers:
            for other in answers:
                low, high = max(answer.low, other.low), min(_top(answer), _top(other))
                assert low % CROWD == 0
                assert high < low or high - low + 1 >= CROWD, "what two answers about the same people leave"
    whole = total(bands)
    assert whole is not None
    for number, band in enumerate(bands):
        rest = total([*bands[:number], *bands[number + 1 :], Band(0, 0)])
        assert rest is not None
        if whole.high is None or rest.high is None or band.high is None:
            continue
        # the sum less all others, by what is told: exactly the band that is told of it anyhow
        assert (whole.low - rest.low, whole.high - rest.high) == band


def _top(band: Band) -> float:
    return float("inf") if band.high is None else band.high


@given(st.integers(0, 4), st.integers(0, 4), st.lists(st.integers(0, 300), max_size=4))
def test_among_fewer_than_five_nobody_changes_any_answer(few: int, others: int, more: list[int]):
    def answers(first: int) -> list[Band | None]:
        day_bands = [published(VisitBounds(count, count, 1.0)) for count in (first, *more)]
        return [*day_bands, total(day_bands)]

    assert answers(few) == answers(others)
