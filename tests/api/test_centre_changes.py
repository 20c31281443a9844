"""A change set of the centre changes the lines of its station, once; all else is judged and refused at the box."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from api.centre_changes import CentreChanges
from api.commands.check import checked
from api.running import Reloaded
from config.edit.home import ConfigHome
from config.edit.saving import Author, note
from config.edit.versions import Versions
from config.schema import Settings
from gateway.base.mishaps import Mishaps
from tests.patience import until

FILE = """# the box
store: {path: data}
api: {listen: "127.0.0.1:8080"}
stations:
  - id: yanshan
    partner: {token_file: token, valid_hours: 4}
    areas:
      - id: lounge
        resources:
          - {id: seat-01, kind: seat}   # by the window
          - {id: seat-02, kind: seat, source: {dialect: zigbee2mqtt, topic: zigbee2mqtt/chair}}
  - id: north
    areas: []
"""
SEAT = {"op": "add", "path": "/stations/yanshan/areas/lounge/resources/seat-09", "value": {"kind": "seat"}}


class Box:
    """A box's files, and who changes them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "yizhan.yaml"
        self.path.write_text(FILE)
        (folder / "token").write_text("a token that is long enough")
        self.home, self.reloads = ConfigHome(self.path), 0
        note(self.home, Author("by hand", 1))
        self.changes = CentreChanges(self, checked, Mishaps())

    def settings(self) -> Settings:
        return checked(self.path)

    def trouble(self) -> str | None:
        return None

    def degraded(self, status: Any) -> Any:
        return status

    def reload(self, _who: str, _why: str) -> Reloaded:
        self.reloads += 1
        return Reloaded((), (), True)

    def ask(self, *changes: Mapping[str, Any], base: int | None = 1, **more: Any) -> tuple[str, dict[str, Any]]:
        order = {"nonce": "n" * 16, "expires": 1, "by": "li", "base": base, "why": "a test", "changes": changes} | more
        state, why = self.changes.carry_out("yanshan", json.dumps(order).encode())
        return state, json.loads(why)

    @property
    def text(self) -> str:
        return self.path.read_text()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_a_seat_more_is_saved_as_a_version_and_taken_up(box: Box) -> None:
    state, told = box.ask(SEAT)
    assert (state, told["version"], box.reloads) == ("done", 2, 1)
    assert "seat-09" in box.text
    assert "# by the window" in box.text, "the rest stays as it is written"
    newest = Versions(box.home).newest()
    assert newest is not None
    assert (newest.number, newest.who, newest.why) == (2, "li@centre", "a test")


def test_what_comes_again_because_its_answer_was_lost_is_answered_and_not_done_again(box: Box) -> None:
    box.ask(SEAT)
    before = box.text
    assert box.ask(SEAT) == ("done", {"version": 2, "needs_restart": [], "trouble": None})
    assert (box.text, Versions(box.home).numbers()) == (before, [1, 2])


def test_one_that_was_made_of_an_older_version_changes_nothing(box: Box) -> None:
    box.ask(SEAT)
    state, told = box.ask({"op": "remove", "path": "/stations/yanshan/areas/lounge/resources/seat-01"}, base=1)
    assert (state, told["status"]) == ("refused", 412)
    assert "seat-01" in box.text


def test_what_somebody_writes_by_hand_at_the_box_is_not_written_over(box: Box) -> None:
    box.path.write_text(FILE.replace("north", "south"))
    state, told = box.ask(SEAT)
    assert (state, told["status"]) == ("refused", 412)


def test_mistakes_are_told_as_check_tells_them(box: Box) -> None:
    state, told = box.ask({**SEAT, "value": {"kind": "sofa"}})
    assert (state, told["status"]) == ("refused", 422)
    assert told["errors"][0]["name"].startswith("/stations/yanshan/areas/lounge/resources/seat-09")
    assert told["errors"][0]["mend"]
    assert box.text == FILE


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"op": "add", "path": "/mqtt", "value": {"url": "mqtt://elsewhere"}}, "alone"),
        ({"op": "replace", "path": "/store/path", "value": "/etc"}, "alone"),
        ({"op": "add", "path": "/alerts", "value": {"raise_delay_s": 1}}, "alone"),
        ({"op": "add", "path": "/stations/north/areas/yard", "value": {}}, "alone"),
        ({"op": "remove", "path": "/stations/north"}, "alone"),
        ({"op": "remove", "path": "/stations/yanshan"}, "alone"),
        ({"op": "add", "path": "/stations/south", "value": {"areas": []}}, "alone"),
        ({"op": "replace", "path": "/stations/yanshan/id", "value": "south"}, "alone"),
        ({"op": "remove", "path": "/stations/yanshan/partner"}, "partner"),
        ({"op": "replace", "path": "/stations/yanshan/partner/valid_hours", "value": 99}, "partner"),
        ({"op": "add", "path": "/stations/yanshan/checks_token_file", "value": "token"}, "checks_token_file"),
        ({"op": "add", "path": "/stations/yanshan/floor_plan", "value": "/etc/passwd"}, "floor_plan"),
        ({"op": "add", "path": "/stations/yanshan/areas/lounge/calendar", "value": "http://in/"}, "lounge/calendar"),
        (
            {"op": "remove", "path": "/stations/yanshan/areas/lounge/resources/seat-02/source"},
            "lounge/seat-02/source",
        ),
        (
            {**SEAT, "value": {"kind": "seat", "source": {"dialect": "shelly", "topic": "shellies/x"}}},
            "lounge/seat-09/source",
        ),
    ],
)  # fmt: skip
def test_what_is_not_the_stations_own_or_leads_elsewhere_is_refused(
    box: Box, change: dict[str, Any], named: str
) -> None:
    state, told = box.ask(change)
    assert (state, told["status"]) == ("refused", 403)
    assert named in told["detail"]
    assert (box.text, box.reloads) == (FILE, 0)


def test_what_goes_takes_along_what_the_centre_does_not_see_of_it(box: Box) -> None:
    state, _ = box.ask({"op": "remove", "path": "/stations/yanshan/areas/lounge/resources/seat-02"})
    assert state == "done"
    assert "zigbee2mqtt" not in box.text


def test_an_undo_gives_the_files_back_to_the_byte(box: Box) -> None:
    box.ask(SEAT)
    state, told = box.ask(base=2, restore=1)
    assert (state, told["version"], box.text) == ("done", 3, FILE)


def test_an_undo_that_would_concern_more_is_refused(box: Box) -> None:
    box.path.write_text(FILE.replace("8080", "9090"))
    note(box.home, Author("by hand", 2))
    state, told = box.ask(base=2, restore=1)
    assert (state, told["status"]) == ("refused", 403)


@pytest.mark.parametrize("text", [b"{}", b"nonsense", b'{"nonce": 1}', b'{"nonce":"n","expires":1,"by":"x","more":1}'])
def test_what_is_no_change_set_is_refused(box: Box, text: bytes) -> None:
    state, why = box.changes.carry_out("yanshan", text)
    assert (state, json.loads(why)["status"]) == ("refused", 422)


def test_it_is_carried_out_beside_and_told(box: Box) -> None:
    told: list[tuple[str, str]] = []
    order = {"nonce": "n" * 16, "expires": 1, "by": "li", "base": 1, "changes": [SEAT]}
    box.changes.put("yanshan", "n" * 16, json.dumps(order).encode(), lambda state, why: told.append((state, why)))
    until(lambda: told)
    assert told[0][0] == "done"


def test_an_answer_is_never_longer_than_an_answer_may_be(box: Box) -> None:
    seats = [
        {**SEAT, "path": f"/stations/yanshan/areas/lounge/resources/x-{n}", "value": {"kind": "sofa"}}
        for n in range(100)
    ]
    order = {"nonce": "n" * 16, "expires": 1, "by": "li", "base": 1, "changes": seats}
    state, why = box.changes.carry_out("yanshan", json.dumps(order).encode())
    assert state == "refused"
    assert len(why) <= 4_000
    assert json.loads(why)["errors"]
