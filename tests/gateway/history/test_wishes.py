"""Wishes: five alike before anybody is told; accepted ones follow the calendar, and close once seen held."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway.base.times import from_rfc3339
from gateway.history.wishes import (
    ALIKE_MIN,
    INTERESTS,
    Demand,
    progressed,
    slot_of,
    told_demands,
    week_of,
)
from gateway.model import ActivityEnded, Held
from gateway.policy.activities import Activity

ZONE = ZoneInfo("Asia/Shanghai")
TAKEN = from_rfc3339("2026-11-21T20:00:00+08:00")
TUESDAY = from_rfc3339("2026-11-24T09:00:00+08:00")
HOUR, DAY = 3_600_000, 86_400_000
ACCEPTED = Demand("yanshan", "tai_chi", "weekday_morning", 7, "accepted", "Li", "Li", TAKEN, taken_at=TAKEN)
PLANNED = replace(ACCEPTED, state="planned", uid="u1", area="hall", start=TUESDAY)


def activity(start: int = TUESDAY, title: str = "太极拳班", uid: str = "u1", *, reserves: bool = True) -> Activity:
    return Activity(start, start + HOUR, uid, title, reserves)


def ended(held: Held, start: int = TUESDAY, uid: str = "u1") -> ActivityEnded:
    return ActivityEnded("yanshan", "hall", start, start + HOUR, uid, held)


def after(demand: Demand, *activities: Activity, over: tuple[ActivityEnded, ...] = (), now: int = TUESDAY) -> Demand:
    return progressed(demand, {"hall": activities}, over, ZONE, now)


def test_four_wishes_are_told_to_nobody_and_five_are() -> None:
    four, five = ("a", "dance", "weekend_morning"), ("b", "dance", "weekend_morning")
    assert ALIKE_MIN == 5
    assert told_demands({four: 4, five: 5}, []) == [Demand(*five, 5)]


def test_a_demand_under_way_counts_who_wished_since() -> None:
    told = told_demands({ACCEPTED.key: 9}, [ACCEPTED])
    assert told == [replace(ACCEPTED, wishes=9)]
    assert told_demands({}, [ACCEPTED]) == [ACCEPTED], "wishes that grew old are no reason to forget it"


@pytest.mark.parametrize(
    ("at", "slot"),
    [
        ("2026-11-20T11:59:59+08:00", "weekday_morning"),
        ("2026-11-20T12:00:00+08:00", "weekday_afternoon"),
        ("2026-11-20T18:00:00+08:00", "weekday_evening"),
        ("2026-11-21T05:00:00+08:00", "weekend_morning"),
        ("2026-11-22T04:59:59+08:00", "weekend_evening"),
    ],
)
def test_times_of_the_week_are_the_stations_own(at: str, slot: str) -> None:
    assert slot_of(from_rfc3339(at), ZONE) == slot


def test_a_week_is_called_after_its_monday() -> None:
    assert week_of(TAKEN, ZONE) == "2026-11-16"
    assert week_of(TAKEN, ZONE, 13) == "2026-08-17"


def test_a_booking_whose_title_has_the_interest_at_the_wished_time_plans_it() -> None:
    assert after(ACCEPTED, activity()) == replace(PLANNED, changed_by="calendar", changed_at=TUESDAY)


@pytest.mark.parametrize(
    "other",
    [
        activity(title="合唱团"),
        activity(title=""),
        activity(TUESDAY + 4 * HOUR),
        activity(TAKEN - DAY),
        activity(reserves=False),
    ],
)
def test_another_activity_does_not(other: Activity) -> None:
    assert after(ACCEPTED, other) is ACCEPTED


def test_the_event_that_the_organiser_named_needs_no_title_and_no_time() -> None:
    named = replace(ACCEPTED, uid="mine")
    other = activity(TUESDAY + 8 * HOUR, "", "mine")
    assert after(named, activity(), other).start == other.start


def test_it_closes_when_presence_saw_it_held() -> None:
    closed = after(PLANNED, activity(), over=(ended("held"),), now=TUESDAY + HOUR)
    assert (closed.state, closed.changed_by) == ("held", "presence")


def test_one_held_between_two_looks_closes_it_by_its_uid() -> None:
    assert after(replace(ACCEPTED, uid="u1"), over=(ended("held"),)).state == "held"


@pytest.mark.parametrize("held", ["not_held", "unknown"])
def test_one_that_was_not_seen_held_leaves_it_for_the_next(held: Held) -> None:
    over = (ended(held),)
    open_still = after(PLANNED, activity(), over=over, now=TUESDAY + HOUR)
    assert (open_still.state, open_still.remark, open_still.start) == ("accepted", held, TUESDAY)
    following = activity(TUESDAY + 7 * DAY)
    again = after(open_still, activity(), following, over=over, now=TUESDAY + 2 * HOUR)
    assert (again.state, again.start) == ("planned", following.start)


def test_one_that_left_the_calendar_was_called_off() -> None:
    assert after(PLANNED, now=TUESDAY - HOUR).remark == "called_off"
    assert progressed(PLANNED, {}, (), ZONE, TUESDAY - HOUR, whole=False) is PLANNED, (
        "who sees little concludes nothing"
    )


def test_one_of_which_nothing_became_known_is_over_after_two_days() -> None:
    assert after(PLANNED, now=TUESDAY + 2 * DAY) is PLANNED
    assert after(PLANNED, now=TUESDAY + 2 * DAY + 1).remark == "unknown"


def test_what_nobody_accepted_follows_no_calendar() -> None:
    assert after(replace(ACCEPTED, state="assigned"), activity(), over=(ended("held"),)).state == "assigned"


def test_no_title_means_two_interests_by_its_names() -> None:
    for name, interest in INTERESTS.items():
        for title in interest.names:
            assert [key for key, known in INTERESTS.items() if known.is_in(title)] == [name]
