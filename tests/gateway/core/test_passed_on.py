"""What boxes pass on, as a centre takes it: by box, journal and number, at the box's time."""

import json
from typing import Any

import pytest

from gateway.runtime.watermarks import of_boxes
from tests.gateway.world import MINUTE, Town, reasons

HOUR = 60 * MINUTE
DAY = 24 * HOUR


@pytest.fixture
def town() -> Town:
    return Town({"id": "seat-01", "kind": "seat"}, {"id": "door", "kind": "door"})


def message(town: Town, n: int, box: str = "box-1", boot: str = "j1", **more: Any) -> dict[str, Any]:
    return {"via": {"box": box, "boot": boot, "n": n}, "ts": town.now, **more}


def upto(town: Town) -> list[tuple[str, dict[str, Any]]]:
    return [(topic, json.loads(word)) for topic, word in of_boxes(town.outcome.boxes)]


def test_a_message_that_a_box_passes_on_counts_as_if_its_device_had_sent_it(town: Town) -> None:
    town.hear("seat-01", message(town, 1, occupied=True))
    assert town.axes("seat-01").usable == "no"
    assert upto(town) == [("yz-ack/yanshan/box-1", {"boot": "j1", "upto": 1})]


def test_the_way_is_stored_with_it(town: Town) -> None:
    town.hear("seat-01", message(town, 1, occupied=True))
    assert json.loads(town.outcome.batch.payloads[0])["via"] == {"box": "box-1", "boot": "j1", "n": 1}


def test_a_number_that_came_is_stored_once_and_told_again(town: Town) -> None:
    town.hear("seat-01", message(town, 1, occupied=True))
    town.hear("seat-01", message(town, 1, occupied=True))
    assert len(town.outcome.batch) == 0
    assert upto(town) == [("yz-ack/yanshan/box-1", {"boot": "j1", "upto": 1})]


def test_what_is_live_may_come_before_what_lies_behind_it_and_covers_none_of_that(town: Town) -> None:
    town.hear("seat-01", message(town, 5, occupied=True))
    assert upto(town)[0][1] == {"boot": "j1", "upto": 0}
    for n in (1, 2, 3):
        town.hear("seat-01", message(town, n, late=True, occupied=False))
    assert upto(town)[0][1] == {"boot": "j1", "upto": 3}
    town.hear("seat-01", message(town, 4, late=True, occupied=False))
    assert upto(town)[0][1] == {"boot": "j1", "upto": 5}
    assert town.axes("seat-01").use == "occupied"


def test_two_boxes_and_two_journals_do_not_take_each_others_numbers(town: Town) -> None:
    for box, boot in (("box-1", "j1"), ("box-2", "j1"), ("box-1", "j2")):
        town.hear("seat-01", message(town, 1, box, boot, occupied=True))
        assert len(town.outcome.batch) == 1
        assert upto(town) == [(f"yz-ack/yanshan/{box}", {"boot": boot, "upto": 1})]


def test_a_late_message_of_an_unknown_boot_makes_it_not_the_newest(town: Town) -> None:
    town.hear("seat-01", message(town, 9, boot="j", occupied=True) | {"boot": "b3", "seq": 1})
    late = message(town, 1, boot="j", late=True, occupied=False) | {"boot": "b2", "seq": 40}
    town.hear("seat-01", late)
    assert town.device("seat-01").seen.boot == "b3"
    assert town.axes("seat-01").use == "occupied"
    town.hear("seat-01", message(town, 10, boot="j", occupied=False) | {"boot": "b3", "seq": 2})
    assert town.axes("seat-01").use == "free"


def test_its_time_is_believed_however_old(town: Town) -> None:
    old = town.now - 300 * DAY
    town.hear("seat-01", message(town, 1, late=True, occupied=True) | {"ts": old})
    town.hear("seat-01", message(town, 2, occupied=True) | {"ts": old})
    assert [flags & 2 for flags in town.outcome.batch.flags] == [0]
    assert town.axes("seat-01").evidence == "stale"


def test_a_time_ahead_of_us_is_believed_no_more_than_a_devices(town: Town) -> None:
    town.hear("seat-01", message(town, 1, occupied=True) | {"ts": town.now + HOUR})
    assert town.outcome.batch.flags[0] & 2
    assert town.axes("seat-01").evidence == "live"


def test_what_can_not_be_read_is_in_quarantine_and_covered(town: Town) -> None:
    town.hear("seat-01", message(town, 1, occupied="perhaps"))
    assert reasons(town.outcome) == ["wrong_type"]
    assert upto(town) == [("yz-ack/yanshan/box-1", {"boot": "j1", "upto": 1})]


@pytest.mark.parametrize(
    "way", [7, {"box": "box-1"}, {"box": "a/b", "boot": "j", "n": 1}, {"box": "b", "boot": "j", "n": -1}]
)
def test_a_way_that_can_not_be_read_is_refused(town: Town, way: Any) -> None:
    town.hear("seat-01", {"via": way, "occupied": True})
    assert reasons(town.outcome) == ["via"]
    assert upto(town) == []


def test_a_station_that_a_box_brought_hears_no_other_box(town: Town) -> None:
    town.live.boxes.owners["yanshan"] = "box-1"
    town.live.boxes.accept = {"box-1", "box-2"}
    town.hear("seat-01", message(town, 1, "box-2", occupied=True))
    assert reasons(town.outcome) == ["unknown_box"]
    assert upto(town) == []
    assert town.axes("seat-01").evidence == "never"
    town.hear("seat-01", message(town, 1, "box-1", occupied=True))
    assert town.axes("seat-01").evidence == "live"


def test_the_word_via_in_another_field_is_no_way(town: Town) -> None:
    town.hear("seat-01", {"occupied": True, "note": "via"})
    assert town.axes("seat-01").use == "occupied"
    town.hear("seat-01", {"occupied": False, "firmware": '"via"'})
    assert town.axes("seat-01").use == "free"


def test_a_goodbye_and_an_event_come_as_objects(town: Town) -> None:
    town.hear("seat-01", message(town, 1, occupied=True))
    town.hear("seat-01", message(town, 2, state="offline"), "availability")
    assert town.axes("seat-01").evidence == "offline"
    town.hear("door", message(town, 3, type="help"), "event")
    assert [event.type for _, event, _ in town.outcome.happened] == ["help"]
    town.hear("door", message(town, 4, late=True, type="help"), "event")
    assert town.outcome.happened == []
    assert len(town.outcome.batch) == 1


def test_a_device_that_speaks_to_us_itself_is_heard_as_before(town: Town) -> None:
    town.hear("seat-01", {"boot": "b", "seq": 1, "occupied": True})
    assert town.axes("seat-01").use == "occupied"
    assert upto(town) == []


def site(box: str = "box-1", station: str = "shaping") -> bytes:
    return json.dumps({"box": box, "version": 1, "station": {"id": station}}).encode()


def test_a_site_of_an_accepted_box_is_handed_on(town: Town) -> None:
    told: list[tuple[str, bytes]] = []
    town.live.boxes.on_site = lambda station, payload: told.append((station, payload))
    town.live.boxes.configure(["box-1"], {})
    town.hear_raw(b"yz-site/shaping", site())
    assert told == [("shaping", site())]
    assert town.outcome.rejected == []


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (b"yz-site/shaping", site("stranger"), "unknown_box"),
        (b"yz-site/shaping", site(station="other"), "wrong_type"),
        (b"yz-site/theirs", site(station="theirs"), "unknown_box"),
        (b"yz-site/shaping", b"{}", "wrong_type"),
    ],
)
def test_a_site_of_another_box_or_name_is_refused(town: Town, topic: bytes, payload: bytes, reason: str) -> None:
    told: list[str] = []
    town.live.boxes.on_site = lambda station, _payload: told.append(station)
    town.live.boxes.configure(["box-1"], {"theirs": "box-2"})
    town.hear_raw(topic, payload)
    assert told == []
    assert reasons(town.outcome) == [reason]


def test_nobody_clears_a_station_that_no_box_brought(town: Town) -> None:
    told: list[str] = []
    town.live.boxes.on_site = lambda station, _payload: told.append(station)
    town.live.boxes.configure(["box-1"], {})
    town.hear_raw(b"yz-site/yanshan", b"")
    town.hear_raw(b"yz-site/..%2f", b"")
    assert told == []


def test_messages_that_come_before_their_station_are_neither_stored_nor_covered(town: Town) -> None:
    town.live.boxes.configure(["box-1"], {})
    town.hear_raw(b"yz/shaping/seat-01/state", json.dumps(message(town, 1, occupied=True)).encode())
    assert (len(town.outcome.batch), town.outcome.rejected, upto(town)) == (0, [], [])
