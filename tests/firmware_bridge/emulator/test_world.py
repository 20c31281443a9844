"""The hidden world agrees with itself."""

import json
from collections import defaultdict
from itertools import pairwise

from firmware_bridge.emulator.day import DAY_S, visits_per_hour
from firmware_bridge.emulator.things import Charger, ChargingSession, Room, Seat, VirtualDoor

from .conftest import START

OCPP_ORDER = {
    "Available": {"Preparing"},
    "Preparing": {"Charging"},
    "Charging": {"SuspendedEV", "Finishing"},
    "SuspendedEV": {"Finishing"},
    "Finishing": {"Available"},
}


def test_people_inside_are_those_who_sit_stand_or_are_in_a_room(build_town, play):
    town = build_town(speed=300.0)
    seen = set()
    for _ in play(town, 180):
        for world in town.worlds.values():
            seated = sum(thing.taken for thing in world.things if isinstance(thing, Seat))
            in_rooms = sum(thing.people for thing in world.things if isinstance(thing, Room))
            assert world.people == seated + in_rooms + world.standing
            assert world.standing >= 0
            seen.add(world.people)
    assert len(seen) > 10


def test_granted_swipes_in_less_those_out_change_the_people_inside_by_as_many(build_town, play):
    town = build_town()
    inside = dict.fromkeys(town.worlds, 0)
    before = {station: town.people(station) for station in town.worlds}
    for message in play(town, 120):
        if message.topic.endswith("/event"):
            swipe = json.loads(message.payload)
            int(swipe["card"], 16)
            inside[message.station] += swipe["granted"] * (1 if swipe["direction"] == "in" else -1)
    unheard = 6  # who came and went in the two seconds before the door's device was up
    for station, people in before.items():
        assert abs(people + inside[station] - town.people(station)) <= unheard


def test_what_honest_devices_last_said_is_what_is_true(build_town, play):
    town, said = build_town(), {}
    for message in play(town, 90):
        if message.topic.endswith("/state"):
            said[message.station, message.device] = json.loads(message.payload)
    for (station, resource), truth in town.truth().items():
        signals = said[station, resource]
        if "occupied" in signals:
            assert signals["occupied"] == (truth.use == "occupied")
        if "people" in signals:
            assert signals["people"] == truth.people
        if "free" in signals:
            assert signals["free"] == truth.free
        if "energy_wh" in signals:
            assert (signals["status"] == "Available") == (truth.use == "free")


def test_chargers_go_through_ocpp_statuses_in_order_with_power_only_while_charging(build_town, play):
    town, told = build_town(speed=240.0), defaultdict(lambda: ["Available"])
    for message in play(town, 240, step_ms=20):
        signals = json.loads(message.payload)
        if "energy_wh" not in signals:
            continue
        statuses = told[message.station, message.device]
        assert (signals["power_w"] > 0) == (signals["status"] == "Charging")
        if statuses[-1] != signals["status"]:
            statuses.append(signals["status"])
    for statuses in told.values():
        for before, after in pairwise(statuses[1:]):
            assert after in OCPP_ORDER[before], statuses
    assert {"SuspendedEV", "Finishing"} <= {status for statuses in told.values() for status in statuses}


def test_power_tapers_and_its_sum_is_the_energy():
    session = ChargingSession(begins=0, energy_wh=6_240, peak_w=7_000)
    curve = [session.power_w(at) for at in range(0, int(session.full_at), 10)]
    assert curve[0] == 7_000
    assert all(after <= before for before, after in pairwise(curve))
    assert curve[-1] < 0.06 * 7_000
    assert abs(sum(curve) / 360 - session.delivered_wh(session.full_at)) < 15
    assert 0.98 * 6_240 < session.delivered_wh(session.full_at) <= 6_240


def test_seats_fill_at_meals_rooms_at_class_hours_and_cars_charge_by_day(build_town):
    town, seen = build_town(day_start_s=20_605 * DAY_S, speed=3_600.0), defaultdict(list)
    for hour in range(72):
        town.step(START + hour * 1_000)
        things = [thing for world in town.worlds.values() for thing in world.things]
        for kind in ("seat", "room", "ev"):
            used = [
                thing.truth().use == "occupied"
                for thing in things
                if kind in (thing.resource.kind, thing.resource.type)
            ]
            seen[kind, hour % 24].append(sum(used) / len(used))
    share = {key: sum(values) / len(values) for key, values in seen.items()}
    lunch, night = (sum(share["seat", hour] for hour in hours) / 3 for hours in ((12, 13, 14), (2, 3, 4)))
    assert 0.45 < lunch < 0.95
    assert 0.02 < night < 0.3
    assert sum(share["room", hour] for hour in (0, 3, 7, 23)) == 0 < share["room", 15]
    assert share["ev", 4] == 0 < share["ev", 13]


def test_lunch_is_busy_and_somebody_comes_at_night():
    assert visits_per_hour(12.5 * 3600) > 2 * visits_per_hour(9 * 3600)
    assert 0 < visits_per_hour(DAY_S + 3 * 3600) < 0.1 * visits_per_hour(12.5 * 3600)


def test_doors_shut_again(build_town, play):
    town, opened = build_town(), 0
    for message in play(town, 60):
        opened += b'"open":true' in message.payload
    assert opened > 10
    doors = [thing for world in town.worlds.values() for thing in world.things if isinstance(thing, VirtualDoor)]
    assert all(door.held_until > 0 for door in doors)


def test_cars_follow_the_recorded_sessions(build_town, play):
    town, busy = build_town(speed=600.0), set()
    for _ in play(town, 120):
        busy |= {
            thing.resource.id
            for thing in town.worlds["yanshan"].things
            if isinstance(thing, Charger) and thing.resource.type == "ev" and thing.session
        }
    assert busy == {"ev-01", "ev-02"}
