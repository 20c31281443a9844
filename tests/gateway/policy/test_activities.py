"""What takes place in an area, from agenda to the booking that nobody came to."""

import pytest

from gateway.model import Use
from gateway.policy.activities import Activity, Agenda, gives_up_at, nobody_came, use_with

EARLY_MS = 10 * 60_000
GRACE_MS = 15 * 60_000


HOUR = 3_600_000
CLASS = Activity(10 * HOUR, 12 * HOUR, "class", "四点半课堂", reserves=True)
READING = Activity(11 * HOUR, 13 * HOUR, "reading", "读书会", reserves=False)
EVENING = Activity(19 * HOUR, 21 * HOUR, "evening", "小夜校", reserves=True)


def test_an_agenda_tells_what_is_on_what_is_next_and_until_when() -> None:
    agenda = Agenda([EVENING, READING, CLASS, CLASS])
    seen = {hour: agenda.at(hour * HOUR) for hour in (9, 10, 11, 12, 13, 21)}
    assert [(answer.on, answer.next, answer.until) for answer in seen.values()] == [
        ((), CLASS, 10 * HOUR),
        ((CLASS,), READING, 11 * HOUR),
        ((CLASS, READING), EVENING, 12 * HOUR),
        ((READING,), EVENING, 13 * HOUR),
        ((), EVENING, 19 * HOUR),
        ((), None, None),
    ]
    assert agenda.at(11 * HOUR + 1).reserving == (CLASS,)


@pytest.mark.parametrize(
    ("after_start", "last_seen", "watched_since", "expected"),
    [
        (GRACE_MS, None, 0, True),
        (GRACE_MS - 1, None, 0, False),
        (GRACE_MS, -EARLY_MS, 0, False),
        (GRACE_MS, -EARLY_MS - 1, 0, True),
        (GRACE_MS, 60_000, 0, False),
        (GRACE_MS, None, 1, False),
        (GRACE_MS, None, None, False),
    ],
)
def test_a_booking_is_given_up_only_when_watched_all_the_time(
    after_start: int, last_seen: int | None, watched_since: int | None, expected: bool
) -> None:
    start = CLASS.start
    seen = None if last_seen is None else start + last_seen
    watched = None if watched_since is None else start + watched_since
    assert nobody_came(CLASS, start + after_start, seen, watched) is expected
    assert gives_up_at(CLASS) == start + GRACE_MS


@pytest.mark.parametrize(
    ("use", "expected"),
    [("free", "reserved"), ("unknown", "reserved"), ("occupied", "occupied"), ("away", "away"), ("blocked", "blocked")],
)
def test_a_booking_reserves_what_nobody_uses(use: Use, expected: Use) -> None:
    agenda = Agenda([CLASS, READING])
    assert use_with(use, agenda.at(10 * HOUR)) == expected
    assert use_with(use, agenda.at(10 * HOUR), given_up=[CLASS]) == use
    assert use_with(use, agenda.at(12 * HOUR)) == use
