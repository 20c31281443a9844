"""Devices whose clock is slow, whose counter begins anew, whose sensor only says "somebody", and who sleep."""

import json

import pytest

from gateway.model import ANEW
from tests.gateway.core.test_sources import START, facts, pipeline, say
from tests.gateway.world import SECOND, Town, reasons

SEAT = {"id": "s", "kind": "seat", "ttl": 180}


def test_a_clock_that_is_always_as_slow_is_told_as_skew_and_takes_nothing_away() -> None:
    town = Town(SEAT)
    flags = []
    for seq in range(4):
        flags += town.hear("s", {"boot": "b", "seq": seq, "ts": town.now - 240_000, "occupied": False}).batch.flags
        town.wait(SECOND)
    assert [bool(flag & 2) for flag in flags] == [False, False, True, True]
    assert town.axes("s").evidence == "live"


def test_what_waited_somewhere_is_as_old_as_it_says_however_much_comes() -> None:
    town = Town(SEAT)
    start = town.now - 600_000
    for seq in range(100):
        town.hear("s", {"boot": "b", "seq": seq, "ts": start + seq * 5_000, "occupied": False})
        town.wait(100)
        assert town.axes("s").evidence == ("live" if start + seq * 5_000 + 180_000 > town.now else "stale")


def test_a_counter_that_begins_again_with_other_content_is_news() -> None:
    town = Town(SEAT)
    for seq in (1, 2, 3):
        town.hear("s", {"boot": "fw1", "seq": seq, "occupied": False})
    assert not town.hear("s", {"boot": "fw1", "seq": 1, "occupied": False}).batch.payloads  # a repeat, for all we know
    assert len(town.hear("s", {"boot": "fw1", "seq": 1, "occupied": True}).batch) == 1
    assert town.axes("s").use == "occupied"
    assert len(town.hear("s", {"boot": "fw1", "seq": 2, "occupied": False}).batch) == 1
    assert town.axes("s").use == "free"


def test_a_counter_that_begins_again_is_known_by_its_clock_too() -> None:
    town = Town(SEAT)
    for seq in (7, 8, 9):
        town.hear("s", {"boot": "fw1", "seq": seq, "ts": town.now, "occupied": False})
    old = {"boot": "fw1", "seq": 8, "ts": town.now, "occupied": True}
    town.wait(400 * SECOND)
    assert not town.hear("s", old).batch.payloads
    assert len(town.hear("s", old | {"ts": town.now}).batch) == 1
    assert town.axes("s").use == "occupied"


@pytest.mark.parametrize("more", [{}, {"ts": -1_000}, {"ts": 5_000}, {"oldest": 3}, {"oldest": 9}], ids=str)
def test_the_first_message_of_a_device_is_taken_as_the_first_of_another_boot_is(more: dict[str, int]) -> None:
    """Nothing has to be compared for it, so it has a way of its own."""
    first, second = Town(SEAT), Town(SEAT)
    second.hear("s", {"boot": "before", "seq": 1, "occupied": False})
    towns = (first, second)
    for town in towns:
        body = {"boot": "b", "seq": 7, "occupied": True, **more}
        if "ts" in more:
            body["ts"] = town.now + more["ts"]
        assert list(town.hear("s", body).batch.flags) == [0]
        assert not town.hear("s", body).batch.payloads
        assert len(town.hear("s", {"boot": "b", "seq": 8, "occupied": True}).batch) == 1
    devices = [town.live.devices["yanshan", "s"] for town in towns]
    kept = [(device.seen.upto(), device.seen.floor, device.seen.first, device.facts[0].axes) for device in devices]
    assert kept[0] == kept[1]
    assert devices[0].facts[0].fresh.valid_until == devices[1].facts[0].fresh.valid_until


def test_a_first_message_written_anew_when_it_is_sent_again_begins_no_count() -> None:
    """A device that sends its store again may add how strong its radio is now; its own time is the old one."""
    town = Town(SEAT)
    first = {"boot": "fw1", "seq": 1, "ts": town.now, "occupied": False}
    town.hear("s", first)
    town.wait(SECOND)
    town.hear("s", first | {"seq": 2, "ts": town.now})
    assert not town.hear("s", first | {"rssi_dbm": -71}).batch.payloads
    assert not town.hear("s", first | {"rssi_dbm": -71, "ts": town.now}).batch.payloads
    assert len(town.hear("s", first | {"ts": town.now + 1, "occupied": True}).batch) == 1
    assert town.axes("s").use == "occupied"


def test_the_newest_message_that_came_first_and_comes_again_in_its_turn_begins_no_count() -> None:
    """A bridge may tell the newest state first; in its turn it names another `oldest`. Nothing is stored twice."""
    town = Town({"id": "s", "kind": "charger", "type": "ev", "ttl": 180})
    newest = {"boot": "b", "seq": 4, "ts": town.now, "energy_wh": 5586.0}
    assert len(town.hear("s", newest | {"oldest": 1}).batch) == 1
    for seq in (1, 2, 3):
        assert len(town.hear("s", newest | {"seq": seq, "ts": town.now - 100 + seq, "oldest": 1}).batch) == 1
    assert not town.hear("s", newest | {"oldest": 4}).batch.payloads
    for seq in (1, 2, 3):
        assert not town.hear("s", newest | {"seq": seq, "ts": town.now - 100 + seq, "oldest": 1}).batch.payloads


def test_the_first_message_of_a_count_that_begins_again_is_marked_in_the_journal() -> None:
    town = Town(SEAT)
    flags = []
    for kind, seq, content in (
        ("state", 1, {"occupied": False}),
        ("state", 2, {"occupied": False}),
        ("state", 1, {"occupied": True}),
        ("state", 2, {"occupied": True}),
        ("event", 1, {"type": "help"}),
        ("event", 2, {"type": "help"}),
    ):
        flags += town.hear("s", {"boot": "fw1", "seq": seq, **content}, kind).batch.flags
    assert flags == [0, 0, ANEW, 0, ANEW, 0]


def test_what_a_broker_marks_as_sent_again_never_begins_a_counter() -> None:
    town = Town(SEAT)
    town.hear("s", {"boot": "fw1", "seq": 1, "occupied": False})
    town.hear("s", {"boot": "fw1", "seq": 2, "occupied": False})
    assert not town.hear("s", {"boot": "fw1", "seq": 1, "occupied": True}, dup=True).batch.payloads
    assert town.axes("s").use == "free"


def test_a_sensor_that_only_says_somebody_means_nobody_after_its_hold() -> None:
    for kind in ("seat", "room"):
        town = Town({"id": "s", "kind": kind, "ttl": 600})
        town.hear("s", {"occupied": True, "hold_s": 20})
        town.wait(15 * SECOND)
        assert town.axes("s").use == "occupied"
        town.hear("s", {"occupied": True, "hold_s": 20})
        town.wait(15 * SECOND)
        assert town.axes("s").use == "occupied"
        town.wait(10 * SECOND)
        assert (town.axes("s").use, town.axes("s").evidence) == ("free", "live")


def test_a_good_night_leaves_the_value_for_its_ttl_and_a_goodbye_later_does_not() -> None:
    source = {"dialect": "tasmota", "topic": "tele/s"}
    core = pipeline({"id": "s", "kind": "seat", "reporting": "on_change", "ttl": 1500, "source": source})

    def lwt(word: str, at: int) -> None:
        core.handle_all([(b"tele/s/LWT", word.encode(), 0)], START + at * SECOND)

    lwt("Online", 0)
    say(core, "tele/s/SENSOR", {"Switch1": "ON"}, START + 5 * SECOND)
    lwt("Offline", 20)
    assert facts(core, "s").axes.evidence == "live"
    assert json.loads(core.outcome.batch.payloads[-1]) == {"state": "offline", "sleeps": True}
    lwt("Online", 600)
    say(core, "tele/s/SENSOR", {"Switch1": "ON"}, START + 605 * SECOND)
    lwt("Offline", 900)
    assert facts(core, "s").axes.evidence == "offline"


def test_a_sensor_behind_a_shelly_is_not_alive_because_the_shelly_is() -> None:
    source = {"dialect": "shelly", "topic": "hub", "field": "bthomesensor:200"}
    core = pipeline({"id": "s", "kind": "door", "reporting": "on_change", "ttl": 60, "source": source})
    say(core, "hub/status/bthomesensor:200", {"id": 200, "value": True})
    until = facts(core, "s").fresh.valid_until
    others = {"method": "NotifyStatus", "params": {"switch:0": {"output": True}}}
    core.handle_all([(b"hub/online", b"true", 0)], START + 20 * SECOND)
    say(core, "hub/events/rpc", others, START + 30 * SECOND)
    say(core, "hub/events/rpc", {"method": "NotifyEvent", "params": {"events": []}}, START + 40 * SECOND)
    assert facts(core, "s").fresh.valid_until == until
    say(core, "hub/events/rpc", {"method": "NotifyStatus", "params": {"bthomesensor:200": {}}}, START + 50 * SECOND)
    assert (
        facts(core, "s").fresh.valid_until == START + 105 * SECOND
    )  # a door's is rounded down to a quarter of its ttl


def test_our_own_devices_may_say_good_night_too() -> None:
    town = Town(SEAT)
    town.hear("s", {"occupied": False})
    assert not town.hear("s", {"state": "offline", "sleeps": True}, "availability").changes
    town.hear("s", {"state": "offline"}, "availability")
    assert town.axes("s").evidence == "offline"
    assert reasons(town.hear("s", {"state": "offline", "sleeps": 7}, "availability")) == ["wrong_type"]
