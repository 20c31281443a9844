"""What a check by a person holds for, and when it is missed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from config.schema.rounds import hours_of
from gateway.evidence.checks import CheckReport, CheckState, OpenDays, vouched_until
from gateway.model import Millis
from gateway.policy.hours.expression import Expression
from gateway.policy.hours.opening import Opening

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
