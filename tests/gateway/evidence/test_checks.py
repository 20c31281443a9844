"""What a check by a person holds for, and when it is missed."""

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from config.schema.rounds import hours_of
from gateway.base.local_time import day_start, next_day
from gateway.evidence.checks import CheckReport, CheckState, OpenDays, vouched_until
from gateway.model import Millis
from gateway.policy.hours.expression import Expression
from gateway.policy.hours.opening import Opening, OpenState

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3_600_000


def at(text: str) -> Millis:
    return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def told(when: Millis) -> str:
    return f"{datetime.fromtimestamp(when / 1000, UTC).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def days(hours: str) -> OpenDays:
    return OpenDays(Opening(Expression(hours), SHANGHAI, "none", "calendar"), SHANGHAI)


@pytest.mark.parametrize(
    ("hours", "every", "seen", "until"),
    [
        ("24/7", "day", "2026-11-27 10:00", "2026-11-28 22:00"),
        ("24/7", "12 h", "2026-11-27 10:00", "2026-11-28 04:00"),
        ("24/7", "week", "2026-11-27 10:00", "2026-12-07 22:00"),
        ("24/7", "month", "2026-11-27 10:00", "2027-01-11 10:00"),
        ("Mo-Fr 09:00-17:00", "day", "2026-11-27 10:00", "2026-11-30 22:00"),  # a Friday: the weekend does not count
        ("Mo-Fr 09:00-17:00", "day", "2026-11-28 10:00", "2026-12-01 12:00"),  # seen on a Saturday
        ("Mo-Sa 18:00-02:00", "day", "2026-11-28 20:00", "2026-11-30 08:00"),  # the night reaches into Sunday
        ("2020 Jan 1 09:00-10:00", "day", "2026-11-27 10:00", "2026-11-28 22:00"),  # closed for good: not waited for
        ("24/7 unknown", "day", "2026-11-27 10:00", "2026-11-28 22:00"),
    ],
)
def test_a_check_holds_for_one_and_a_half_periods_of_open_days(hours: str, every: str, seen: str, until: str) -> None:
    assert told(days(hours).after(at(seen), hours_of(every) * HOUR * 3 // 2)) == until


def check(every_h: int = 24) -> CheckState:
    return CheckState("yanshan", "aed", ("aed",), every_h * HOUR, days("24/7"), 0)


def report(number: int, ts: Millis, result: str = "ok", **more: object) -> CheckReport:
    return CheckReport(id=f"00000000-0000-4000-8000-{number:012}", check="aed", ts=ts, result=result, **more)  # type: ignore[arg-type]


def test_one_that_was_never_made_is_missed_when_its_time_is_over() -> None:
    state = check()
    assert not state.missed(36 * HOUR - 1)
    assert state.missed(36 * HOUR)
    assert not state.vouches(HOUR)


def test_an_ok_vouches_until_its_end_and_not_a_millisecond_longer() -> None:
    state = check()
    assert state.take(report(1, HOUR))
    assert state.vouches(37 * HOUR - 1)
    assert not state.vouches(37 * HOUR)
    assert state.missed(37 * HOUR)


def test_a_problem_is_no_missed_check_and_stays_one_until_somebody_finds_it_right() -> None:
    state = check()
    state.take(report(1, HOUR, "problem"))
    assert state.problem
    assert not state.missed(2 * HOUR)
    assert state.problem  # also long after
    assert state.missed(100 * HOUR)
    assert state.take(report(2, 101 * HOUR, "verified"))
    assert not state.problem


def test_an_older_word_and_the_same_again_change_nothing() -> None:
    state = check()
    state.take(report(1, 5 * HOUR, "problem"))
    assert not state.take(report(2, 4 * HOUR))
    assert not state.take(report(1, 5 * HOUR, "problem"))
    assert state.problem


def test_of_several_checks_of_a_thing_all_must_hold() -> None:
    daily, weekly = check(), check(168)
    daily.take(report(1, 0))
    assert vouched_until([daily, weekly], HOUR) is None
    weekly.take(report(2, 0))
    assert vouched_until([daily, weekly], HOUR) == 36 * HOUR
    assert vouched_until([], HOUR) is None


def test_texts_lose_numbers_of_people_and_are_bounded() -> None:
    tidied = report(1, 0, note="打 13812345678\n" + "x" * 400, by="王").tidied()
    assert tidied.note.startswith("打 … x")
    assert len(tidied.note) == 300


class Asked:
    """Opening hours that count how often somebody asks."""

    def __init__(self, hours: str) -> None:
        self._opening, self.times = Opening(Expression(hours), SHANGHAI, "none", "calendar"), 0

    def at(self, now: Millis, /) -> OpenState:
        self.times += 1
        return self._opening.at(now)


def day_by_day(hours: Asked, start: Millis, length_ms: Millis) -> Millis:
    """The same, written down as it is said: time runs only on days on which the place is open."""
    at_, left, closed = start, length_ms, 0
    while closed < 400:
        begin, end = day_start(at_, SHANGHAI), next_day(at_, SHANGHAI)
        moment: Millis | None = begin
        while moment is not None and moment < end and hours.at(moment).access in ("closed", "staff_only"):
            moment = hours.at(moment).until
        if moment is not None and moment < end:
            if left <= end - at_:
                return at_ + left
            left, closed = left - (end - at_), 0
        else:
            closed += 1
        at_ = end
    return start + length_ms


@pytest.mark.parametrize(
    "hours",
    [
        "24/7",
        "Mo-Fr 09:00-17:00",
        "Mo-Sa 18:00-02:00",
        "Su off; 2026 Jul 01-2026 Aug 31 off",
        "2026 Jan 1-2026 Mar 31 09:00-17:00; 2028 Jan 1-2030 Dec 31 09:00-17:00",
        "Jun-Aug 10:00-12:00",
        "24/7 unknown",
    ],
)
def test_its_end_is_that_of_counting_day_by_day_in_whatever_order_it_is_asked(hours: str) -> None:
    chance, shared, plain = random.Random(3), days(hours), Asked(hours)
    for _ in range(20):
        start = at("2025-06-01 00:00") + chance.randrange(900 * 24) * HOUR + chance.randrange(HOUR)
        length_ms = chance.choice((HOUR, 36 * HOUR, 45 * 24 * HOUR, 547 * 24 * HOUR))
        assert shared.after(start, length_ms) == day_by_day(plain, start, length_ms), (told(start), length_ms)


def test_a_start_with_many_checks_asks_for_no_hours_and_places_with_the_same_hours_share_the_days() -> None:
    hours = Asked("Mo-Fr 09:00-17:00")
    known = OpenDays(hours, SHANGHAI)
    now = at("2026-11-27 10:00")
    states = [CheckState("s", f"c{number}", (), 365 * 24 * HOUR, known, now) for number in range(10_000)]
    assert not any(state.missed(now + 500 * 24 * HOUR) for state in states)
    assert {state.next_end(now) for state in states} == {now + 547 * 24 * HOUR + 12 * HOUR}
    assert hours.times == 0
    assert len({state.until for state in states}) == 1
    assert hours.times < 5_000 + 10_000, "each day once, and each check once"
    assert not states[0].missed(states[0].until - 1)
    assert states[0].missed(states[0].until)
