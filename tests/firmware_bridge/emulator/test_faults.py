"""Devices misbehave as asked, and it is on the record."""

import json
from collections import Counter
from itertools import pairwise

import pytest

from firmware_bridge.emulator import faults

from .conftest import START


def _messages_of_faulty(town, messages):
    """For each spell of a fault, what that device published while it lasted."""
    messages = list(messages)
    for fault in town.faults:
        mine = [message for message in messages if (message.station, message.device) == (fault.station, fault.device)]
        yield (
            fault,
            [
                message
                for at, message in ((_sent(message), message) for message in mine)
                if at and fault.begins < at < fault.ends
            ],
        )


def _sent(message):
    try:
        return json.loads(message.payload).get("ts")
    except ValueError:
        return None


def _parses(payload):
    try:
        return isinstance(json.loads(payload), dict)
    except ValueError:
        return False


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_the_asked_share_of_devices_misbehaves(build_town, play, rate):
    town = build_town(fault_rate=rate, speed=1.0)
    seconds = 14_400
    list(play(town, seconds, step_ms=20_000, ack=False))
    end = START + seconds * 1000
    spent_ms = sum(min(fault.ends, end) - fault.begins for fault in town.faults)
    assert 0.8 * rate < spent_ms / (seconds * 1000 * len(town.devices)) < 1.2 * rate


def test_no_rate_no_faults_and_every_kind_of_fault_happens(build_town, play):
    town = build_town()
    list(play(town, 60))
    assert town.faults == []
    town = build_town(fault_rate=0.5)
    list(play(town, 600, step_ms=2_000))
    assert set(Counter(fault.kind for fault in town.faults)) == set(faults.KINDS)


def test_a_fault_can_be_ordered_for_one_device_at_one_time(build_town, play):
    town = build_town()
    stuck = faults.Misbehaviour("stuck", "yanshan", "seat-01", START + 10_000, START + 50_000)
    town.inject(stuck)
    town.inject(
        faults.Misbehaviour("silence", "yanshan", "seat-01", START + 20_000, START + 30_000)
    )  # busy with the first
    list(play(town, 30))
    assert town.devices["yanshan", "seat-01"].fault is stuck
    list(town.step(START + 60_000))
    assert town.devices["yanshan", "seat-01"].fault is None
    assert town.faults == [stuck]


@pytest.mark.parametrize("kind", ["silence", "offline", "reboot"])
def test_who_is_away_says_nothing(build_town, play, kind):
    town = build_town(fault_rate=0.4, fault_kinds=(kind,))
    live = []
    for message in play(town, 200, step_ms=10):
        fault = town.devices[message.station, message.device].fault
        if fault and not message.retain and json.loads(message.payload)["ts"] > fault.begins:
            live.append(message)
    assert live == []
    assert len(town.faults) > 10


def test_garbage_is_no_object_and_leaves_no_hole_in_seq(build_town, play):
    town = build_town(fault_rate=0.4, fault_kinds=("garbage",))
    seqs, unreadable = {}, 0
    for message in play(town, 300):
        if not _parses(message.payload):
            unreadable += 1
        elif not message.retain:
            seq = json.loads(message.payload)["seq"]
            assert seq == seqs.get((message.station, message.device), 0) + 1
            seqs[message.station, message.device] = seq
    assert unreadable > 20


def test_wrong_types_keep_a_readable_header(build_town, play):
    town = build_town(fault_rate=0.4, fault_kinds=("wrong_type",))
    spells = [said for _, said in _messages_of_faulty(town, play(town, 200)) if said]
    bodies = [json.loads(message.payload) for said in spells for message in said if message.topic.endswith("/state")]
    assert len(bodies) > 20
    for body in bodies:
        assert isinstance(body["seq"], int)
        signals = {name: value for name, value in body.items() if name not in ("ts", "boot", "seq", "oldest")}
        assert all(value == "yes" or isinstance(value, list) for value in signals.values())


def test_a_stuck_device_repeats_one_value(build_town, play):
    town = build_town(fault_rate=0.4, fault_kinds=("stuck",))
    several = 0
    for _, said in _messages_of_faulty(town, play(town, 300)):
        states = [json.loads(message.payload) for message in said if message.topic.endswith("/state")]
        values = {json.dumps({k: v for k, v in s.items() if k not in ("ts", "seq", "oldest")}) for s in states}
        assert len(values) <= 1
        several += len(states) > 1
    assert several > 5


def test_duplicates_are_the_same_bytes_again(build_town, play):
    town = build_town(fault_rate=0.4, fault_kinds=("duplicates",))
    times = Counter((message.topic, message.payload) for message in play(town, 120) if not message.retain)
    assert set(times.values()) == {1, 2, 3}


def test_a_skewed_clock_is_minutes_to_years_away(build_town, play):
    town = build_town(fault_rate=0.4, fault_kinds=("clock_skew",))
    stamps = [json.loads(message.payload)["ts"] for message in play(town, 60) if not message.retain]
    away = [ts for ts in stamps if abs(ts - START) > 500_000]
    assert 0.1 < len(away) / len(stamps) < 0.9


def test_flapping_turns_every_two_seconds(build_town, play):
    town = build_town(fault_rate=0.4, fault_kinds=("flapping",), speed=1.0)
    turns = Counter()
    for fault, said in _messages_of_faulty(town, play(town, 200)):
        if fault.device.startswith("seat"):
            values = [json.loads(message.payload)["occupied"] for message in said]
            turns[fault] = sum(a != b for a, b in pairwise(values))
    assert max(turns.values()) > 20


def test_a_reboot_brings_a_new_boot_and_a_will_of_the_old_one(build_town, play):
    town = build_town(fault_rate=0.3, fault_kinds=("reboot",))
    births = Counter()
    for message in play(town, 200):
        if message.retain:
            body = json.loads(message.payload)
            births[message.station, message.device, body["state"], body["boot"]] += 1
    assert births.most_common(1)[0][1] == 1
    assert sum(state == "offline" for _, _, state, _ in births) > 10


def test_who_was_offline_sends_everything_late_and_nothing_is_missing(build_town, play):
    town = build_town(fault_rate=0.3, fault_kinds=("offline",))
    seqs = {}
    for message in play(town, 400):
        if not message.retain:
            seqs.setdefault((message.station, message.device), []).append(json.loads(message.payload)["seq"])
    assert len(town.faults) > 20
    for said in seqs.values():
        assert said == list(range(1, len(said) + 1))
