"""Counters, hazards, climate and supplies on wires: from bytes to what the gateway shows of them."""

from typing import Any

import pytest

from firmware_bridge.devices import yizhan_keys as keys
from firmware_bridge.devices.modbus import ModbusSlave
from firmware_bridge.devices.modbus_map import READY, load_map
from firmware_bridge.devices.yizhan import YizhanLines, YizhanPackets, unpack
from firmware_bridge.door import Doors, Rules
from firmware_bridge.frames import line, packet
from firmware_bridge.frames.packet import Packet
from gateway.model import Signal
from tests.gateway.live.house import House

PLACES: list[dict[str, Any]] = [
    {"id": "gate", "kind": "counter"},
    {"id": "smoke", "kind": "hazard", "type": "smoke"},
    {"id": "air", "kind": "climate"},
    {"id": "box", "kind": "supply", "type": "medicine"},
]


def heard(device: str, body: bytes) -> tuple[dict[str, Signal], str | None]:
    """What one line of a board says."""
    [told] = YizhanLines(frozenset(), Doors(Rules())).feed(
        line.seal(b'{"v":1,"id":"%b",%b}' % (device.encode(), body)), 0
    )
    [reading] = told.readings
    assert reading.device == device
    return reading.signals, reading.event


def asked(name: str, *replies: bytes) -> list[dict[str, Signal]]:
    """What a unit with this ready map says, whose replies these are."""
    slave = ModbusSlave("it", 1, load_map(READY / f"{name}.yaml"))
    return [reading.signals for reading in slave.read(list(replies), 0)]


@pytest.mark.parametrize(
    ("device", "body", "signals"),
    [
        ("gate", b'"in":120431,"out":120398', {"in": 120431, "out": 120398}),
        ("smoke", b'"alm":1', {"alarm": True}),
        ("smoke", b'"alm":0,"tst":1', {"alarm": False, "test": True}),
        ("air", b'"tmp":-3.5,"hum":61,"co2":812,"pm25":8.5,"lux":240',
         {"temperature_c": -3.5, "humidity_pct": 61, "co2_ppm": 812, "pm25_ugm3": 8.5, "illuminance_lx": 240}),
        ("box", b'"cnt":3,"exp":"2027-05-01"', {"count": 3, "expires": "2027-05-01"}),
        ("box", b'"lvl":"low"', {"level": "low"}),
    ],
)  # fmt: skip
def test_short_keys_become_signals_that_the_kind_takes(device: str, body: bytes, signals: dict[str, Any]) -> None:
    assert heard(device, body) == (signals, None)
    house = House(PLACES)
    house.say(device, **signals)
    assert (house.pipeline.quarantined, house.pipeline.counters["ignored_fields"]) == ({}, 0)


def test_what_the_gateway_shows_of_it() -> None:
    house = House(PLACES)
    for device, body in (("smoke", b'"alm":1'), ("air", b'"co2":812'), ("box", b'"cnt":0')):
        house.say(device, **heard(device, body)[0])
    told = {instrument["id"]: instrument for instrument in house.document()["areas"][0]["instruments"]}
    assert told["smoke"]["alarm"] is True
    assert told["air"]["values"] == {"co2_ppm": 812}
    [box] = house.document()["areas"][0]["resources"]
    assert (box["use"], box["because"][0]) == ("blocked", "empty")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'"ev":"passage","dir":"in","n":2', {"direction": "in", "n": 2}),
        (b'"ev":"passage","dir":"out"', {"direction": "out"}),
        (b'"ev":"passage","dir":"up","n":0', {}),
    ],
)
def test_a_passage_says_which_way_and_how_many(body: bytes, fields: dict[str, Any]) -> None:
    assert heard("gate", body) == (fields, "passage")
    house = House(PLACES)
    house.tell("gate", "passage", **fields)
    assert house.pipeline.quarantined == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"in": -1}, {"in": 1.5}, {"in": 2**53 + 1}, {"alm": 2}, {"alm": "1"}, {"tmp": 101}, {"tmp": float("nan")},
        {"hum": 101}, {"co2": -1}, {"pm25": 1e6}, {"cnt": -1}, {"lvl": "empty"}, {"exp": "2027-13-01"},
        {"exp": "20270501"}, {"exp": 20270501},
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_left_out(fields: dict[str, Any]) -> None:
    assert keys.signals({**fields, "bat": 80}) == {"battery_pct": 80}


def test_the_same_in_packets() -> None:
    wide = b"".join(
        bytes((key,)) + value.to_bytes(3, "little", signed=True)
        for key, value in ((7, 120_431), (8, 120_398), (11, -35), (13, 812), (14, 85), (15, 240), (16, 3))
    )
    told = unpack(Packet(packet.WIDE, 1, wide))
    assert told == {"in": 120431, "out": 120398, "tmp": -3.5, "co2": 812, "pm25": 8.5, "lux": 240, "cnt": 3}
    pairs = unpack(Packet(packet.STATE, 2, bytes((9, 1, 10, 0, 12, 61))))
    assert pairs == {"alm": 1, "tst": 0, "hum": 61}
    [frame] = YizhanPackets("smoke", Doors(Rules())).feed(packet.seal(Packet(packet.STATE, 3, bytes((9, 1)))), 0)
    assert frame.readings[0].signals == {"alarm": True}


def test_ready_register_maps_of_instruments() -> None:
    assert asked("climate-sht20", bytes.fromhex("FF9C0222")) == [{"temperature_c": -10.0, "humidity_pct": 54.6}]
    assert asked("climate-co2", bytes.fromhex("0190")) == [{"co2_ppm": 400}]
    assert asked("hazard-contact", b"\x01") == [{"alarm": True}]
    assert asked("hazard-contact", b"\x00") == [{"alarm": False}]
    assert asked("supply-switch", b"\x01") == [{"level": "out"}]
    assert asked("supply-switch", b"\x00") == [{"level": "ok"}]
    assert asked("counter-pulse", bytes.fromhex("0005000100030000")) == [{"in": 65541, "out": 3}]
