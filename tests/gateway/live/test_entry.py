"""What a station shows of whether one can come in, by its doors, cards, seats and people."""

import json
from typing import Any

import pytest

from gateway.live.station_document import withdrawn
from gateway.policy.override import Override, OverrideTarget
from tests.gateway.live.house import HOUR, MINUTE, START, House
from tests.gateway.live.test_document_bytes import known

DOOR = {"id": "door-main", "kind": "door", "ttl": 86_400}
SEAT = {"id": "seat-01", "kind": "seat", "ttl": 86_400}
MICROWAVE = {"id": "microwave", "kind": "appliance", "type": "microwave", "ttl": 86_400}
PHONE = {"id": "phone-01", "kind": "charger", "type": "phone", "ttl": 86_400}
PILE = {"id": "pile-01", "kind": "charger", "type": "ev", "ttl": 86_400}
ROOM = {"id": "room", "kind": "room", "ttl": 86_400}


def proof(house: House) -> tuple[Any, ...]:
    said = house.document()["open"]
    return said["now"], said["proof"]


def test_a_station_without_such_sensors_is_unproved_and_never_accused() -> None:
    house = House([SEAT])
    house.say("seat-01", occupied=False)
    house.wait(20 * HOUR)
    assert proof(house) == ("yes", "unproved")
    assert house.seen("seat-01", "usable", "because") == ("yes", [])


def test_a_locked_door_in_opening_hours_makes_all_behind_it_unknown() -> None:
    house = House([DOOR, SEAT, MICROWAVE])
    house.say("door-main", open=False, locked=True)
    house.say("seat-01", occupied=False)
    house.wait(15 * MINUTE - 1)
    assert proof(house) == ("yes", "unproved")
    house.wait(1)
    assert proof(house) == ("yes", "contradicted")
    assert house.seen("seat-01", "usable", "because", "access") == ("unknown", ["not_enterable"], "open")
    assert house.seen("door-main", "usable", "because") == ("unknown", ["not_enterable"])
    line = next(row for row in house.document()["summary"] if row["kind"] == "seat")
    assert (line["usable_min"], line["usable_max"]) == (0, 1)
    house.say("door-main", open=False, locked=False)
    assert house.seen("seat-01", "usable", "because") == ("yes", [])
    assert proof(house) == ("yes", "unproved"), "one step through a door is nobody's business"


def test_closed_is_not_contradicted() -> None:
    house = House([DOOR, SEAT], hours="12:00-14:00")
    house.say("door-main", open=False, locked=True)
    house.say("seat-01", occupied=False)
    house.wait(90 * MINUTE)
    assert house.seen("seat-01", "usable", "because") == ("no", ["closed"])
    house.wait(30 * MINUTE)
    assert house.seen("seat-01", "usable", "because") == ("yes", [])
    house.wait(15 * MINUTE)
    assert house.seen("seat-01", "usable", "because") == ("unknown", ["not_enterable"])
    house.wait(2 * HOUR)
    assert house.seen("seat-01", "usable", "because") == ("no", ["closed"])


def test_who_has_a_card_comes_in_by_a_locked_door() -> None:
    house = House([DOOR, SEAT])
    house.tell("door-main", "card", card="aa", granted=True)
    house.say("door-main", open=False, locked=True)
    house.wait(10 * HOUR)
    assert proof(house) == ("yes", "unproved")


def test_a_door_that_is_said_to_have_a_reader_accuses_nobody_before_the_first_card() -> None:
    house = House([DOOR | {"features": ["reader"]}, SEAT])
    house.say("door-main", open=False, locked=True)
    house.wait(10 * HOUR)
    assert proof(house) == ("yes", "unproved")


def test_three_cards_refused_contradict_and_one_granted_clears() -> None:
    house = House([DOOR, SEAT])
    house.say("door-main", open=False, locked=True)
    for card in ("aa", "ab", "ac"):
        house.tell("door-main", "card", card=card, granted=False)
    house.wait(16 * MINUTE)
    assert proof(house) == ("yes", "contradicted")
    house.tell("door-main", "card", card="ad", granted=True)
    assert proof(house) == ("yes", "unproved")


@pytest.mark.parametrize(
    ("thing", "idle", "used", "sign"),
    [
        (SEAT, {"occupied": False}, {"occupied": True}, "proved"),
        (MICROWAVE, {"status": "idle"}, {"status": "running"}, "proved"),
        (PHONE, {"status": "Available"}, {"status": "Charging"}, "proved"),
        (PILE, {"status": "Available"}, {"status": "Charging"}, "unproved"),  # outdoors: a car proves no open door
        (ROOM, {"people": 0}, {"people": 9}, "unproved"),  # one tells of persons, and five are no secret
    ],
)
def test_what_comes_into_use_proves_that_one_can_come_in(
    thing: dict[str, Any], idle: dict[str, Any], used: dict[str, Any], sign: str
) -> None:
    house = House([thing])
    house.say(thing["id"], **used)
    assert proof(house)[1] == "unproved", "what it says first is nothing that anybody saw happen"
    house.say(thing["id"], **idle)
    house.wait(MINUTE)
    house.say(thing["id"], **used)
    assert proof(house)[1] == sign
    if sign == "proved":
        house.wait(2 * HOUR - 1)
        assert proof(house)[1] == "proved"
        house.wait(1)
        assert proof(house)[1] == "unproved"


def test_five_steps_through_a_door_are_told_at_the_next_tick_and_their_times_by_the_hour() -> None:
    house = House([DOOR])
    house.say("door-main", open=False, locked=False)
    for _ in range(5):
        house.wait(30_000)
        house.say("door-main", open=True)
        house.say("door-main", open=False)
    assert proof(house)[1] == "unproved"
    house.wait(5 * MINUTE)
    said = house.document()["open"]
    assert (said["proof"], said["proved_at"]) == ("proved", "2026-06-01T02:00:00Z")
    assert said["proved_until"] == "2026-06-01T05:00:00Z"


def test_a_sensor_that_contradicts_itself_or_has_gone_silent_says_nothing() -> None:
    house = House([DOOR | {"ttl": 60}, SEAT])
    house.say("door-main", open=False, locked=True)
    house.wait(HOUR)
    assert proof(house)[1] == "unproved"


def test_who_opens_by_hand_is_there() -> None:
    house = House([SEAT], hours="20:00-21:00")
    house.live.set_by_hand(OverrideTarget("yanshan"), Override("open", START + HOUR), START)
    assert proof(house) == ("yes", "proved")


def test_nobody_renews_what_was_proved_so_it_is_taken_back() -> None:
    house = House([SEAT])
    house.say("seat-01", occupied=False)
    house.wait(MINUTE)
    house.say("seat-01", occupied=True)
    body = json.dumps(house.document()).encode()
    until = START + 3 * HOUR
    assert withdrawn(known(body), until + 1_999).open.proof == "proved"
    assert withdrawn(known(body), until + 2_000).open.proof == "unproved"


def passes(house: House, *, locks_after: int) -> None:
    """Somebody opens the door, and it locks again."""
    house.say("door-main", open=False, locked=False)
    house.say("door-main", open=True, locked=False)
    house.say("door-main", open=False, locked=False)
    house.wait(locks_after)
    house.say("door-main", open=False, locked=True)


def test_a_door_that_locks_behind_everybody_is_opened_by_something_and_accuses_nobody() -> None:
    house = House([DOOR, SEAT])
    house.say("door-main", open=False, locked=True)
    for _ in range(3):
        passes(house, locks_after=MINUTE)
    house.wait(15 * MINUTE)
    assert proof(house)[1] == "contradicted", "staff may have looked in, and locked again"
    passes(house, locks_after=MINUTE)
    house.wait(10 * HOUR)
    assert proof(house)[1] == "unproved"


def test_four_in_more_than_half_a_day_are_no_habit() -> None:
    house = House([DOOR])
    house.say("door-main", open=False, locked=True)
    for _ in range(4):
        passes(house, locks_after=MINUTE)
        house.wait(4 * HOUR)
    assert proof(house)[1] == "contradicted"


def test_a_door_that_stands_unlocked_for_ten_minutes_does_not_lock_itself() -> None:
    house = House([DOOR])
    house.say("door-main", open=False, locked=True)
    for _ in range(4):
        passes(house, locks_after=MINUTE)
    house.wait(20 * MINUTE)
    assert proof(house)[1] == "unproved"
    passes(house, locks_after=10 * MINUTE)
    house.wait(15 * MINUTE)
    assert proof(house)[1] == "contradicted"


def test_a_leaf_that_moves_while_the_bolt_says_locked_makes_nothing_of_the_bolt() -> None:
    house = House([DOOR])
    house.say("door-main", open=False, locked=True)
    house.say("door-main", open=True, locked=True)
    house.say("door-main", open=False, locked=True)
    house.wait(10 * HOUR)
    assert proof(house)[1] == "unproved"


def test_people_who_appear_behind_doors_that_say_shut_and_never_move_put_them_in_doubt() -> None:
    house = House([DOOR, SEAT])
    house.say("door-main", open=False, locked=True)
    house.say("seat-01", occupied=False)
    house.wait(14 * MINUTE)
    house.say("seat-01", occupied=True)
    house.say("seat-01", occupied=False)
    house.wait(15 * MINUTE)
    assert proof(house)[1] == "contradicted", "who was seen so soon came in before it was locked"
    house.say("seat-01", occupied=True)
    assert proof(house)[1] == "proved"
    house.wait(10 * HOUR)
    assert proof(house)[1] == "unproved"
    passes(house, locks_after=MINUTE)
    house.wait(15 * MINUTE)
    assert proof(house)[1] == "contradicted", "it has moved, so its sensor lives"


def test_a_reader_that_is_a_device_of_its_own_lives_until_it_says_goodbye() -> None:
    house = House([DOOR, DOOR | {"id": "reader", "features": ["reader"]}])
    house.say("door-main", open=False, locked=True)
    house.wait(15 * MINUTE)
    assert proof(house)[1] == "contradicted", "nobody ever heard of it"
    house.tell("reader", "card", card="aa", granted=True)
    house.wait(10 * HOUR)
    assert proof(house)[1] == "unproved"
    house.send("yz/yanshan/reader/availability", "offline")
    house.wait(MINUTE)
    house.say("door-main", open=False, locked=True)
    house.wait(15 * MINUTE)
    assert proof(house)[1] == "contradicted"


def test_a_door_that_went_silent_while_it_was_unlocked_is_not_made_shut_by_a_back_door() -> None:
    house = House([DOOR | {"ttl": 3_600}, DOOR | {"id": "back"}])
    house.say("back", open=False, locked=True)
    house.say("door-main", open=False, locked=False)
    house.wait(10 * HOUR)
    assert proof(house)[1] == "unproved"
    house.say("door-main", open=False, locked=True)
    house.wait(20 * MINUTE)
    assert proof(house)[1] == "contradicted"
    house.wait(2 * HOUR)
    assert proof(house)[1] == "contradicted", "it was locked when it was last heard, and the other is"


def test_one_time_that_a_door_stood_unlocked_does_not_unlearn_a_habit_of_days() -> None:
    house = House([DOOR])
    house.say("door-main", open=False, locked=True)
    for _ in range(8):
        passes(house, locks_after=MINUTE)
    passes(house, locks_after=20 * MINUTE)
    house.wait(3 * HOUR)
    assert proof(house)[1] == "unproved"
    passes(house, locks_after=20 * MINUTE)
    house.wait(HOUR)
    assert proof(house)[1] == "contradicted"
