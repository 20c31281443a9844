"""A box and its centre over a line that fails: nothing is lost or double, and the centre ends with what is true."""

import json
from typing import Any

import pytest

from gateway.uplink.cursor import Cursor, cursor_of
from gateway.uplink.outbound import LIVE_MOST, SILENT_MS, SLOWER_MOST, Outbound
from tests.gateway.uplink.village import Village, content

SEAT = {"id": "seat-01", "kind": "seat", "ttl": 600}
DOOR = {"id": "door-main", "kind": "door"}


@pytest.fixture
def village() -> Village:
    return Village(SEAT, DOOR)


def seat(seq: int, occupied: bool, boot: str = "b1", **more: Any) -> dict[str, Any]:
    return {"boot": boot, "seq": seq, "occupied": occupied, **more}


def test_what_the_box_accepts_is_live_at_the_centre(village: Village) -> None:
    village.connect()
    village.said("seat-01", seat(1, True))
    village.exchange()
    assert village.centre.axes("seat-01").use == "occupied"
    assert village.centre.axes("seat-01").evidence == "live"
    assert village.outbound.backlog == 0
    assert village.outbound.cursor.position == 1


def test_a_message_names_its_way_and_the_time_that_counted(village: Village) -> None:
    village.said("seat-01", seat(7, True))
    village.connect()
    village.send()
    topic, payload = village.on_line[0]
    assert topic == "yz/yanshan/seat-01/state"
    assert json.loads(payload) == {
        "via": {"box": "box-1", "boot": "journal-1", "n": 1}, "ts": village.now,
        "boot": "b1", "seq": 7, "occupied": True,
    }  # fmt: skip


def test_what_lies_behind_is_late_and_what_is_true_now_goes_first(village: Village) -> None:
    village.said("seat-01", seat(1, True))
    village.wait(60_000)
    village.said("seat-01", seat(2, False))
    village.connect()
    village.send()
    told = [json.loads(payload) for _, payload in village.on_line]
    assert [(message["via"]["n"], message.get("late", False)) for message in told] == [(2, False), (1, True)]
    village.arrive()
    assert village.centre.axes("seat-01").use == "free"
    assert content(village.stored) == content(village.journal)


def test_a_device_that_restarts_three_times_without_a_line_ends_live_and_right(village: Village) -> None:
    village.connect()
    village.said("seat-01", seat(1, False, "b1"))
    village.exchange()
    village.outbound.lost()
    for boot in ("b2", "b3", "b4"):
        for seq in range(1, 6):
            village.wait(1_000)
            village.said("seat-01", seat(seq, seq % 2 == 0, boot))
    village.said("seat-01", seat(6, True, "b4"))
    village.connect()
    village.exchange()
    assert village.centre.axes("seat-01").use == "occupied"
    assert village.centre.axes("seat-01").evidence == "live"
    assert village.centre.device("seat-01").seen.boot == "b4"
    assert content(village.stored) == content(village.journal)
    village.said("seat-01", seat(7, False, "b4"))
    village.exchange()
    assert village.centre.axes("seat-01").use == "free"


def test_a_message_that_was_late_at_the_box_is_late_at_the_centre(village: Village) -> None:
    village.said("seat-01", seat(9, False, "b1"))
    village.said("seat-01", seat(1, False, "b2"))
    village.said("seat-01", seat(8, True, "b1"))  # of an older boot
    village.connect()
    village.exchange()
    assert village.box.axes("seat-01").use == "free"
    assert village.centre.axes("seat-01").use == "free"
    assert village.centre.device("seat-01").seen.boot == "b2"


def test_a_device_that_counts_anew_under_its_old_boot_costs_nothing(village: Village) -> None:
    village.connect()
    for seq, occupied in ((1, True), (2, False), (1, False), (2, True)):
        village.wait(1_000)
        village.said("seat-01", seat(seq, occupied, ts=village.now))
        village.exchange()
    assert village.centre.axes("seat-01").use == village.box.axes("seat-01").use
    assert content(village.stored) == content(village.journal)


def test_a_repeat_is_stored_once_and_confirmed_again(village: Village) -> None:
    village.said("seat-01", seat(1, True))
    village.connect()
    village.send()
    village.on_line *= 3
    village.arrive()
    assert len(village.stored.batches) == 1
    assert village.outbound.confirmed == {"yanshan": 1}


def test_what_the_line_swallowed_goes_again_when_the_centre_stays_silent(village: Village) -> None:
    village.connect()
    village.said("seat-01", seat(1, True))
    village.send()
    village.on_line.clear()
    village.outbound.tick(village.now)
    village.wait(SILENT_MS)
    village.outbound.tick(village.now)
    village.exchange()
    assert village.centre.axes("seat-01").use == "occupied"


def test_a_centre_that_does_not_know_us_gets_one_message_at_a_time(village: Village) -> None:
    for seq in range(1, 50):
        village.said("seat-01", seat(seq, True))
    village.connect()
    sent = []
    for _ in range(6):
        sent.append(village.send())
        village.on_line.clear()
        village.outbound.tick(village.now)
        village.wait(SILENT_MS << SLOWER_MOST)
        village.outbound.tick(village.now)
    assert sent == [49, 49, 49, 1, 1, 1]
    village.exchange()
    assert content(village.stored) == content(village.journal)


def test_a_slow_centre_is_not_given_the_same_ever_again(village: Village) -> None:
    for seq in range(1, 50):
        village.said("seat-01", seat(seq, True))
    village.connect()
    sent = 0
    for _ in range(10):
        sent += village.send()
        village.wait(SILENT_MS)
        village.outbound.tick(village.now)
    assert sent == 3 * 49 + 1  # at once, after 20 s, after 40 more, then one alone after 80
    village.arrive()
    village.exchange()
    assert content(village.stored) == content(village.journal)


def test_a_cut_line_loses_nothing_whatever_had_arrived(village: Village) -> None:
    for seq in range(1, 40):
        village.wait(1_000)
        village.said("seat-01", seat(seq, seq % 3 == 0))
        village.said("door-main", {"boot": "d", "seq": seq, "open": seq % 2 == 0, "locked": False})
        if seq % 5 == 0:
            village.connect()
            village.send()
            village.arrive(seq % 7)
            village.on_line.clear()
            village.outbound.lost()
    village.connect()
    village.exchange()
    assert content(village.stored) == content(village.journal)
    assert village.centre.axes("seat-01").use == village.box.axes("seat-01").use
    assert village.centre.axes("door-main") is village.box.axes("door-main")


def test_a_box_that_starts_again_goes_on_from_its_cursor_with_the_same_numbers(village: Village) -> None:
    village.connect()
    for seq in range(1, 6):
        village.said("seat-01", seat(seq, True))
        village.exchange()
    village.said("seat-01", seat(6, False))
    village.send()  # on the line, and not confirmed when the box is killed
    kept = cursor_of(village.outbound.cursor.encoded(), "another")
    assert kept == Cursor("journal-1", 5, {"yanshan": 5})
    village.outbound = Outbound("box-1", kept, village.journal, village.journal)
    village.connect()
    village.exchange()
    assert content(village.stored) == content(village.journal)
    assert len(village.stored.batches) == 6


def test_an_old_event_raises_nothing_and_a_fresh_one_does(village: Village) -> None:
    village.said("door-main", {"type": "help"}, "event")
    village.wait(3_600_000)
    village.said("door-main", {"type": "door_forced"}, "event")
    village.connect()
    village.send()
    late = {json.loads(payload)["type"]: "late" in json.loads(payload) for _, payload in village.on_line}
    assert late == {"help": True, "door_forced": False}


def test_too_much_that_is_live_leaves_the_newest_of_each_topic(village: Village) -> None:
    village.connect()
    for seq in range(1, LIVE_MOST + 10):
        village.said("seat-01", seat(seq, seq % 2 == 0))
    village.read()
    first = village.outbound.next_live()
    assert first is not None
    assert first.n > LIVE_MOST
    village.outbound.put_back(first)
    village.exchange()
    assert content(village.stored) == content(village.journal)
    assert village.centre.axes("seat-01").use == village.box.axes("seat-01").use


def test_a_journal_put_back_from_a_backup_becomes_another_one(village: Village) -> None:
    village.said("seat-01", seat(1, True))
    village.connect()
    village.outbound.told("yanshan", "journal-1", 9, village.now)
    assert village.outbound.restored
    village.outbound.renumber("journal-2")
    village.said("seat-01", seat(2, False))
    village.connect()
    village.exchange()
    assert village.centre.axes("seat-01").use == "free"
    assert village.outbound.cursor == Cursor("journal-2", 2, {"yanshan": 1})


def test_what_a_box_told_its_town_the_town_tells_its_city(village: Village) -> None:
    village.said("seat-01", seat(1, True))
    village.wait(1_000)
    village.said("seat-01", seat(2, False))
    village.connect()
    village.exchange()
    town = Outbound("town", Cursor("town-journal"), village.stored, village.stored)
    city = Village(SEAT, DOOR)
    city.outbound, city.journal, city.now = town, village.stored, village.now
    city.connect()
    city.send()
    assert [json.loads(payload)["via"]["box"] for _, payload in city.on_line] == ["town", "town"]
    city.exchange()
    city.arrive()
    assert city.centre.axes("seat-01").use == "free"
    assert content(city.stored) == content(village.journal)
    assert town.backlog == 0
