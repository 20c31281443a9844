"""`yizhan doctor` names what a running gateway leaves out of what devices say."""

import json

from api.commands.doctor_broker import left_out
from gateway.core.remarks import TOLD, Remarks, most


def test_what_is_left_out_is_a_line_a_person_finds() -> None:
    told = b'{"gateway":"g","left_out":{"y/s battery_pct":3}}'
    (line,) = left_out([b"{", told, b'{"state":"offline"}', b'{"left_out":7}'])
    assert (line.mark, line.what) == ("warn", "device")
    assert line.text.startswith("y/s battery_pct: left out 3 times")


def test_each_line_says_whose_words_are_left_out() -> None:
    told = {
        "y/s battery_pct": "device",
        "y/s: {{ value }}": "device",
        "y/calendar message": "device",
        "y/lounge calendar: it has no length": "activities",
        "y/document of 400000 bytes, more than the broker takes": "document",
    }
    lines = left_out([json.dumps({"left_out": dict.fromkeys(told, 1)}).encode()])
    assert {line.text.partition(": left out")[0]: line.what for line in lines} == told


def test_the_gateway_tells_what_it_left_out_most_often_and_no_more() -> None:
    remarks = Remarks()
    for n in range(3 * TOLD):
        remarks.bad("y", f"d{n}", [("battery_pct", "out_of_range")] * (n + 1))
    told = most(remarks.all())
    assert len(told) == TOLD
    assert told[f"y/d{3 * TOLD - 1} battery_pct"] == 3 * TOLD
    assert remarks.bad_fields == sum(range(3 * TOLD + 1))
