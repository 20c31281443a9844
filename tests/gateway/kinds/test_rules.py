"""What each kind makes of what its devices say: the tables of docs/availability.md, row by row."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from config.kinds import SPECS, KindSignal
from gateway.kinds import rule_of
from gateway.model import Resource
from gateway.wire import AUXILIARY
from tests.gateway.live.house import HOUR, MINUTE, House

CHARGER = {"id": "pile", "kind": "charger", "type": "ev"}


def house_of(kind: str, **more: object) -> House:
    return House([{"id": "one", "kind": kind, **more}])


@pytest.mark.parametrize(
    ("kind", "signals", "use", "health"),
    [
        ("seat", {"occupied": True}, "occupied", "ok"),
        ("seat", {"occupied": False}, "free", "ok"),
        ("charger", {"status": "Available"}, "free", "ok"),
        ("charger", {"status": "Preparing"}, "occupied", "ok"),
        ("charger", {"status": "Charging"}, "occupied", "ok"),
        ("charger", {"status": "SuspendedEV"}, "occupied", "ok"),
        ("charger", {"status": "SuspendedEVSE"}, "occupied", "ok"),
        ("charger", {"status": "Finishing"}, "occupied", "ok"),
        ("charger", {"status": "Reserved"}, "reserved", "ok"),
        ("charger", {"status": "Unavailable"}, "blocked", "ok"),
        ("charger", {"status": "Faulted"}, "unknown", "fault"),
        ("charger", {"status": "Available", "error": "WeakSignal"}, "free", "degraded"),
        ("charger", {"status": "Charged"}, "unknown", "ok"),
        ("door", {"open": False, "locked": True}, "free", "ok"),
        ("door", {"open": True}, "free", "ok"),
        ("door", {"open": False, "fault": "jammed"}, "free", "fault"),
        ("appliance", {"status": "idle"}, "free", "ok"),
        ("appliance", {"status": "running"}, "occupied", "ok"),
        ("appliance", {"status": "fault"}, "unknown", "fault"),
        ("appliance", {"status": "defrosting"}, "unknown", "ok"),
        ("locker", {"free": 3, "total": 12}, "free", "ok"),
        ("locker", {"free": 0, "total": 12}, "occupied", "ok"),
        ("parking", {"free": 1, "total": 1}, "free", "ok"),
        ("safety", {"ready": True, "cabinet_open": False}, "free", "ok"),
        ("safety", {"ready": True, "cabinet_open": True}, "occupied", "ok"),
        ("safety", {"ready": False, "cabinet_open": False}, "free", "fault"),
        ("safety", {"ready": True, "expires": "2026-05-01"}, "free", "fault"),
        ("room", {"people": 0}, "free", "ok"),
        ("room", {"people": 1}, "occupied", "ok"),
        ("room", {"people": 254}, "occupied", "ok"),
        ("room", {"people": 255}, "unknown", "ok"),
        ("room", {"people": 65_535}, "unknown", "ok"),
        ("room", {"occupied": True}, "occupied", "ok"),
        ("room", {"occupied": False}, "free", "ok"),
    ],
)
def test_what_a_message_says_of_a_resource(kind, signals, use, health):
    house = house_of(kind, **({"type": "ev"} if kind == "charger" else {}))
    house.say("one", **signals)
    assert house.seen("one", "use", "health", "evidence") == (use, health, "live")


def test_a_vendors_own_status_is_kept_raw_counted_and_means_unknown():
    house = House([CHARGER])
    house.say("pile", status="Charged")
    house.say("pile", status="Charged")
    assert house.facts("pile").known.status == "Charged"
    assert house.live.counters["unknown_status"] == 2
    assert house.seen("pile", "usable", "because") == ("unknown", ["use_unknown"])


def test_a_seat_just_left_is_away_for_its_time_and_then_free():
    house = House([{"id": "one", "kind": "seat"}], settings={"kinds": {"seat": {"away_s": 600}}})
    house.say("one", occupied=True)
    house.say("one", occupied=False)
    assert house.seen("one", "use", "usable") == ("away", "no")
    house.wait_while(10 * MINUTE - 1, ("one", {"occupied": False}))
    assert house.seen("one", "use") == ("away",)
    house.wait(MINUTE)
    assert house.seen("one", "use", "usable") == ("free", "yes")


def test_who_comes_back_within_the_time_was_never_gone():
    house = House([{"id": "one", "kind": "seat"}], settings={"kinds": {"seat": {"away_s": 120}}})
    for occupied in (True, False, True):
        house.say("one", occupied=occupied)
    house.wait_while(3 * MINUTE, ("one", {"occupied": True}))
    assert house.seen("one", "use") == ("occupied",)


@pytest.mark.parametrize(("people", "use"), [(0, "free"), (7, "free"), (8, "occupied"), (9, "occupied")])
def test_a_room_with_a_capacity_is_taken_when_it_is_full(people, use):
    house = house_of("room", capacity=8)
    house.say("one", people=people)
    assert house.seen("one", "use") == (use,)


def hall() -> House:
    """A hall that is counted by the cards at its door."""
    return House(
        [
            {"id": "door", "kind": "door"},
            {"id": "hall", "kind": "room", "device": "door", "capacity": 2, "reporting": "on_change"},
        ]
    )


def pass_by(house: House, *directions: str) -> None:
    for direction in directions:
        house.tell("door", "card", card="a1", granted=True, direction=direction)


def test_cards_count_only_from_a_proof_that_it_was_empty():
    house = hall()
    pass_by(house, "in", "in")
    assert house.seen("hall", "usable", "because") == ("unknown", ["never", "use_unknown"])
    house.say("door", occupied=False)
    assert house.seen("hall", "use") == ("free",)
    pass_by(house, "in", "in")
    assert house.seen("hall", "use") == ("occupied",)
    pass_by(house, "out")
    assert house.seen("hall", "use") == ("free",)
    assert (house.facts("hall").known.ins, house.facts("hall").known.outs, house.facts("hall").known.people) == (
        4,
        1,
        1,
    )


def test_a_refused_card_moves_nobody_and_a_count_never_falls_below_zero():
    house = hall()
    house.say("door", occupied=False)
    house.tell("door", "card", card="a1", granted=False, direction="in")
    pass_by(house, "out", "out", "in")
    assert house.facts("hall").known.people == 1


def test_the_bound_of_error_grows_with_passages_until_the_next_proof():
    from gateway.kinds.room import bounds

    house = hall()
    house.say("door", occupied=False)
    pass_by(house, *["in", "out"] * 13)
    assert bounds(house.facts("hall").known) == (0, 1)
    assert house.seen("hall", "use") == ("free",)
    pass_by(house, "in")
    assert bounds(house.facts("hall").known) == (0, 2)
    assert house.seen("hall", "usable", "because") == ("unknown", ["use_unknown"])
    house.say("door", occupied=False)
    assert bounds(house.facts("hall").known) == (0, 0)


def test_units_free_are_never_more_than_there_are():
    house = house_of("locker", capacity=12)
    house.say("one", free=40)
    shown = house.document()["summary"][0]
    assert (shown["total"], shown["usable_min"], shown["usable_max"]) == (12, 12, 12)


def test_an_aed_is_out_of_order_on_the_day_after_its_date_without_a_word_from_it():
    house = house_of("safety", type="aed")
    house.say("one", ready=True, expires="2026-06-01")
    assert house.seen("one", "health") == ("ok",)
    house.wait(22 * HOUR)
    assert house.seen("one", "health") == ("fault",)


@pytest.mark.parametrize(
    ("signals", "told"),
    [
        ({"fault": "E12 call 13812345678"}, "E12 call …"),
        ({"fault": "E12"}, "E12"),
        ({"status": "Available", "error": "user138-1234-5678"}, "user…"),
    ],
)
def test_a_code_goes_to_alerts_and_history_without_numbers_of_persons(signals, told):
    house = House([CHARGER])
    house.say("pile", status="Charging")
    house.say("pile", **signals)
    assert house.changes[-1].detail == told


def test_a_kind_counted_in_units_needs_no_rule_of_its_own_and_may_say_more() -> None:
    declared = replace(
        SPECS["locker"], name="powerbank", signals=(*SPECS["locker"].signals, KindSignal("lid_open", "flag"))
    )
    rule = rule_of(declared)
    known = rule.Value(Resource("yanshan", "hall", "bank", "locker", "bank"))
    said = msgspec.json.decode(b'{"free": 3, "total": 12, "lid_open": false}', type=rule.Shape)
    assert rule.apply(known, said, 0)
    assert (known.use, known.free, known.total) == ("free", 3, 12)


@pytest.mark.parametrize(("warmth", "taken"), [(38.5, True), (-61, False), (100, True), (101, False)])
def test_a_kind_without_a_rule_takes_no_more_of_a_unit_than_there_is(warmth: float, taken: bool) -> None:
    shower = replace(
        SPECS["seat"], name="shower", signals=(*SPECS["seat"].signals, KindSignal("water_c", "number", "Cel"))
    )
    said, shape = msgspec.json.encode({"occupied": True, "water_c": warmth}), rule_of(shower).Shape
    if taken:
        assert msgspec.json.decode(said, type=shape)
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(said, type=shape)


def test_what_stands_beside_the_value_of_a_kind_costs_itself_alone_when_it_is_bad() -> None:
    """So a kind's further signal needs no line in gateway/wire."""
    beside = {
        signal.name for spec in SPECS.values() for signal in spec.signals if signal.name not in spec.value_signals
    }
    values = {name for spec in SPECS.values() if spec.name != "climate" for name in spec.value_signals}
    assert beside - values == {"power_w", "energy_wh", "error", "total", "expires", "test"}
    assert beside - values <= AUXILIARY
    assert not values & AUXILIARY


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"main": ("occupied", None)}, "occupied"),
        ({"told_by": ("lid",)}, "lid"),
        ({"signals": (KindSignal("free", "count"),)}, "total"),
    ],
)
def test_a_kind_that_names_a_signal_it_does_not_have_is_a_mistake(change: dict[str, Any], missing: str) -> None:
    bank = replace(SPECS["locker"], facts={"free": "free"})
    with pytest.raises(ValueError, match=f"config/kinds: locker has no signal {missing}: add it"):
        replace(bank, **change)
