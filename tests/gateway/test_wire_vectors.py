"""The native dialect, case by case: `vectors/wire` holds the payloads beside what must become of them."""

import json
from pathlib import Path

import pytest

from gateway import wire
from gateway.store.reader import _reading
from tests.gateway.world import Town, reasons

FOLDER = Path(__file__).parents[1] / "vectors" / "wire"


def cases(name):
    rows = json.loads((FOLDER / f"{name}.json").read_text())
    return [
        pytest.param(row, id=f"{n}-{row.get('reason') or row.get('why') or row.get('kind', 'header')}")
        for n, row in enumerate(rows)
    ]


def town_of(kind):
    return Town({"id": "thing", "kind": kind})


def bytes_of(case):
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "repeat" in case:
        piece, times = case["repeat"]
        return (piece * times).encode()
    return case["payload"].encode()


@pytest.mark.parametrize("case", cases("accepted"))
def test_every_signal_of_every_kind(case):
    town = town_of(case["kind"])
    outcome = town.hear("thing", case["payload"].encode())
    assert outcome.batch.payloads == [case["payload"].encode()]
    axes = town.axes("thing")
    assert (axes.usable, axes.use, axes.health, axes.evidence) == (case["usable"], case["use"], case["health"], "live")
    assert town.pipeline.counters["ignored_fields"] == case["ignored"]


@pytest.mark.parametrize("case", cases("mended"))
def test_what_says_nothing_or_is_bad_beside_the_value_costs_itself(case):
    town = town_of(case["kind"])
    outcome = town.hear("thing", case["payload"].encode())
    assert outcome.batch.payloads == [case["stored"].encode()]
    assert not outcome.rejected
    axes = town.axes("thing")
    assert (axes.use, axes.evidence) == (case["use"], case["evidence"])


@pytest.mark.parametrize("which", ["state", "event", "availability"])
def test_an_empty_payload_clears_what_was_retained_and_says_nothing(which):
    town = town_of("seat")
    town.hear("thing", {"occupied": False})
    outcome = town.hear("thing", b"", which)
    assert (outcome.rejected, outcome.batch.payloads, outcome.changes) == ([], [], [])


@pytest.mark.parametrize("case", cases("headers"))
def test_every_form_of_a_header(case):
    payload = case["payload"].encode()
    town = town_of("seat")
    batch = town.hear("thing", payload).batch
    reading = _reading(1, batch.topics[0], payload, batch.received[0], batch.flags[0])
    assert (reading.ts, reading.boot, reading.seq, reading.ts_suspect) == (
        case["ts"], case["boot"], case["seq"], case["suspect"],
    )  # fmt: skip
    assert town.axes("thing").evidence == "live"  # a clock that is wrong takes nothing away


@pytest.mark.parametrize("case", cases("refused"))
def test_what_can_not_be_read_is_kept_aside_with_its_reason_and_changes_nothing(case):
    town = town_of(case["kind"])
    before = town.axes("thing")
    topic = bytes.fromhex(case["topic_hex"]) if "topic_hex" in case else case["topic"].encode()
    payload = bytes_of(case)
    outcome = town.hear_raw(topic, payload)
    assert reasons(outcome) == [case["reason"]]
    assert (outcome.rejected[0].topic, outcome.rejected[0].payload) == (topic, payload[:16_384])
    assert town.pipeline.quarantined == {case["reason"]: 1}
    assert not outcome.batch.payloads
    assert not outcome.changes
    assert town.axes("thing") is before


@pytest.mark.parametrize("case", cases("identity"))
def test_a_resident_identity_number_is_stored_nowhere(case):
    town = town_of("seat")
    topic, payload = case["topic"].encode(), case["payload"].encode()
    outcome = town.hear_raw(topic, payload)
    assert (reasons(outcome) == ["identity_number"]) is case["found"]
    assert town.pipeline.quarantined["identity_number"] == case["found"]
    if case["found"]:
        kept = repr((outcome.rejected, outcome.batch.payloads, outcome.batch.topics, town.device("thing").seen.dump()))
        assert not wire.carries_identity(kept.encode())
        assert not wire.carries_identity(json.dumps(kept).encode())


def test_the_largest_message_is_read():
    town = town_of("seat")
    payload = b'{"occupied":true,"x":"' + b"y" * (16_384 - 24) + b'"}'
    assert len(payload) == 16_384
    assert town.hear("thing", payload).batch.payloads == [payload]


def test_what_the_bridge_encodes_the_gateway_reads():
    from gateway.model import Header, Observation

    town = town_of("seat")
    header = Header(ts=town.now, boot="b", seq=3, oldest=2)
    sent = Observation("yanshan", "thing", "state", header, {"occupied": True})
    topic, payload = wire.encode(sent)
    town.hear_raw(topic.encode(), payload)
    assert town.axes("thing").use == "occupied"
    assert wire.header_of(payload) == header
    for gone in (True, False):
        topic, payload = wire.encode(
            Observation("yanshan", "thing", "availability", Header(boot="b"), {"online": gone})
        )
        assert wire.read_availability(payload) == (gone, "b")
    topic, payload = wire.encode(Observation("yanshan", "thing", "event", header, {"card": "ab12"}, event="card"))
    assert (wire.read_event(payload).type, wire.read_event(payload).card) == ("card", "ab12")
