"""What takes place in an area: rooms are reserved, nobody who sits there is moved, and empty bookings are given up."""

from gateway.live.booking import given_up
from gateway.policy.activities import Activity, Agenda
from tests.gateway.live.house import HOUR, MINUTE, START, House

EMPTY, TAKEN = {"occupied": False}, {"occupied": True}


def house() -> House:
    made = House([{"id": "room", "kind": "room", "ttl": 90_000}, {"id": "seat", "kind": "seat", "ttl": 90_000}])
    made.say("room", **EMPTY)
    made.say("seat", **EMPTY)
    return made


def activity(start: int, end: int, title: str = "象棋", reserves: bool = True) -> Activity:
    return Activity(START + start, START + end, f"{start}@here", title, reserves)


def plan(one: House, *activities: Activity) -> None:
    one.live.programme("yanshan", "lounge", Agenda(activities), one.now)


def test_a_booked_room_is_reserved_from_its_beginning_to_its_end_and_seats_are_not():
    one = house()
    plan(one, activity(HOUR, 2 * HOUR))
    assert one.seen("room", "usable") == ("yes",)
    one.wait(HOUR)
    assert one.seen("room", "usable", "because") == ("no", ["reserved"])
    assert one.seen("seat", "usable") == ("yes",)
    one.say("room", **TAKEN)
    assert one.seen("room", "use") == ("occupied",)
    one.wait(HOUR)
    one.say("room", **EMPTY)
    assert one.seen("room", "usable") == ("yes",)


def test_the_screen_is_told_what_is_on_and_what_comes_next():
    one = house()
    plan(one, activity(0, HOUR, "象棋"), activity(3 * HOUR, 4 * HOUR, ""))
    assert one.shown("room")["programme"] == {
        "now": {"title": {"zh": "象棋"}, "until": "2026-06-01T03:00:00Z"},
        "next": {"title": {}, "from": "2026-06-01T05:00:00Z"},
    }
    one.wait(HOUR)
    assert set(one.shown("room")["programme"]) == {"next"}
    assert "programme" not in one.shown("seat")


def test_a_booking_that_nobody_came_to_is_given_up_and_stays_so():
    one = house()
    plan(one, activity(HOUR, 3 * HOUR))
    one.wait(HOUR + 15 * MINUTE - 1)
    assert one.seen("room", "use") == ("reserved",)
    one.wait(1)
    assert one.seen("room", "usable") == ("yes",)
    one.wait(MINUTE)
    for said in (TAKEN, EMPTY):
        one.say("room", **said)
    assert one.seen("room", "usable") == ("yes",)


def test_who_came_early_has_come():
    one = house()
    plan(one, activity(HOUR, 2 * HOUR))
    one.wait(HOUR - 5 * MINUTE)
    for said in (TAKEN, EMPTY):
        one.say("room", **said)
    one.wait(30 * MINUTE)
    assert one.seen("room", "use") == ("reserved",)


def test_a_booking_is_kept_when_nobody_watched_whether_anybody_came():
    one = House([{"id": "room", "kind": "room", "ttl": 600}])
    one.say("room", **EMPTY)
    plan(one, activity(HOUR, 2 * HOUR))
    one.wait(HOUR + 5 * MINUTE)
    one.wait_while(20 * MINUTE, ("room", EMPTY))
    assert one.seen("room", "use", "usable") == ("reserved", "no")


def test_a_calendar_that_is_changed_frees_the_room_at_once():
    one = house()
    plan(one, activity(0, HOUR))
    assert one.seen("room", "use") == ("reserved",)
    plan(one)
    assert one.seen("room", "usable") == ("yes",)


def test_whoever_asks_hears_what_is_given_up_now():
    one, booking = house(), activity(HOUR, 3 * HOUR)
    plan(one, booking)
    one.wait(HOUR + 15 * MINUTE - 1)
    assert given_up(one.live.stations, ("yanshan", "lounge")) == frozenset()
    one.wait(1)
    assert given_up(one.live.stations, ("yanshan", "lounge")) == {booking}
    assert (
        given_up(one.live.stations, ("yanshan", "yard"))
        == given_up(one.live.stations, ("nowhere", "lounge"))
        == frozenset()
    )
    one.wait(2 * HOUR)
    assert given_up(one.live.stations, ("yanshan", "lounge")) == frozenset()
