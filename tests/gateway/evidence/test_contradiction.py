"""Sensors that stick or contradict what is around them are suspect, and honest again by consistent evidence."""

import pytest

from tests.gateway.live.house import HOUR, MINUTE, House
from tests.gateway.properties.stuck import measure

PILE = {"id": "pile", "kind": "charger", "type": "ev"}


def verdict(house: House, resource: str) -> tuple[object, ...]:
    return (*house.seen(resource, "usable", "evidence"), house.facts(resource).doubt.suspect)


@pytest.mark.parametrize(
    ("said", "after_min", "reason"),
    [
        ({"status": "Charging", "power_w": 0}, 2, "charging_without_power"),
        ({"status": "Available", "power_w": 900}, 1, "power_while_free"),
        ({"status": "Charging", "power_w": 900, "energy_wh": 5000}, 15, "meter_stands_still"),
    ],
)
def test_a_charger_that_contradicts_itself_is_suspect_after_a_while_and_not_before(said, after_min, reason):
    house = House([PILE])
    house.say("pile", **said)
    house.wait_while((after_min - 1) * MINUTE, ("pile", said))
    assert verdict(house, "pile")[1:] == ("live", None)
    house.wait_while(MINUTE, ("pile", said))
    assert verdict(house, "pile") == ("unknown", "suspect", reason)
    assert house.shown("pile")["because"][0] == "suspect"
    house.say("pile", status="Available", power_w=0)
    assert verdict(house, "pile") == ("yes", "live", None)


def test_a_meter_that_moves_shows_that_power_really_flows():
    house = House([PILE])
    for minute in range(60):
        house.say("pile", status="Charging", power_w=900, energy_wh=5000 + 15 * minute)
        house.wait(MINUTE)
    assert verdict(house, "pile") == ("no", "live", None)


def test_a_short_pause_in_charging_is_no_contradiction():
    house = House([PILE])
    for minute in range(60):
        house.say("pile", status="Charging", power_w=900 if minute % 10 else 0)
        house.wait(MINUTE)
    assert verdict(house, "pile")[1:] == ("live", None)


SEAT, DOOR = {"id": "seat", "kind": "seat"}, {"id": "door", "kind": "door"}
TAKEN, SHUT = ("seat", {"occupied": True}), ("door", {"open": False})


def six_hours(house: House, *also: tuple[str, dict[str, object]]) -> None:
    house.say("seat", occupied=True)
    house.wait_while(6 * HOUR + 30 * MINUTE, TAKEN, SHUT, *also)


def test_a_seat_taken_for_hours_while_no_door_moved_and_nothing_draws_power_is_suspect():
    house = House([SEAT, DOOR])
    house.say("door", open=False)
    six_hours(house)
    assert verdict(house, "seat") == ("unknown", "suspect", "occupied_though_nobody_is_about")
    house.say("seat", occupied=False)
    assert verdict(house, "seat") == ("yes", "live", None)


def test_whoever_passes_the_door_or_charges_nearby_makes_it_plausible():
    house = House([SEAT, DOOR, PILE])
    house.say("door", open=False)
    house.say("seat", occupied=True)
    house.wait(MINUTE)
    house.tell("door", "card", card="a1", granted=True, direction="in")
    house.wait_while(7 * HOUR, TAKEN, SHUT)
    assert verdict(house, "seat") == ("no", "live", None)
    house = House([SEAT, DOOR, PILE])
    house.say("door", open=False)
    six_hours(house, ("pile", {"status": "Charging", "power_w": 900}))
    assert verdict(house, "seat") == ("no", "live", None)


def test_without_a_door_nobody_can_say_that_nobody_is_about():
    house = House([SEAT])
    house.say("seat", occupied=True)
    house.wait_while(9 * HOUR, TAKEN)
    assert verdict(house, "seat") == ("no", "live", None)


def test_a_value_that_never_changes_where_its_neighbours_do_is_suspect():
    house = House([{"id": f"seat-{number}", "kind": "seat"} for number in range(4)])
    for minute in range(2 * 60 + 11):
        for number in range(4):
            house.say(f"seat-{number}", occupied=number > 0 and minute // 10 % 2 == 0)
        house.wait(MINUTE)
    assert verdict(house, "seat-0") == ("unknown", "suspect", "frozen")
    assert verdict(house, "seat-1")[1:] == ("live", None)
    house.say("seat-0", occupied=True)
    assert verdict(house, "seat-0") == ("no", "live", None)


def test_in_a_quiet_night_no_seat_is_frozen():
    house = House([{"id": f"seat-{number}", "kind": "seat"} for number in range(4)])
    for number in range(4):
        house.say(f"seat-{number}", occupied=False)
    house.wait_while(10 * HOUR, *((f"seat-{number}", {"occupied": False}) for number in range(4)))
    assert {verdict(house, f"seat-{number}") for number in range(4)} == {("yes", "live", None)}


@pytest.mark.slow
def test_most_stuck_sensors_are_found_and_hardly_an_honest_one_is_doubted():
    """Bounds of the table in docs/availability.md, on one day of two stations."""
    tallies = measure(range(7, 8), stations=2, hours=16)
    stuck = [tallies[kind] for kind in ("seat", "charger")]
    assert sum(tally.lying for tally in stuck) >= 4
    assert sum(tally.noticed for tally in stuck) >= 0.6 * sum(tally.lying for tally in stuck)
    for tally in tallies.values():
        assert tally.doubted_minutes <= 0.005 * tally.honest_minutes
