"""Store and replay on the device's side of the watermark."""

import json
from random import Random

import pytest

from firmware_bridge.emulator.device import VirtualDevice
from firmware_bridge.emulator.things import Seat
from gateway.model import Resource

from .conftest import START


@pytest.fixture
def device():
    device = VirtualDevice("s", "seat-01", [Seat(Resource("s", "a", "seat-01", "seat", "seat-01"), Random(0))], hold=5)
    device.start(START)
    return device


def _seqs(messages):
    return [json.loads(message.payload)["seq"] for message in messages]


def _say(device, count, *, event=False):
    return [device.message(START, {"type": "card"} if event else {"occupied": True}, event=event) for _ in range(count)]


def test_everything_is_held_until_the_watermark_covers_it(device):
    sent = _say(device, 4)
    assert list(device.replay()) == sent
    device.acked(device.boot, 2)
    assert list(device.replay()) == sent[2:]
    device.acked(device.boot, 1)
    assert list(device.replay()) == sent[2:]
    device.acked(device.boot, 99)
    assert list(device.replay()) == []


def test_a_watermark_of_another_boot_covers_nothing(device):
    sent = _say(device, 3)
    device.acked("older", 3)
    assert list(device.replay()) == sent


def test_a_full_ring_drops_the_oldest_reading_and_oldest_tells(device):
    sent = _say(device, 8)
    assert _seqs(device.replay()) == [4, 5, 6, 7, 8]
    assert json.loads(sent[-1].payload)["oldest"] == 3
    assert json.loads(_say(device, 1)[0].payload)["oldest"] == 4


def test_events_are_never_dropped_and_the_hole_above_them_is_filled_with_a_bare_header(device):
    event = _say(device, 1, event=True)
    readings = _say(device, 7)
    replayed = list(device.replay())
    assert replayed[0] == event[0]
    assert replayed[-4:] == readings[-4:]
    assert _seqs(replayed) == list(range(1, 9))
    assert all(json.loads(message.payload).keys() == {"boot", "seq"} for message in replayed[1:-4])
    _say(device, 20, event=True)
    assert sum(held.event for held in device.held) == 21


def test_a_reboot_begins_a_new_count_with_an_empty_memory(device):
    _say(device, 3)
    old = device.boot
    device.start(START + 5_000)
    assert device.boot != old
    assert list(device.replay()) == []
    assert _seqs(_say(device, 1)) == [1]


def test_replay_brings_back_what_a_forgetful_broker_lost(build_town, play):
    town = build_town()
    sent = {message.payload for message in play(town, 30, ack=False) if not message.retain}
    replayed = town.replay()
    assert {message.payload for message in replayed if not message.retain} == sent
    assert sum(message.retain for message in replayed) == len(town.devices)
    for device in town.devices.values():
        town.acked(device.station, device.id, device.boot, device.seq)
    assert all(message.retain for message in town.replay())
    town.acked("nowhere", "nobody", "b", 1)


def test_what_the_broker_swallowed_is_sent_again_while_watermarks_come(build_town):
    town, sent = build_town(), []
    for now in range(START, START + 200_000, 1_000):
        messages = town.step(now)
        sent += [message.payload for message in messages if not message.retain]
        for device in town.devices.values():  # the gateway is alive but seq 2 never came through
            town.acked(device.station, device.id, device.boot, 1)
    lost = [payload for payload in sent if json.loads(payload)["seq"] == 2]
    assert len(set(lost)) < len(lost)


def test_nothing_is_sent_again_while_nobody_acknowledges(build_town, play):
    sent = [(message.topic, message.payload) for message in play(build_town(), 200, ack=False) if not message.retain]
    assert len(set(sent)) == len(sent)
