"""Evidence: what is live, stale, offline, never; races of wills, ghosts and restarts end in the truth."""

import pytest

from tests.gateway.live.house import HOUR, MINUTE, START, House

SEAT = {"id": "seat", "kind": "seat"}
AED = {"id": "seat", "kind": "seat", "reporting": "on_change", "ttl": 600}


def goodbye(house: House, boot: str | None = "b1", *, retained: bool = False) -> None:
    body = {"state": "offline", "boot": boot} if boot else "offline"
    house.send("yz/yanshan/seat/availability", body, retained=retained)


def hello(house: House, *, retained: bool = False) -> None:
    house.send("yz/yanshan/seat/availability", "online", retained=retained)


def test_silence_makes_a_value_stale_at_its_very_deadline():
    house = House([SEAT])
    house.say("seat", occupied=False)
    house.wait(3 * MINUTE - 1)
    assert house.seen("seat", "evidence", "usable") == ("live", "yes")
    house.wait(1)
    assert house.seen("seat", "evidence", "usable", "because") == ("stale", "unknown", ["stale"])
    assert house.changes[-1].at == START + 3 * MINUTE


def test_a_heartbeat_keeps_the_value_of_an_on_change_reporter_but_not_of_a_periodic_one():
    for resource, evidence in ((AED, "live"), ({**SEAT, "ttl": 600}, "stale")):
        house = House([resource])
        house.say("seat", occupied=False)
        for _ in range(3):
            house.wait(5 * MINUTE)
            house.say("seat", battery_pct=80)
        assert house.seen("seat", "evidence") == (evidence,)


def test_a_will_is_a_hint_that_fresh_data_outranks():
    house = House([SEAT])
    house.say("seat", occupied=False)
    goodbye(house)
    assert house.seen("seat", "evidence", "because") == ("offline", ["offline"])
    house.say("seat", occupied=True)
    assert house.seen("seat", "evidence", "use") == ("live", "occupied")


def test_takeover_a_will_of_an_older_boot_is_ignored():
    house = House([SEAT])
    house.say("seat", occupied=True)
    house.send("yz/yanshan/seat/state", {"boot": "b2", "seq": 1, "occupied": False})
    goodbye(house, "b1")
    assert house.seen("seat", "evidence", "usable") == ("live", "yes")


def test_half_open_a_will_that_nobody_can_date_is_mended_by_the_next_report():
    house = House([SEAT])
    house.say("seat", occupied=False)
    goodbye(house, None)
    assert house.seen("seat", "usable") == ("unknown",)
    house.wait(MINUTE)
    house.say("seat", occupied=False)
    assert house.seen("seat", "usable") == ("yes",)


def test_who_comes_back_online_is_believed_when_it_speaks_not_for_what_it_said_before():
    house = House([SEAT])
    house.say("seat", occupied=False)
    goodbye(house)
    hello(house)
    assert house.seen("seat", "evidence", "usable") == ("stale", "unknown")
    house.say("seat", occupied=True)
    assert house.seen("seat", "usable") == ("no",)


def test_after_a_start_of_the_broker_everybodys_will_waits_out_the_grace():
    house = House([SEAT])
    house.say("seat", occupied=False)
    house.live.grace_until = house.now + MINUTE
    goodbye(house, None)
    assert house.seen("seat", "evidence") == ("live",)
    house.wait(MINUTE - 1)
    assert house.seen("seat", "evidence") == ("live",)
    house.wait(1)
    assert house.seen("seat", "evidence") == ("offline",)


def test_who_speaks_within_the_grace_was_never_away():
    house = House([SEAT])
    house.say("seat", occupied=False)
    house.live.grace_until = house.now + MINUTE
    goodbye(house, None)
    hello(house)
    house.wait(2 * MINUTE)
    assert house.seen("seat", "evidence") == ("live",)
    assert "offline" not in [change.after.evidence for change in house.changes]


@pytest.mark.parametrize("resource", [SEAT, AED])
def test_a_retained_ghost_restores_a_value_and_never_its_freshness(resource):
    house = House([resource])
    house.send("yz/yanshan/seat/state", {"occupied": False}, retained=True)
    assert house.seen("seat", "use", "evidence", "usable") == ("free", "stale", "unknown")
    hello(house)
    assert house.seen("seat", "evidence") == ("stale",), "alive, but nobody has said anything fresh"
    house.say("seat", occupied=True)
    house.send("yz/yanshan/seat/state", {"occupied": False}, retained=True)
    assert house.seen("seat", "use", "evidence") == ("occupied", "live")


@pytest.mark.parametrize(("skew", "observed"), [(200_000, START), (-60_000, START - MINUTE), (400 * 24 * HOUR, START)])
def test_a_clock_that_is_wrong_never_makes_a_value_good_for_longer(skew, observed):
    house = House([SEAT])
    house.send("yz/yanshan/seat/state", {"ts": START + skew, "boot": "b1", "seq": 1, "occupied": False})
    assert house.facts("seat").fresh.observed_at == observed
    assert house.facts("seat").fresh.valid_until == observed + 3 * MINUTE


def test_when_the_machines_clock_is_set_ages_stay_what_they_were():
    house = House([SEAT])
    house.say("seat", occupied=False)
    house.now += 5 * HOUR
    house.live.shift(5 * HOUR, house.now)
    house.wait(3 * MINUTE - 1)
    assert house.seen("seat", "evidence") == ("live",)
    house.wait(1)
    assert house.seen("seat", "evidence") == ("stale",)
