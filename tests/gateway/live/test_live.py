"""What is true now: deadlines, evidence, retained ghosts, wills, clocks; documents never grey out too early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.alarms import Alarms
from tests.gateway.world import MINUTE, NOON, SECOND, Town

SEAT = {"id": "seat-01", "kind": "seat", "ttl": 180}
DOOR = {"id": "door", "kind": "door", "ttl": 600, "reporting": "on_change"}


@pytest.fixture
def town():
    return Town(SEAT, DOOR)


def say(town, seq, boot="b1", device="seat-01", **signals):
    return town.hear(device, {"boot": boot, "seq": seq, **(signals or {"occupied": False})})


def test_a_resource_never_heard_of_is_unknown_for_that_reason(town):
    assert town.axes("seat-01")[:6] == ("active", "ok", "open", "unknown", "never", "unknown")
    assert town.axes("seat-01").because == ("never", "use_unknown")


def test_a_value_is_live_until_its_ttl_and_stale_from_that_moment_on(town):
    say(town, 1)
    assert town.axes("seat-01").usable == "yes"
    assert town.wait(180 * SECOND - 1) == []
    (change,) = town.wait(1)
    assert (change.at, change.after.evidence, change.after.usable) == (NOON + 180 * SECOND, "stale", "unknown")
    say(town, 2)
    assert town.axes("seat-01").usable == "yes"


def test_a_message_in_time_moves_the_deadline(town):
    for seq in range(1, 10):
        say(town, seq)
        assert town.wait(170 * SECOND) == []
    assert town.axes("seat-01").evidence == "live"


def test_a_buffered_value_is_as_old_as_its_own_time(town):
    say(town, 1, ts=town.now - 100 * SECOND, occupied=False)
    assert [change.at for change in town.wait(100 * SECOND)] == [NOON + 80 * SECOND]
    say(town, 2, ts=town.now - 10 * MINUTE, occupied=False)
    assert town.axes("seat-01").evidence == "stale"


def test_a_sign_of_life_keeps_the_value_of_one_that_reports_on_change_only(town):
    say(town, 1, device="door", open=False)
    say(town, 1, occupied=False)
    town.wait(170 * SECOND)
    say(town, 2, device="door", battery_pct=90)
    say(town, 2, battery_pct=90)  # no value: a periodic reporter gets no longer life from it
    assert [change.resource.id for change in town.wait(500 * SECOND)] == ["seat-01"]
    town.hear("door", {"boot": "b1", "seq": 3, "type": "card"}, "event")
    assert town.wait(520 * SECOND) == []
    assert [change.resource.id for change in town.wait(81 * SECOND)] == ["door"]


def test_a_goodbye_counts_at_once_and_fresh_data_outranks_it(town):
    say(town, 1)
    town.hear("seat-01", b"offline", "availability")
    assert town.axes("seat-01").because == ("offline",)
    say(town, 2)
    assert town.axes("seat-01").usable == "yes"


def test_the_will_of_an_older_boot_is_ignored(town):
    say(town, 1, boot="old")
    say(town, 1, boot="new")
    town.hear("seat-01", {"state": "offline", "boot": "old"}, "availability")
    assert town.axes("seat-01").evidence == "live"
    town.hear("seat-01", {"state": "offline", "boot": "new"}, "availability")
    assert town.axes("seat-01").evidence == "offline"


def test_a_will_that_comes_after_the_new_birth_is_ignored(town):
    """The device is back before the broker notices that it was gone."""
    say(town, 1, boot="old")
    town.hear("seat-01", {"state": "online", "boot": "new"}, "availability")
    town.hear("seat-01", {"state": "offline", "boot": "old"}, "availability")
    assert town.axes("seat-01").evidence == "live"
    say(town, 1, boot="new")
    town.hear("seat-01", {"state": "offline", "boot": "new"}, "availability")
    assert town.axes("seat-01").evidence == "offline"
    say(town, 1, boot="third")
    town.hear("seat-01", {"state": "offline", "boot": "third"}, "availability")
    assert town.axes("seat-01").evidence == "offline"


def test_a_retained_message_restores_the_value_never_its_freshness(town):
    town.hear("seat-01", {"boot": "b1", "seq": 1, "occupied": True}, retained=True)
    axes = town.axes("seat-01")
    assert (axes.use, axes.evidence, axes.usable) == ("occupied", "stale", "unknown")
    say(town, 2, occupied=False)
    town.hear("seat-01", {"boot": "b0", "seq": 1, "occupied": True}, retained=True)
    assert town.axes("seat-01").use == "free"
    assert say(town, 3).batch.payloads
    assert town.pipeline.counters["late"] == 1  # only the ghost


def test_a_fault_outlasts_silence_and_is_cleared_by_an_empty_code(town):
    say(town, 1, occupied=False, fault="E1")
    town.wait(300 * SECOND)
    assert town.axes("seat-01").usable == "no"
    say(town, 2, fault="", occupied=False)
    assert town.axes("seat-01").usable == "yes"


@pytest.mark.parametrize("by", [3_600_000, -3_600_000, -NOON + 5_000, 400_000_000_000])
def test_a_clock_that_is_set_changes_no_age(town, by):
    say(town, 1)
    town.wait(100 * SECOND)
    say(town, 1, device="door", open=True)
    town.now += by
    town.live.shift(by, town.now)
    assert town.wait(80 * SECOND - 1) == []
    assert [change.after.evidence for change in town.wait(1)] == ["stale"]
    assert [change.resource.id for change in town.wait(600 * SECOND)] == ["door"]


def test_an_owner_with_two_entries_still_fires_after_a_shift():
    class Owner:
        alarm = None

    alarms, owner = Alarms(), Owner()
    alarms.set(owner, 100)
    alarms.set(owner, 50)
    alarms.shift(10)
    assert alarms.next() == 60
    assert alarms.pop_due(59) is None
    assert alarms.pop_due(60) is owner
    alarms.set(owner, 110)
    assert alarms.pop_due(200) is owner


class Until:
    """Open until a moment, closed from then on."""

    def __init__(self, moment):
        self.moment = moment

    def at(self, now):
        return ("open", self.moment) if now < self.moment else ("closed", None)


def test_closing_time_closes_everything_on_its_own():
    town = Town(SEAT, opening=lambda _station, area: None if area else Until(NOON + 60 * SECOND))
    say(town, 1)
    (change,) = town.wait(60 * SECOND)
    assert (change.at, change.after.access, change.after.usable) == (NOON + 60 * SECOND, "closed", "no")
    document = town.document()
    assert document["open"] == {"now": "no", "until": None, "proof": "unproved", "proved_at": None}
    assert town.axes("seat-01").because == ("closed",)


# ---- documents ----


def test_the_document_is_the_contracts(town):
    say(town, 1)
    document = town.document()
    assert set(document) >= {"station", "name", "as_of", "valid_until", "open", "summary", "areas"}
    (area,) = document["areas"]
    seat, door = area["resources"]
    assert seat | {"id": "seat-01", "kind": "seat", "type": None, "usable": "yes", "because": [],
                   "lifecycle": "active", "health": "ok", "access": "open", "use": "free", "evidence": "live",
                   "observed_at": "2026-05-29T12:00:00Z", "valid_until": "2026-05-29T12:03:00Z",
                   "since": "2026-05-29T12:00:00Z"} == seat  # fmt: skip
    assert (door["usable"], door["observed_at"], door["valid_until"]) == ("unknown", None, None)
    assert document["valid_until"] == "2026-05-29T12:03:00Z"
    assert document["summary"] == [
        {"kind": "seat", "type": None, "total": 1, "usable_min": 1, "usable_max": 1},
        {"kind": "door", "type": None, "total": 1, "usable_min": 0, "usable_max": 1},
    ]


def test_lockers_are_counted_by_their_doors():
    town = Town({"id": "box", "kind": "locker"}, {"id": "bank", "kind": "locker", "capacity": 20},
                {"id": "gone", "kind": "locker", "lifecycle": "removed"})  # fmt: skip
    say(town, 1, device="box", free=3, total=12)
    assert town.document()["summary"] == [
        {"kind": "locker", "type": None, "total": 32, "usable_min": 3, "usable_max": 23}
    ]
    say(town, 2, device="box", total=2)
    assert town.document()["summary"][0]["usable_min"] == 2


@given(st.lists(st.integers(1, 90), min_size=1, max_size=60))
def test_while_messages_come_no_document_greys_out_too_early(gaps):
    """Whoever reads only the documents sees the seat as live at every moment that it is, and never when it is not."""
    town = Town({"id": "seat-01", "kind": "seat", "ttl": 100})
    live_until_shown = 0
    for seq, gap in enumerate(gaps):
        say(town, seq)
        for _ in range(gap):
            if town.live.dirty:
                shown = town.document()["areas"][0]["resources"][0]
                live_until_shown = town.device("seat-01").facts[0].fresh.valid_until or 0
                assert shown["evidence"] == "live"
            assert town.now < live_until_shown
            assert town.wait(SECOND) == []


def test_a_document_is_renewed_before_half_the_ttl_has_gone(town):
    say(town, 1)
    town.document()
    made = town.now
    say(town, 2)
    while not town.live.dirty:
        town.wait(SECOND)
        say(town, 2 + (town.now - made) // SECOND)
    assert town.now - made <= 90 * SECOND
