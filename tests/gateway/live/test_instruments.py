"""Counters, detectors and the air of rooms, as a document shows them and as they stop being shown."""

import json
from typing import Any

import pytest

from api.wire_documents import withdraw
from gateway.core.plan import decoder
from gateway.live import document
from gateway.live.station_document import blank, encode
from gateway.policy.override import Override, OverrideTarget
from tests.gateway.live.house import HOUR, MINUTE, House

SMOKE = {"id": "smoke", "kind": "hazard", "type": "smoke"}
AIR = {"id": "air", "kind": "climate", "ttl": 600}
GATE = {"id": "gate", "kind": "counter", "ttl": 600}
SEAT = {"id": "seat", "kind": "seat"}


def proof_of(house: House) -> str:
    return house.live.stations["yanshan"].judged.proof


def made(house: House) -> bytes:
    return document(house.live.stations["yanshan"], house.now).body


def test_an_instrument_stands_beside_the_resources_and_in_no_sum() -> None:
    house = House([SEAT, SMOKE, AIR, GATE])
    area = house.document()["areas"][0]
    assert [row["id"] for row in area["resources"]] == ["seat"]
    assert [row["id"] for row in area["instruments"]] == ["smoke", "air", "gate"]
    assert [line["kind"] for line in house.document()["summary"]] == ["seat"]
    assert house.instrument("smoke") == {
        "id": "smoke", "kind": "hazard", "type": "smoke", "health": "ok", "evidence": "never", "by": "sensor",
        "alarm": None, "values": {}, "observed_at": None, "valid_until": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "alarm", "values"),
    [
        ([{"alarm": False}], False, {}),
        ([{"alarm": True}], True, {}),
        ([{"alarm": True, "test": False}], True, {}),
        ([{"test": True}], False, {"test": True}),
        ([{"alarm": True, "test": True}], False, {"test": True}),
        ([{"alarm": True, "test": True}, {"alarm": True}], True, {}),
        ([{"alarm": True}, {"test": True}], True, {}),
        ([{"alarm": True}, {"alarm": True, "test": True}], True, {}),
        ([{"alarm": True}, {"alarm": False, "test": True}], False, {"test": True}),
        ([{"test": True}, {"test": False}], False, {}),
        ([{"alarm": True}, {"alarm": False}], False, {}),
    ],
)
def test_what_a_detector_says(said: list[dict[str, Any]], alarm: bool, values: dict[str, Any]) -> None:
    house = House([SMOKE])
    for signals in said:
        house.say("smoke", **signals)
    shown = house.instrument("smoke")
    assert (shown["alarm"], shown["values"], shown["evidence"]) == (alarm, values, "live")


def test_a_warning_has_a_document_made_at_once() -> None:
    house = House([SMOKE])
    house.say("smoke", alarm=False)
    house.document()
    house.live.dirty.clear()
    house.say("smoke", alarm=True)
    assert [station.id for station in house.live.dirty] == ["yanshan"]


def test_nobody_says_for_a_silent_detector_that_all_is_well_or_not() -> None:
    house = House([{**SMOKE, "ttl": 600}])
    house.say("smoke", alarm=True)
    house.wait(10 * MINUTE)
    shown = house.instrument("smoke")
    assert (shown["alarm"], shown["evidence"]) == (None, "stale")


@pytest.mark.parametrize("status", ["free", "busy", "maintenance", "closed"])
def test_no_word_of_people_hides_a_warning(status: Any) -> None:
    house = House([SMOKE])
    house.say("smoke", alarm=True)
    house.live.set_by_hand(OverrideTarget("yanshan"), Override(status, house.now + HOUR), house.now)
    assert house.instrument("smoke")["alarm"] is True
    house.say("smoke", alarm=False)
    assert house.instrument("smoke")["alarm"] is False


def test_what_is_not_in_use_yet_warns_of_nothing() -> None:
    house = House([{**SMOKE, "lifecycle": "planned"}])
    house.say("smoke", alarm=True)
    assert house.instrument("smoke")["alarm"] is None


def test_the_air_of_a_room_is_shown_by_tenths() -> None:
    house = House([AIR])
    house.say("air", temperature_c=22.04, humidity_pct=48, co2_ppm=612, pm25_ugm3=9.6, illuminance_lx=310)
    assert house.instrument("air")["values"] == {
        "temperature_c": 22.0, "humidity_pct": 48.0, "co2_ppm": 612.0, "pm25_ugm3": 9.6, "illuminance_lx": 310.0,
    }  # fmt: skip


def test_a_value_that_moves_has_a_document_made_and_one_that_rests_has_none() -> None:
    house = House([AIR])
    house.say("air", temperature_c=22.0)
    house.wait(1)
    house.document()
    house.live.dirty.clear()
    house.say("air", temperature_c=22.04)
    house.wait(1)
    assert house.live.dirty == []
    house.say("air", temperature_c=22.1)
    house.wait(1)
    assert [station.id for station in house.live.dirty] == ["yanshan"]


def test_each_value_of_the_air_has_an_age_of_its_own() -> None:
    house = House([AIR])
    house.say("air", temperature_c=22, co2_ppm=600)
    first_end = house.instrument("air")["valid_until"]
    house.wait(5 * MINUTE)
    house.say("air", co2_ppm=700)
    assert house.instrument("air")["valid_until"] == first_end
    house.document()
    house.live.dirty.clear()
    house.wait(5 * MINUTE)
    assert [station.id for station in house.live.dirty] == ["yanshan"]
    shown = house.instrument("air")
    assert (shown["values"], shown["evidence"]) == ({"co2_ppm": 700.0}, "live")
    assert shown["valid_until"] > first_end


def test_a_value_of_the_air_that_nobody_can_read_costs_itself() -> None:
    house = House([AIR])
    house.say("air", temperature_c=22, humidity_pct=255, co2_ppm="high")
    shown = house.instrument("air")
    assert (shown["values"], shown["evidence"]) == ({"temperature_c": 22.0}, "live")


def test_the_public_sees_nothing_of_what_a_counter_counts() -> None:
    house = House([GATE])
    house.say("gate", **{"in": 12, "out": 7})
    shown = house.instrument("gate")
    assert (shown["values"], shown["alarm"], shown["evidence"]) == ({}, None, "live")


def test_no_message_of_a_counter_has_a_document_made_nor_shows_when_it_came() -> None:
    busy, quiet = House([GATE]), House([GATE])
    for house in (busy, quiet):
        house.say("gate", **{"in": 0, "out": 0})
        house.wait(3 * MINUTE)
        house.document()
        house.live.dirty.clear()
    quiet.say("gate", **{"in": 0, "out": 0})
    busy.say("gate", **{"in": 1, "out": 0})
    for house in (busy, quiet):
        house.wait(20_000)
    busy.tell("gate", "passage", direction="in", n=3)
    quiet.say("gate", **{"in": 0, "out": 0})
    assert busy.live.dirty == quiet.live.dirty == []
    assert busy.instrument("gate") == quiet.instrument("gate")


def test_a_passage_inwards_is_a_sign_that_the_place_is_open() -> None:
    house = House([GATE])
    house.say("gate", **{"in": 5, "out": 5})
    house.wait(MINUTE)
    assert proof_of(house) == "unproved"
    house.say("gate", **{"in": 6, "out": 5})
    assert proof_of(house) == "proved"


@pytest.mark.parametrize(("totals", "proof"), [({"in": 2, "out": 9}, "unproved"), ({"in": 5, "out": 6}, "unproved")])
def test_a_counter_that_began_anew_and_who_leaves_prove_nothing(totals: dict[str, int], proof: str) -> None:
    house = House([GATE])
    house.say("gate", **{"in": 5, "out": 5})
    house.say("gate", **totals)
    assert proof_of(house) == proof


def test_a_device_may_count_and_lock() -> None:
    decode = decoder({"counter", "door", "climate"})
    said = decode(b'{"in": 4, "out": 2, "open": true, "temperature_c": 21}')
    assert (said.ins, said.outs, said.open, said.temperature_c) == (4, 2, True, 21)


def test_a_document_that_nobody_renews_takes_back_what_its_instruments_say() -> None:
    house = House([{**SMOKE, "ttl": 600}, AIR])
    house.say("smoke", alarm=True)
    house.say("air", temperature_c=22)
    body = made(house)
    assert json.loads(body)["valid_until"] == house.instrument("air")["valid_until"]
    withdrawn = json.loads(withdraw(body, house.now + 10 * MINUTE).body)
    smoke, air = withdrawn["areas"][0]["instruments"]
    assert (smoke["alarm"], smoke["evidence"]) == (None, "stale")
    assert (air["values"], air["evidence"]) == ({}, "stale")
    assert withdrawn["valid_until"] is None


def test_before_anybody_spoke_they_are_there_and_say_nothing() -> None:
    house = House([SEAT, SMOKE])
    shown = json.loads(encode(blank(house.settings.stations[0], house.now)))
    assert [row["id"] for row in shown["areas"][0]["resources"]] == ["seat"]
    (smoke,) = shown["areas"][0]["instruments"]
    assert (smoke["alarm"], smoke["values"], smoke["evidence"]) == (None, {}, "never")


def test_a_document_of_an_older_gateway_has_none() -> None:
    house = House([SEAT])
    older = made(house).replace(b',"instruments":[]', b"")
    assert json.loads(withdraw(older, house.now).body)["areas"][0]["id"] == "lounge"
