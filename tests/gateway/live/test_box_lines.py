"""A line that is down is told as that: values are unknown since then, and what is good still is back with the line."""

import json
from typing import Any

import pytest

from gateway.live.box_lines import SILENT_MS, lines_kept
from tests.gateway.world import MINUTE, Town, reasons


@pytest.fixture
def town() -> Town:
    town = Town({"id": "seat-01", "kind": "seat", "ttl": 86_400}, {"id": "seat-02", "kind": "seat"})
    town.live.boxes.accept = {"box-1"}
    return town


def word(town: Town, state: str = "online", box: str = "box-1", **more: Any) -> None:
    said = {"box": box, "state": state, "clock_ms": town.now, **more}
    town.hear_raw(f"yz-box/{box}".encode(), json.dumps(said).encode())


def heard(town: Town, n: int, *, occupied: bool, device: str = "seat-01") -> None:
    way = {"box": "box-1", "boot": "j1", "n": n}
    town.hear(device, {"via": way, "ts": town.now, "occupied": occupied})


def test_while_the_line_is_down_values_are_unknown_and_with_it_they_are_back(town: Town) -> None:
    word(town)
    heard(town, 1, occupied=True)
    word(town, "offline")
    assert [change.cause for change in town.outcome.changes] == ["box_offline"]
    assert town.axes("seat-01").evidence == "offline"
    assert town.axes("seat-01").usable == "unknown"
    town.wait(10 * MINUTE)
    word(town)
    assert town.axes("seat-01").evidence == "live"
    assert town.axes("seat-01").use == "occupied"


def test_what_ran_out_while_the_line_was_down_is_stale_when_it_is_back(town: Town) -> None:
    word(town)
    heard(town, 1, occupied=True, device="seat-02")
    word(town, "offline")
    town.wait(60 * MINUTE)
    word(town)
    assert town.axes("seat-02").evidence == "stale"


def test_what_its_device_said_of_itself_stays_when_the_line_is_back(town: Town) -> None:
    word(town)
    heard(town, 1, occupied=True)
    town.hear("seat-01", {"via": {"box": "box-1", "boot": "j1", "n": 2}, "state": "offline"}, "availability")
    word(town, "offline")
    word(town)
    assert town.axes("seat-01").evidence == "offline"


def test_a_box_that_says_nothing_for_a_minute_is_cut_off(town: Town) -> None:
    word(town)
    heard(town, 1, occupied=True)
    town.wait(SILENT_MS - 1)
    assert town.axes("seat-01").evidence == "live"
    town.wait(1)
    assert town.axes("seat-01").evidence == "offline"


def test_a_box_that_renews_its_word_is_there(town: Town) -> None:
    heard(town, 1, occupied=True)
    for _ in range(20):
        word(town, backlog=7)
        town.wait(15_000)
    assert town.axes("seat-01").evidence == "live"
    assert town.live.box_lines.lines["box-1"].word is not None


def test_a_box_that_nobody_accepts_is_not_heard(town: Town) -> None:
    word(town, box="stranger")
    assert reasons(town.outcome) == ["unknown_box"]
    assert town.live.box_lines.lines == {}


def test_a_box_speaks_for_itself_alone(town: Town) -> None:
    town.live.boxes.accept = {"box-1", "box-2"}
    heard(town, 1, occupied=True)
    word(town)
    town.hear_raw(b"yz-box/box-2", b'{"box":"box-1","state":"offline"}')
    assert reasons(town.outcome) == ["unknown_box"]
    assert town.axes("seat-01").evidence == "live"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", "wrong_type"), (b"offline", "not_json"), (b'{"box":"box-1","state":"asleep"}', "wrong_type"),
        (b'{"box":"box-1","state":"online","backlog":-1}', "wrong_type"),
        (b'{"box":"box-1","state":"online","version":"' + b"x" * 65 + b'"}', "wrong_type"),
        (b"\xff", "encoding"), (b"[" * 99 + b"]" * 99, "too_deep"),
    ],
)  # fmt: skip
def test_a_word_that_can_not_be_read_is_refused(town: Town, payload: bytes, reason: str) -> None:
    town.hear_raw(b"yz-box/box-1", payload)
    assert reasons(town.outcome) == [reason]


def test_what_boxes_said_outlives_a_restart(town: Town) -> None:
    word(town, version="1.2.3", walls=2)
    kept = town.outcome.kept["boxes"]
    (line,) = lines_kept(kept)
    assert line.word is not None
    assert (line.box, line.online, line.word.version, line.word.walls) == ("box-1", True, "1.2.3", 2)


def test_damage_costs_what_boxes_said_and_no_start() -> None:
    assert lines_kept(b"{") == []
    assert lines_kept(None) == []


def test_a_box_out_of_service_is_forgotten_when_its_word_is_cleared(town: Town) -> None:
    word(town)
    town.hear_raw(b"yz-box/box-1", b"")
    assert town.live.box_lines.lines == {}
    assert json.loads(town.outcome.kept["boxes"]) == []
