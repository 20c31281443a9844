"""A box whose line is down is one alert, and nothing at its stations is blamed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model import Message
from gateway.store.jobs import Keep
from tests.gateway.alerting.house import House

SAID: dict[str, dict[str, object]] = {
    "seat-01": {"occupied": True}, "pile-01": {"status": "Available"}, "door": {"open": False}, "aed": {"ready": True},
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, uplinks={"accept": ["box-1"]})
    yield house
    house.close()


class Box:
    """What comes from it."""

    def __init__(self, house: House) -> None:
        self.house, self.n = house, 0

    def word(self, state: str) -> None:
        said = {"box": "box-1", "state": state, "clock_ms": self.house.now}
        self._hear("yz-box/box-1", said)

    def says(self, device: str, **signals: object) -> None:
        self.n += 1
        way = {"box": "box-1", "boot": "j1", "n": self.n}
        self._hear(f"yz/yanshan/{device}/state", {"via": way, "ts": self.house.now, **signals})

    def all_speak(self) -> None:
        self.word("online")
        for device, signals in SAID.items():
            self.says(device, **signals)

    def lives(self) -> None:
        """It speaks for two minutes."""
        for _ in range(12):
            self.all_speak()
            self.house.wait(10)

    def _hear(self, topic: str, said: dict[str, object]) -> None:
        house = self.house
        house.pipeline.handle(Message(topic.encode(), json.dumps(said).encode(), house.now), house.now)
        outcome = house.pipeline.outcome
        kept = dict(outcome.kept)
        house.commit()
        for name, value in kept.items():
            house.store.write([Keep(name, value)])


def test_it_is_told_once_and_over_when_the_line_is_back(house: House) -> None:
    box = Box(house)
    box.all_speak()
    house.wait(5)
    box.word("offline")
    house.wait(7_200, step_s=60)
    assert house.lines() == ["box_offline box-1 opened"]
    box.lives()
    assert house.lines() == ["box_offline box-1 opened", "box_offline box-1 closed"]


def test_a_start_while_the_line_is_down_blames_no_equipment(house: House) -> None:
    box = Box(house)
    box.all_speak()
    box.word("offline")
    house.wait(60)
    house.restart()
    house.wait(3_600, step_s=60)
    assert house.lines() == []
    box = Box(house)
    box.n = 4
    box.lives()
    assert house.lines() == ["box_offline box-1 closed"]


def test_after_a_start_without_a_clean_end_it_is_known_what_came(house: House) -> None:
    box = Box(house)
    box.all_speak()
    house.restart(clean=False)
    (link,) = house.pipeline.live.boxes.links()
    assert link.told() == ("j1", 4)


def test_a_device_that_is_silent_with_the_line_standing_is_told_as_that(house: House) -> None:
    box = Box(house)
    box.all_speak()
    for _ in range(20):
        house.wait(10)
        box.word("online")
        box.says("pile-01", status="Available")
        box.says("door", open=False)
    assert house.lines() == ["device_silent seat-01 opened"]
