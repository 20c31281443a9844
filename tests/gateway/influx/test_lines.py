"""Stored readings as line protocol: numbers only, one time for each message, nobody's card."""

import pytest

from config.kinds import SPECS
from gateway.influx.lines import COMMON, FIELDS, Lines
from gateway.influx.reader import signal
from gateway.kinds import KINDS
from gateway.model import Batch, Resource
from gateway.wire import Signals

AT = 1_780_012_800_000
TEXTS = {"firmware"}  # signals that are no number in any sense


def resource(kind, name="r-1", device="d-1", type_=None):
    return Resource(station="yanshan", area="a", id=name, kind=kind, device=device, type=type_)


def lines(payload, *resources, topic=b"yz/yanshan/d-1/state", received=AT + 20, flags=0):
    return Lines(resources).of(topic, payload, received, flags)


@pytest.mark.parametrize(
    ("kind", "type_", "said", "fields"),
    [
        ("seat", None, b'"occupied":true', "occupied=1"),
        ("seat", None, b'"battery_pct":87.5,"rssi_dbm":-71', "battery_pct=87.5,rssi_dbm=-71"),
        ("room", None, b'"people":12', "people=12"),
        ("charger", "ev", b'"status":"Available"', "status=0"),
        ("charger", "ev", b'"status":"Charging","power_w":6600.5', "status=2,power_w=6600.5"),
        ("charger", "ev", b'"status":"Faulted","error":"GroundFailure"', "status=8,error=1"),
        ("charger", "ev", b'"status":"Dozing","error":""', "status=-1,error=0"),
        ("appliance", "water", b'"status":"running"', "status=1"),
        ("charger", "ebike", b'"energy_wh":1e10', "energy_wh=10000000000.0"),
        ("door", None, b'"open":true,"locked":false', "open=1,locked=0"),
        ("locker", None, b'"free":3,"total":20', "free=3,total=20"),
        ("safety", "aed", b'"ready":true,"expires":"1970-01-03","fault":"E7"', "ready=1,expires=172800,fault=1"),
        ("room", None, b'"people":254', "people=254"),
        ("room", None, b'"people":255,"battery_pct":80', "battery_pct=80"),
        ("seat", None, b'"occupied":true,"firmware":"1.2","made_up":5,"nested":{"a":1}', "occupied=1"),
    ],
)  # fmt: skip
def test_each_signal_is_one_number(kind, type_, said, fields):
    payload = b'{"ts":%d,"boot":"b","seq":7,%s}' % (AT, said)
    tags = f",type={type_}" if type_ else ""
    assert lines(payload, resource(kind, type_=type_)) == [
        f"{kind},resource=r-1,station=yanshan{tags} {fields} {AT}000007"
    ]


CODES = {
    "charger": {
        "Available": 0,
        "Preparing": 1,
        "Charging": 2,
        "SuspendedEVSE": 3,
        "SuspendedEV": 4,
        "Finishing": 5,
        "Reserved": 6,
        "Unavailable": 7,
        "Faulted": 8,
        "Occupied": 9,
        "Unknown": 10,
    },
    "appliance": {"idle": 0, "running": 1, "fault": 2},
}
"""What stands in copies for years: a word that is added comes last, and none is ever moved."""


@pytest.mark.parametrize("kind", CODES)
def test_the_code_of_a_status_is_the_same_for_ever_in_both_directions(kind):
    words = next(listed.words for listed in SPECS[kind].signals if listed.name == "status")
    assert set(words) == set(CODES[kind])
    for word, number in CODES[kind].items():
        (line,) = lines(b'{"status":"%s"}' % word.encode(), resource(kind))
        assert f" status={number} " in line
        assert signal(kind, "status", float(number)) == word


@pytest.mark.parametrize("kind", KINDS)
def test_no_signal_of_any_kind_is_forgotten(kind):
    known = {*COMMON, *FIELDS[kind], *TEXTS, "ts", "boot", "seq", "oldest"}
    known |= {"hold_s"} if kind in ("seat", "room") else set()  # how long the message holds is no signal
    assert {*KINDS[kind].Shape.__struct_encode_fields__, *Signals.__struct_fields__} == known


def test_a_device_that_feeds_several_resources_gives_each_its_own_line():
    both = lines(b'{"seq":1,"ts":%d,"open":true,"people":2}' % AT, resource("door", "door-1"), resource("room", "hall"))
    assert both == [
        f"door,resource=door-1,station=yanshan open=1 {AT}000001",
        f"room,resource=hall,station=yanshan people=2 {AT}000001",
    ]


@pytest.mark.parametrize(
    ("header", "flags", "time"),
    [
        (b'"ts":%d,"seq":5' % AT, 0, f"{AT}000005"),
        (b'"ts":"2026-05-29T08:00:00+08:00","seq":1000005', 0, f"{AT}000005"),
        (b'"ts":%d,"seq":5' % AT, 2, f"{AT + 20}000005"),  # its clock is not believed
        (b'"seq":5', 0, f"{AT + 20}000005"),
        (b'"ts":null,"seq":5', 0, f"{AT + 20}000005"),
        (b'"ts":-5,"seq":5', 0, "-4999995"),
    ],
)
def test_the_time_is_that_of_the_reading_and_unique_by_seq(header, flags, time):
    (line,) = lines(b"{%s,%s}" % (header, b'"occupied":true'), resource("seat"), flags=flags)
    assert line.endswith(f" {time}")


def test_without_seq_two_readings_of_one_moment_stay_two_and_the_same_one_stays_one():
    free, taken = (
        lines(b'{"occupied":%s}' % word, resource("seat"))[0].rsplit(" ", 1)[1] for word in (b"false", b"true")
    )
    assert free != taken
    assert taken == lines(b'{"occupied":true}', resource("seat"))[0].rsplit(" ", 1)[1]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (b"yz/yanshan/d-1/event", b'{"type":"card","card":"ab12","granted":true,"direction":"in"}'),
        (b"yz/yanshan/d-1/availability", b"online"),
        (b"yz/yanshan/somebody/state", b'{"open":true}'),
        (b"yz/yanshan/d-1/state", b'{"seq":5}'),
        (b"yz/yanshan/d-1/state", b'{"card":"ab12"}'),
        (b"yz/yanshan/d-1/state", b"[1]"),
        (b"yz/yanshan/d-1/state", b'{"open":"yes"}'),
    ],
)
def test_what_is_no_number_of_a_configured_resource_never_leaves(topic, payload):
    assert lines(payload, resource("door"), topic=topic) == []


def test_tags_are_escaped():
    (line,) = lines(b'{"occupied":true}', resource("seat", type_="a b,c=d\n"))
    assert line.startswith(r"seat,resource=r-1,station=yanshan,type=a\ b\,c\=d\  occupied=1 ")


def test_a_batch_gives_its_lines_in_order_of_arrival():
    batch = Batch()
    for seq in (1, 2, 3):
        batch.append(b"yz/yanshan/d-1/state", b'{"ts":%d,"seq":%d,"occupied":true}' % (AT, seq), AT, 0)
    assert [line[-1] for line in Lines([resource("seat")]).of_batch(batch)] == ["1", "2", "3"]
