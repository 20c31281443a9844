"""Home Assistant hears of our stations when it comes up, and of those that are gone no more."""

import json

from gateway.homeassistant.announce import announce
from gateway.homeassistant.announcer import Announcer
from gateway.model import Resource
from tests.gateway.world import Town

Said = list[tuple[str, bytes]]


def announcer() -> tuple[Announcer, Said]:
    said: Said = []
    live = Town({"id": "seat-01", "kind": "seat"}).live
    return Announcer(live, "gw-1", "homeassistant", lambda topic, payload: said.append((topic, payload))), said


def test_it_is_told_again_when_it_says_that_it_is_there() -> None:
    told, said = announcer()
    told.heard([(b"homeassistant/status", b"offline", 0), (b"zigbee2mqtt/x", b"online", 0)])
    assert said == []
    told.heard([(b"homeassistant/status", b"online", 0)])
    assert [topic for topic, _ in said] == ["homeassistant/device/yizhan-yanshan/config"]
    assert set(json.loads(said[0][1])["components"]) == {"seat-01"}


def retained(station: str, gateway: str) -> tuple[bytes, bytes, int]:
    topic, payload = announce(station, {}, [Resource(station, "a", "seat", "seat", "seat")], gateway=gateway)
    return topic.encode(), payload, 1


def test_a_station_that_was_taken_out_is_taken_back_but_nobody_elses() -> None:
    told, said = announcer()
    told.heard(
        [retained("yanshan", "gw-1"), retained("shaping", "gw-2"), (b"homeassistant/device/lamp/config", b"{}", 1)]
    )
    assert said == []
    told.heard([retained("shaping", "gw-1")])
    assert said == [("homeassistant/device/yizhan-shaping/config", b"")]
