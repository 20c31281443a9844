"""What becomes of a message: stored once, late ones to history only, unreadable ones aside and covered."""

import json
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import wire
from tests.gateway.world import MINUTE, NOON, SECOND, Town, reasons

SEAT = {"id": "seat-01", "kind": "seat"}


@pytest.fixture
def town():
    return Town(SEAT)


def say(town, boot, seq, occupied=False, **more):
    return town.hear("seat-01", {"boot": boot, "seq": seq, "occupied": occupied, **more})


def upto(town, device="seat-01"):
    return town.device(device).seen.upto()


def test_a_repeat_is_stored_once_and_counted(town):
    assert len(say(town, "b", 1).batch) == 1
    assert len(say(town, "b", 1).batch) == 0
    assert town.pipeline.counters["duplicate"] == 1
    assert town.pipeline.counters["received"] == 2


def test_a_late_message_goes_to_history_and_never_turns_the_state_back(town):
    say(town, "b", 1, occupied=False)
    say(town, "b", 5, occupied=True)
    assert len(say(town, "b", 3, occupied=False).batch) == 1
    assert town.axes("seat-01").use == "occupied"
    assert town.pipeline.counters["late"] == 1


def test_an_older_boot_is_history_only(town):
    say(town, "old", 1)
    say(town, "new", 1, occupied=True)
    assert len(say(town, "old", 2, occupied=False).batch) == 1
    assert town.axes("seat-01").use == "occupied"


def test_the_fast_way_and_the_careful_way_agree(town):
    """The same messages, once all in one look and once with a character that has each checked from the beginning."""
    sent = [(1, True), (2, False), (2, False), (5, True), (4, False), (6, False)]
    fast, careful = Town(SEAT), Town(SEAT)
    fast.pipeline.handle_all([frame(seq, occupied) for seq, occupied in sent], NOON)
    careful.pipeline.handle_all([frame(seq, occupied, note="é") for seq, occupied in sent], NOON)
    fast.device("seat-01").seen.first = careful.device("seat-01").seen.first = None  # the content, which differs
    assert fast.device("seat-01").seen.dump() == careful.device("seat-01").seen.dump()
    assert fast.axes("seat-01") is careful.axes("seat-01")
    assert len(fast.pipeline.take().batch) == len(careful.pipeline.take().batch) == 5


def frame(seq, occupied, **more):
    payload = json.dumps({"boot": "b", "seq": seq, "occupied": occupied, **more}, ensure_ascii=False).encode()
    return b"yz/yanshan/seat-01/state", payload, 0


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 9)), max_size=30), st.randoms())
def test_any_order_stores_the_same_messages(sent, random):
    shuffled = sent * 2
    random.shuffle(shuffled)
    in_turn, other = Town(SEAT), Town(SEAT)
    first = list(chain.from_iterable(say(in_turn, boot, seq).batch.payloads for boot, seq in sent))
    second = list(chain.from_iterable(say(other, boot, seq).batch.payloads for boot, seq in shuffled))
    assert sorted(first) == sorted(second)
    assert len(set(second)) == len(second)


def test_without_an_identity_the_device_time_tells_repeats_and_order(town):
    assert len(town.hear("seat-01", {"ts": town.now, "occupied": True}).batch) == 1
    assert len(town.hear("seat-01", {"ts": town.now, "occupied": True}).batch) == 0
    assert len(town.hear("seat-01", {"ts": town.now - MINUTE, "occupied": False}).batch) == 1
    assert town.axes("seat-01").use == "occupied"
    assert len(town.hear("seat-01", {"occupied": False}).batch) == 1
    assert len(town.hear("seat-01", {"occupied": False}).batch) == 1  # nothing says that it is the same one
    assert len(town.hear("seat-01", {"occupied": False}, dup=True).batch) == 0  # but the broker may


def test_a_clock_in_1970_without_an_identity_still_moves_the_state(town):
    for occupied in (True, False, True):
        town.now += MINUTE
        outcome = town.hear("seat-01", {"ts": town.now - NOON, "occupied": occupied})
        assert outcome.batch.flags == bytes([2])
        assert town.axes("seat-01").use == ("occupied" if occupied else "free")
        assert town.axes("seat-01").evidence == "live"


def test_a_retained_message_is_stored_once_and_marked(town):
    payload = {"boot": "b", "seq": 1, "occupied": True}
    assert town.hear("seat-01", payload, retained=True).batch.flags == bytes([1])
    assert len(town.hear("seat-01", payload, retained=True).batch) == 0
    assert len(town.hear("seat-01", payload).batch) == 0


def test_what_is_quarantined_counts_as_covered(town):
    say(town, "b", 1)
    town.device("seat-01").owed = False  # as when it is told
    outcome = town.hear("seat-01", {"boot": "b", "seq": 2, "occupied": "yes"})
    assert reasons(outcome) == ["wrong_type"]
    assert outcome.heard == [town.device("seat-01")]
    say(town, "b", 3)
    assert upto(town) == 3


def test_what_has_no_readable_header_covers_nothing(town):
    say(town, "b", 1)
    town.hear("seat-01", b'{"boot":"b","seq":2,')
    say(town, "b", 3)
    assert upto(town) == 1


def test_a_header_with_an_identity_number_covers_nothing_and_becomes_no_boot(town):
    number = json.loads((wire_vectors() / "identity.json").read_text())[0]["payload"]
    digits = json.loads(number)["note"]
    outcome = town.hear("seat-01", {"boot": digits, "seq": 1, "occupied": True})
    assert reasons(outcome) == ["identity_number"]
    assert town.device("seat-01").seen.boot is None


def wire_vectors():
    from pathlib import Path

    return Path(__file__).parents[2] / "vectors" / "wire"


def test_an_identity_number_beside_a_good_header_is_covered_so_that_it_is_not_sent_for_ever(town):
    number = json.loads(json.loads((wire_vectors() / "identity.json").read_text())[0]["payload"])["note"]
    say(town, "b", 1)
    outcome = town.hear("seat-01", {"boot": "b", "seq": 2, "note": number})
    assert outcome.rejected[0].payload == b'{"boot":"b","seq":2}'
    assert upto(town) == 2


def test_a_device_that_comes_back_is_told_its_watermark_at_once(town):
    say(town, "b", 1)
    outcome = town.hear("seat-01", b"online", "availability")
    assert outcome.returned == {town.device("seat-01")}
    assert len(outcome.batch) == 1


def test_what_the_broker_repeats_about_availability_is_not_stored_again(town):
    town.hear("seat-01", b"online", "availability")
    assert len(town.hear("seat-01", b"online", "availability", retained=True).batch) == 0
    assert len(town.hear("seat-01", b"offline", "availability", retained=True).batch) == 1


def test_an_event_is_stored_told_and_a_sign_of_life(town):
    outcome = town.hear("seat-01", {"boot": "b", "seq": 1, "type": "help"}, "event")
    ((device, event, at),) = outcome.happened
    assert (device.id, event.type, at) == ("seat-01", "help", town.now)
    assert town.hear("seat-01", {"boot": "b", "seq": 1, "type": "help"}, "event").happened == []
    assert town.hear("seat-01", {"boot": "b", "seq": 0, "type": "help"}, "event").happened == []  # late
    assert town.hear("seat-01", {"boot": "b", "seq": 9, "type": "help"}, "event", retained=True).happened == []


def test_one_device_may_speak_for_resources_of_several_kinds():
    town = Town(SEAT | {"device": "box"}, {"id": "pile-01", "kind": "charger", "device": "box"},
                {"id": "room", "kind": "room", "device": "box"})  # fmt: skip
    town.hear("box", {"boot": "b", "seq": 1, "occupied": False, "status": "Charging", "power_w": 80, "shoe_size": 43})
    assert [town.axes(name).use for name in ("seat-01", "pile-01", "room")] == ["free", "occupied", "free"]
    assert town.pipeline.counters["ignored_fields"] == 1
    town.hear("box", {"boot": "b", "seq": 2, "people": 4})
    assert [town.axes(name).use for name in ("seat-01", "pile-01", "room")] == ["free", "occupied", "occupied"]
    assert reasons(town.hear("box", {"boot": "b", "seq": 3, "occupied": 3})) == ["wrong_type"]


def test_a_look_with_one_bad_message_among_good_ones_stores_the_good_ones(town):
    good, bad = frame(1, True), (b"yz/yanshan/seat-01/state", b"\xff\xfe", 0)
    town.pipeline.handle_all([good, bad, frame(2, False), (b"nonsense", b"", 0)], NOON)
    outcome = town.pipeline.take()
    assert outcome.batch.payloads == [good[1], frame(2, False)[1]]
    assert [message.reason for message in outcome.rejected] == ["encoding"]


FIELDS = st.sampled_from(["ts", "boot", "seq", "occupied", "x", "oldest"])
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=8,
)
hostile = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode()),
    st.integers(1, 6_000).map(lambda depth: b'{"x":' + b"[" * depth),
)
topics = st.one_of(
    st.sampled_from([f"yz/yanshan/seat-01/{which}".encode() for which in wire.TOPICS]),
    st.binary(max_size=20),
    st.just(b"yz/yanshan/seat-01"),
)


@given(topics, hostile, st.sampled_from([0, 1, 8, 9]))
def test_whatever_comes_is_stored_or_kept_aside_and_the_next_message_works(topic, payload, flags):
    town = Town(SEAT)
    town.pipeline.handle_all([(topic, payload, flags)], NOON)
    outcome = town.pipeline.take()
    assert len(outcome.batch) + len(outcome.rejected) <= 1
    if topic.startswith(b"yz/") and payload and payload not in (b"online", b"offline"):
        assert len(outcome.batch) + len(outcome.rejected) == 1
    town.now += SECOND
    assert len(say(town, "fresh boot", 1).batch) == 1
    assert town.axes("seat-01").usable == "yes"
