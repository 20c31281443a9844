"""What the virtual devices put on the wire."""

import json
from collections import defaultdict
from itertools import pairwise

import pytest

from config.schema import Settings
from firmware_bridge.emulator.configured import resources_of, town_of
from firmware_bridge.emulator.stations import demo_stations
from gateway.core.plan import decoder
from gateway.kinds import KINDS
from gateway.model import Resource
from gateway.wire import MAX_PAYLOAD, parse_topic, read

from .conftest import START


def _bytes(messages):
    return [(message.topic, message.payload, message.retain) for message in messages]


def test_the_same_seed_gives_the_same_bytes_however_time_is_cut(build_town, play):
    once = _bytes(play(build_town(fault_rate=0.3), 60, step_ms=100, ack=False))
    again = _bytes(play(build_town(fault_rate=0.3), 60, step_ms=1_000, ack=False))
    other = _bytes(play(build_town(fault_rate=0.3, seed=8), 60, ack=False))
    assert once == again
    assert once != other
    assert len(once) > 300


def test_stepping_when_something_is_due_misses_nothing(build_town, play):
    town, messages = build_town(), []
    while (due := town.next_due()) <= START + 20_000:
        messages += town.step(due)
        assert town.next_due() > due
    assert _bytes(messages) == _bytes(play(build_town(), 20, ack=False))


def test_every_device_is_online_and_has_reported_within_two_seconds(build_town, play):
    town, topics = build_town(), defaultdict(list)
    for message in play(town, 2):
        topics[message.station, message.device].append(message.topic.rsplit("/", 1)[1])
    assert topics.keys() == town.devices.keys()
    assert all(said[:2] == ["availability", "state"] for said in topics.values())


def test_every_message_is_within_the_contract_and_every_kind_speaks(build_town, play, demo_resources):
    kinds = {(resource.station, resource.device): resource.kind for resource in demo_resources}
    signals = defaultdict(set)
    for message in play(build_town(), 120):
        station, device, which = parse_topic(message.topic.encode())
        assert len(message.payload) <= MAX_PAYLOAD
        body = json.loads(message.payload)
        assert message.retain == (which == "availability")
        if which == "state":
            kind = kinds[station, device]
            _, ignored, bad = read(decoder({kind}), message.payload)
            assert (ignored, bad) == (0, ()), message
            signals[kind] |= body.keys() - {"ts", "boot", "seq", "oldest"}
    assert signals.keys() == KINDS.keys()
    assert signals["charger"] == {"status", "power_w", "energy_wh", "firmware", "rssi_dbm"}


def test_seq_counts_up_by_one_from_boot_and_stamps_are_real_time(build_town, play):
    last = {}
    for message in play(build_town(), 60):
        if message.retain:
            continue
        body = json.loads(message.payload)
        key = message.station, message.device, body["boot"]
        assert body["seq"] == last.get(key, 0) + 1
        assert START <= body["ts"] <= START + 60_000
        assert body["oldest"] <= body["seq"]
        last[key] = body["seq"]


def test_quiet_devices_report_well_within_their_ttl(build_town, play, demo_resources):
    heard = defaultdict(lambda: [START])
    for message in play(build_town(), 300):
        if not message.retain:
            heard[message.station, message.device].append(json.loads(message.payload)["ts"])
    for resource in demo_resources:
        times = [*heard[resource.station, resource.device], START + 300_000]
        assert max(b - a for a, b in pairwise(times)) <= resource.ttl_ms / 2


def test_something_changes_every_few_seconds_in_the_demo(build_town, play):
    said, changes = {}, 0
    for message in play(build_town(), 60):
        if message.station == "yanshan" and message.topic.endswith("/state"):
            body = json.loads(message.payload)
            shown = body.get("occupied"), body.get("status"), body.get("people"), body.get("free")
            changes += said.get(message.device, shown) != shown
            said[message.device] = shown
    assert changes >= 30


def test_a_device_may_speak_for_several_resources(build_town, play):
    both = [
        Resource("s", "a", "door", "door", "box"),
        Resource("s", "a", "seat", "seat", "box"),
        Resource("s", "a", "room", "room", "gone", lifecycle="removed"),
    ]
    town = build_town(both)
    states = [json.loads(message.payload) for message in play(town, 10) if message.topic.endswith("box/state")]
    assert {"open", "locked", "occupied"} <= states[0].keys()
    assert list(town.devices) == [("s", "box")]


def test_a_town_without_resources_says_what_to_do():
    with pytest.raises(ValueError, match="add a station"):
        town_of(Settings(), START)


def test_a_configured_town_starts_at_the_hour_it_is_there(build_town):
    settings = Settings.model_validate({"stations": demo_stations(1), "timezone": "Asia/Shanghai"})
    at_night = START - START % 86_400_000 + 19 * 3_600_000  # 03:00 in China
    by_night, by_day = (town_of(settings, at_night, from_midday=midday) for midday in (False, True))
    assert by_night.people("yanshan") < by_day.people("yanshan")
    assert len(list(resources_of(settings))) == len(by_day.truth())


@pytest.mark.parametrize("arguments", [{"speed": 0}, {"fault_rate": 1.5}, {"fault_rate": -0.1}])
def test_a_speed_or_a_rate_out_of_range_is_refused(build_town, arguments):
    with pytest.raises(ValueError, match="must be above 0"):
        build_town(**arguments)


def test_the_smallest_of_everything_works(build_town, play):
    tiny = [
        Resource("s", "a", f"{kind}-{number}", kind, f"{kind}-{number}", ttl_ms=1_000, capacity=1)
        for kind in KINDS
        for number in range(2)
    ]
    town = build_town(tiny, speed=2_000.0, fault_rate=0.2)
    devices = {message.device for message in play(town, 60)}
    assert devices == {resource.device for resource in tiny}


@pytest.mark.parametrize("hours", [8, -8])
def test_after_a_sleep_or_a_new_clock_the_day_goes_on_without_a_flood(build_town, play, hours):
    town, jump = build_town(), hours * 3_600_000
    list(play(town, 20))
    without = list(play(build_town(), 40))
    town.suspended(jump)
    after = [message for now in range(START + 20_250, START + 40_001, 250) for message in town.step(now + jump)]
    assert 0 < len(after) < len(without)
    assert all(START + jump < json.loads(message.payload)["ts"] <= START + jump + 40_000 for message in after)


def test_farewell_is_the_will_of_every_device_that_is_up(build_town, play):
    town = build_town()
    assert town.farewell() == []
    list(play(town, 3))
    wills = town.farewell()
    assert {(will.station, will.device) for will in wills} == town.devices.keys()
    assert all(will.retain and json.loads(will.payload)["state"] == "offline" for will in wills)
