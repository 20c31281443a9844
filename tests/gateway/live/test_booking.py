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


def plan(home: House, *activities: Activity) -> None:
    home.live.programme("yanshan", "lounge", Agenda(activities), home.now)


def test_a_booked_room_is_reserved_from_its_beginning_to_its_end_and_seats_are_not():
    home = house()
    plan(home, activity(HOUR, 2 * HOUR))
    assert home.seen("room", "usable") == ("yes",)
    home.wait(HOUR)
    assert home.seen("room", "usable", "because") == ("no", ["reserved"])
    assert home.seen("seat", "usable") == ("yes",)
    home.say("room", **TAKEN)
    assert home.seen("room", "use") == ("occupied",)
    home.wait(HOUR)
    home.say("room", **EMPTY)
    assert home.seen("room", "usable") == ("yes",)


def test_the_screen_is_told_what_is_on_and_what_comes_next():
    home = house()
    plan(home, activity(0, HOUR, "象棋"), activity(3 * HOUR, 4 * HOUR, ""))
    assert home.shown("room")["programme"] == {
        "now": {"title": {"zh": "象棋"}, "until": "2026-06-01T03:00:00Z"},
        "next": {"title": {}, "from": "2026-06-01T05:00:00Z"},
    }
    home.wait(HOUR)
    assert set(home.shown("room")["programme"]) == {"next"}
    assert "programme" not in home.shown("seat")


def test_a_booking_that_nobody_came_to_is_given_up_and_stays_so():
    home = house()
    plan(home, activity(HOUR, 3 * HOUR))
    home.wait(HOUR + 15 * MINUTE - 1)
    assert home.seen("room", "use") == ("reserved",)
    home.wait(1)
    assert home.seen("room", "usable") == ("yes",)
    home.wait(MINUTE)
    for said in (TAKEN, EMPTY):
        home.say("room", **said)
    assert home.seen("room", "usable") == ("yes",)


def test_who_came_early_has_come():
    home = house()
    plan(home, activity(HOUR, 2 * HOUR))
    home.wait(HOUR - 5 * MINUTE)
    for said in (TAKEN, EMPTY):
        home.say("room", **said)
    home.wait(30 * MINUTE)
    assert home.seen("room", "use") == ("reserved",)


def test_a_booking_is_kept_when_nobody_watched_whether_anybody_came():
    home = House([{"id": "room", "kind": "room", "ttl": 600}])
    home.say("room", **EMPTY)
    plan(home, activity(HOUR, 2 * HOUR))
    home.wait(HOUR + 5 * MINUTE)
    home.wait_while(20 * MINUTE, ("room", EMPTY))
    assert home.seen("room", "use", "usable") == ("reserved", "no")


def test_a_calendar_that_is_changed_frees_the_room_at_once():
    home = house()
    plan(home, activity(0, HOUR))
    assert home.seen("room", "use") == ("reserved",)
    plan(home)
    assert home.seen("room", "usable") == ("yes",)


def test_whoever_asks_hears_what_is_given_up_now():
    home, booking = house(), activity(HOUR, 3 * HOUR)
    plan(home, booking)
    home.wait(HOUR + 15 * MINUTE - 1)
    assert given_up(home.live.stations, ("yanshan", "lounge")) == frozenset()
    home.wait(1)
    assert given_up(home.live.stations, ("yanshan", "lounge")) == {booking}
    assert (
        given_up(home.live.stations, ("yanshan", "yard"))
        == given_up(home.live.stations, ("nowhere", "lounge"))
        == frozenset()
    )
    home.wait(2 * HOUR)
    assert given_up(home.live.stations, ("yanshan", "lounge")) == frozenset()
