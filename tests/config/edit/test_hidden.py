"""Secrets that stand in the YAML itself are shown to nobody."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import options
from config.edit.hidden import hidden, kept, masked
from config.edit.showing import difference_text, tree_of
from config.load import fields_of, section_in
from config.schema import Settings
from config.yaml_file import read_file

TEXT = """# the old robot: https://robot/send?key=s3cret-1
alerts:
  dead_man_url: https://watch/s3cret-2   # password: s3cret-3
  channels:
  - {id: duty, kind: webhook, url: "https://robot/s3cret-4"}
  #- {id: old, kind: webhook, url: "https://robot/s3cret-5", secret: s3cret-6}
  - id: mail
    kind: smtp
    password: >-
      s3cret-7
      s3cret-8
store:
  influx: {url: "http://me:s3cret-9@influx:8086", org: o, bucket: b, token_file: secrets/influx}
mqtt: {url: mqtt://me:s3cret-10@broker, username: me}
stations:
- id: yanshan   # token = s3cret-11
  checks_token: s3cret-12
  checks_token_file: secrets/checks
  areas:
  - id: room
    calendar: [https://calendar/private-s3cret-13/basic.ics, rooms.ics]
  api_key: [s3cret-14, {deeper: s3cret-15}]
"""


def data() -> Any:
    return read_file(Path("a.yaml"), TEXT.encode()).data


def test_no_secret_is_in_the_tree_that_is_shown() -> None:
    shown = hidden(data())
    assert "s3cret" not in repr(shown)
    assert shown["alerts"]["channels"][0] == {"id": "duty", "kind": "webhook", "url": None}
    assert shown["stations"][0]["areas"][0]["calendar"] == [None, "rooms.ics"]
    assert shown["stations"][0]["checks_token_file"] == "secrets/checks"
    assert shown["mqtt"] == {"url": None, "username": "me"}


def test_no_secret_is_in_the_text_that_is_shown_not_even_in_comments() -> None:
    shown = masked(TEXT)
    assert "s3cret" not in shown
    assert len(shown.splitlines()) == len(TEXT.splitlines()) - 2  # the folded one
    assert "- id: mail\n" in shown
    assert "token_file: secrets/influx" in shown


def test_a_text_that_can_not_be_read_is_not_shown() -> None:
    assert "s3cret" not in masked(TEXT + "{")
    assert "s3cret" not in difference_text({"a.yaml": TEXT.encode()}, {"a.yaml": (TEXT + "{").encode()})


@given(st.sampled_from(range(1, 16)), st.text("abcxyz0189", min_size=8, max_size=8))
def test_a_changed_secret_shows_as_changed_and_not_what_it_is(number: int, new: str) -> None:
    changed = re.sub(rf"s3cret-{number}\b", f"n3w-{new}", TEXT)
    told = difference_text({"a.yaml": TEXT.encode()}, {"a.yaml": changed.encode()})
    assert "s3cret" not in told
    assert "n3w" not in told
    if number in (2, 4, 9, 10, 12, 13, 14, 15):
        assert told.count("null (another)") == 1


def test_the_address_of_a_calendar_is_hidden_however_it_is_written() -> None:
    area = {"id": "room", "calendar": [{"url": "https://dav/s3cret", "username": "me"}, "https://b/s3cret"]}
    assert hidden({"stations": [{"id": "a", "areas": [area]}]})["stations"][0]["areas"][0]["calendar"] == [
        {"url": None, "username": "me"},
        None,
    ]


def test_null_for_a_secret_keeps_it_and_anything_else_is_the_new_value() -> None:
    tree = data()
    channel = ("alerts", "channels", "duty")
    assert kept({"id": "duty", "url": None}, tree, channel) == {"id": "duty", "url": "https://robot/s3cret-4"}
    assert kept({"id": "duty", "url": "https://new"}, tree, channel) == {"id": "duty", "url": "https://new"}
    assert kept(None, tree, (*channel, "url")) == "https://robot/s3cret-4"
    assert kept(None, tree, ("stations", "yanshan", "hours")) is None
    calendars = ("stations", "yanshan", "areas", "room", "calendar")
    assert kept([None, "other.ics"], tree, calendars) == ["https://calendar/private-s3cret-13/basic.ics", "other.ics"]
    moved = [{"id": "mail", "password": None}, {"id": "duty", "url": None}]
    assert kept(moved, tree, ("alerts", "channels"))[1]["url"] == "https://robot/s3cret-4"


def _models(section: type) -> list[type]:
    inner = [section_in(field.annotation) for field in fields_of(section).values()]
    return [section, *(part for model in inner if model is not None for part in _models(model))]


def test_every_option_that_may_hold_a_secret_is_known_to() -> None:
    """Whoever adds one puts it into a file of its own, or keeps it out of its model's text (`repr=False`)."""
    called = re.compile("passw|secret|token|credential|(^|_)key$")
    open_ones = [
        f"{model.__name__}.{name}"
        for model in _models(Settings)
        for name, field in fields_of(model).items()
        if called.search(name) and not name.endswith("_file") and field.repr
    ]
    assert open_ones == []
    assert any(option.path == "alerts.channels[].url" for option in options.options())


@pytest.mark.parametrize("lines", [3, 30_000])
def test_one_line_among_many_is_told_at_once(lines: int) -> None:
    before = "".join(f"- {number % 7}   # {number}\n" for number in range(lines))
    after = before.replace("# 2\n", "# two\n")
    told = difference_text({"a.yaml": before.encode()}, {"a.yaml": after.encode()}, context=1)
    assert told.splitlines()[2:5] == [
        "@@ -2,2 +2,2 @@" if lines == 3 else "@@ -2,3 +2,3 @@",
        " - 1   # 1",
        "-- 2   # 2",
    ]


def test_lines_far_apart_in_a_large_file_are_counted() -> None:
    before = "".join(f"- {number}\n" for number in range(30_000))
    after = before.replace("- 2\n", "- two\n").replace("- 29990\n", "- three\n")
    assert "30000 lines become 30000" in difference_text({"a.yaml": before.encode()}, {"a.yaml": after.encode()})
    assert tree_of({"a.yaml": b"a: 1\n", "b.yaml": b"b: 2\n"}) == {"a": 1, "b": 2}
