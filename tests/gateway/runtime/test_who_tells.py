"""Each alert is told by one end of the line."""

import json
from dataclasses import replace

import pytest

from gateway.alerts.words import Alert
from gateway.runtime.who_tells import WhoTells, teller_of
from tests.gateway.world import NOON, Town

ALERT = Alert("a", "yanshan", "seat-01", None, "device_silent", "warning", "open", NOON, NOON, NOON, "stale")


@pytest.fixture
def town() -> Town:
    town = Town({"id": "seat-01", "kind": "seat"})
    town.live.boxes.configure(["box-1"], {"yanshan": "box-1"})
    return town


def word(town: Town, state: str, **more: str) -> None:
    town.hear_raw(b"yz-box/box-1", json.dumps({"box": "box-1", "state": state, **more}).encode())


@pytest.mark.parametrize(
    ("state", "alerts", "elsewhere"),
    [("online", "box", True), ("online", "centre", False), ("offline", "box", False)],
)
def test_a_centre_tells_what_no_box_tells(town: Town, state: str, alerts: str, elsewhere: bool) -> None:
    word(town, "online", alerts=alerts)
    word(town, state, alerts=alerts)
    who = WhoTells(town.live.box_lines, lambda: False)
    assert who.elsewhere(ALERT) is elsewhere
    assert not who.elsewhere(replace(ALERT, kind="box_offline"))
    assert not who.elsewhere(replace(ALERT, station=None))
    assert not who.elsewhere(replace(ALERT, station="another"))


def test_a_box_leaves_it_to_a_centre_that_can_be_reached(town: Town) -> None:
    reached = [True]
    who = WhoTells(town.live.box_lines, lambda: reached[0])
    assert who.elsewhere(ALERT)
    reached[0] = False
    assert not who.elsewhere(ALERT)


@pytest.mark.parametrize(
    ("wanted", "channels", "failing", "teller"),
    [("box", 2, 0, "box"), ("box", 2, 1, "box"), ("box", 2, 2, "centre"), ("box", 0, 0, "centre"),
     ("centre", 2, 0, "centre")],
)  # fmt: skip
def test_the_centre_takes_over_where_the_box_has_no_channel_that_works(
    wanted: str, channels: int, failing: int, teller: str
) -> None:
    assert teller_of(wanted, channels, failing) == teller  # type: ignore[arg-type]
