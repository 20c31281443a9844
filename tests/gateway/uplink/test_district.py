"""Boxes whose lines are cut for hours: the centre ends with all they stored, and never shows a wrong live value."""

import pytest

from gateway.model import Millis
from tests.gateway.uplink.district import Box, Centre, shown, value
from tests.gateway.uplink.village import content
from tests.gateway.world import MINUTE, NOON

HOUR = 60 * MINUTE
DAY = 24 * HOUR


class District:
    """Boxes and their centre, minute by minute."""

    def __init__(self, boxes: int, seed: int) -> None:
        self.boxes = [Box(number, seed) for number in range(boxes)]
        self.centre = Centre(self.boxes)
        self.now: Millis = NOON
        self.wrong: list[str] = []
        self.compared = self.cuts = 0

    def minute(self) -> None:
        self.now += MINUTE
        centre, now = self.centre, self.now
        for box in self.boxes:
            box.hear(now)
            turned = box.turn(now)
            if turned is not None:
                self.cuts += turned == "offline"
                centre.hear(box, now)  # what had left before the line broke
                centre.word(box, turned, now)
            elif box.up:
                centre.word(box, "online", now)  # as it does every 15 s
            if box.up:
                box.send(now)
                centre.hear(box, now)
        centre.pipeline.tick(now)
        centre.pipeline.take()
        self.compare()

    def compare(self) -> None:
        """No value that is live at the centre is another at the box; the line may have swallowed the newest one."""
        for box in self.boxes:
            for here, there in zip(shown(box.live, box.name), shown(self.centre.live, box.name), strict=True):
                self.compared += 1
                lags = bool(box.outbound.backlog)
                if there.evidence == "live" and (not box.up or (value(here) != value(there) and not lags)):
                    self.wrong.append(f"{box.name} {here} {there}")

    def settle(self) -> None:
        """All lines stand, and nobody says anything new, until nothing waits."""
        for box in self.boxes:
            if not box.up:
                box.turns_at = self.now
            box.turn(self.now)
            box.up = True
            box.turns_at = self.now + 365 * DAY
            for device in box.devices:
                device.due = box.turns_at
        for _ in range(300):
            self.minute()
            if not any(box.outbound.backlog for box in self.boxes):
                return


def lived(boxes: int, days: int, seed: int) -> District:
    district = District(boxes, seed)
    for _ in range(days * 24 * 60):
        district.minute()
    district.settle()
    return district


def check(district: District) -> None:
    assert district.wrong == []
    assert [box.outbound.backlog for box in district.boxes] == [0] * len(district.boxes)
    theirs = sorted(row for box in district.boxes for row in content(box.journal))
    assert content(district.centre.stored) == theirs
    for box in district.boxes:
        theirs_now = shown(district.centre.live, box.name)
        assert [value(axes) for axes in shown(box.live, box.name)] == [value(axes) for axes in theirs_now]
    assert district.cuts > 0


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_three_boxes_for_two_days(seed: int) -> None:
    check(lived(3, 2, seed))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_seventy_three_boxes_for_a_week() -> None:
    district = lived(73, 7, 7)
    check(district)
    assert district.compared > 2_000_000
