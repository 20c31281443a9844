"""Activities that are over: held where presence proved it, not held where sensors saw nobody, else not known."""

from collections.abc import Sequence

import pytest

from gateway.model import ActivityEnded
from gateway.policy.activities import Activity, Agenda
from tests.gateway.live.house import HOUR, MINUTE, START, House

ROOM = {"id": "room", "kind": "room", "ttl": 600}
SECOND_ROOM = {"id": "room-2", "kind": "room", "ttl": 600}
DANCE = Activity(START + HOUR, START + 2 * HOUR, "dance", "舞蹈", reserves=True)


def house(*activities: Activity, rooms: Sequence[dict[str, object]] = (ROOM,)) -> House:
    made = House(rooms)
    made.live.programme("yanshan", "lounge", Agenda(activities or (DANCE,)), made.now)
    return made


def live(made: House, until: int, people: int, room: str = "room") -> None:
    """The room says how many are there, every five minutes."""
    while made.now < until:
        made.say(room, people=people)
        made.wait(min(5 * MINUTE, until - made.now))


def ended(made: House) -> list[ActivityEnded]:
    all_ended = made.ended + made.live.activities.take()
    made.ended.clear()
    return all_ended


def test_whoever_is_there_after_a_quarter_of_an_hour_has_come_for_it() -> None:
    made = house()
    live(made, DANCE.start + 20 * MINUTE, 0)
    live(made, DANCE.start + 40 * MINUTE, 3)
    live(made, DANCE.end - 1, 0)
    assert ended(made) == []
    made.wait(1)
    assert ended(made) == [ActivityEnded("yanshan", "lounge", DANCE.start, DANCE.end, "dance", "held")]
    live(made, DANCE.end + HOUR, 0)
    assert ended(made) == [], "each is told once"


@pytest.mark.parametrize(
    ("there_until", "held"),
    [(0, "not_held"), (DANCE.start - MINUTE, "not_held"), (DANCE.start + 10 * MINUTE, "unknown"), (DANCE.end, "held")],
)
def test_who_stayed_from_before_proves_nothing(there_until: int, held: str) -> None:
    made = house()
    live(made, there_until, 2)
    live(made, DANCE.end, 0)
    assert [activity.held for activity in ended(made)] == [held]


def test_without_a_sensor_or_with_a_silent_one_it_is_not_known() -> None:
    seats = house(rooms=[{"id": "seat-01", "kind": "seat"}])
    seats.wait(3 * HOUR)
    silent = house()
    live(silent, DANCE.start - 30 * MINUTE, 0)
    silent.wait(3 * HOUR)
    late = house()
    late.wait(90 * MINUTE)
    live(late, DANCE.end, 0)
    for made in (seats, silent, late):
        assert [activity.held for activity in ended(made)] == ["unknown"]


def test_who_came_and_whose_sensor_then_fell_silent_was_there() -> None:
    made = house()
    live(made, DANCE.start + 30 * MINUTE, 4)
    made.wait(2 * HOUR)
    assert [activity.held for activity in ended(made)] == ["held"]


def test_one_room_proves_one_activity() -> None:
    chess = Activity(DANCE.start, DANCE.end, "chess", "", reserves=True)
    made = house(DANCE, chess, rooms=[ROOM, SECOND_ROOM])
    for _ in range(24):
        made.say("room", people=3)
        made.say("room-2", people=0)
        made.wait(5 * MINUTE)
    assert [activity.held for activity in ended(made)] == ["unknown", "unknown"], "nobody knows which of the two"
    both = house(DANCE, chess, rooms=[ROOM, SECOND_ROOM])
    for _ in range(24):
        both.say("room", people=3)
        both.say("room-2", people=3)
        both.wait(5 * MINUTE)
    assert [activity.held for activity in ended(both)] == ["held", "held"]


def test_what_is_cancelled_or_keeps_no_room_is_no_activity() -> None:
    notice = Activity(DANCE.start, DANCE.end, "notice", "", reserves=False)
    made = house(notice)
    made.wait(3 * HOUR)
    assert ended(made) == []
    made = house()
    made.wait(90 * MINUTE)
    made.live.programme("yanshan", "lounge", Agenda(()), made.now)
    made.wait(2 * HOUR)
    assert ended(made) == []


def test_what_ended_while_nobody_watched_is_not_known() -> None:
    """After a start the calendar tells of yesterday as well; what rooms say now tells nothing of it."""
    for people in (0, 3):
        made = House([ROOM])
        made.wait(3 * HOUR)
        live(made, START + 4 * HOUR, people)
        made.live.programme("yanshan", "lounge", Agenda([DANCE]), made.now)
        assert [activity.held for activity in ended(made)] == ["unknown"]


def test_a_verdict_travels_with_the_outcome() -> None:
    made = house()
    made.live.activities.ended.append(ActivityEnded("yanshan", "lounge", 0, 1, "u", "held"))
    assert made.pipeline.pending
    outcome = made.pipeline.take()
    assert (bool(outcome), len(outcome.ended), made.pipeline.pending) == (True, 1, False)


def test_one_that_was_given_up_and_then_left_the_calendar_was_not_held() -> None:
    made = house()
    live(made, DANCE.start + 20 * MINUTE, 0)
    made.live.programme("yanshan", "lounge", Agenda(()), made.now)
    assert ended(made) == [ActivityEnded("yanshan", "lounge", DANCE.start, DANCE.end, "dance", "not_held")]
    live(made, DANCE.end + HOUR, 0)
    assert ended(made) == []


def test_one_that_left_the_calendar_before_anybody_gave_it_up_is_none() -> None:
    made = house()
    live(made, DANCE.start + 5 * MINUTE, 0)
    made.live.programme("yanshan", "lounge", Agenda(()), made.now)
    live(made, DANCE.end + HOUR, 0)
    assert ended(made) == []
