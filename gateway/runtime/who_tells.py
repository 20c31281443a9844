"""Whether people are told of an alert by us, or by the other end of a line: each alert is told by one of the two."""

from collections.abc import Callable
from typing import Literal

from gateway.alerts.words import Alert
from gateway.live.box_lines import BoxLines

Teller = Literal["box", "centre"]


class WhoTells:
    """`centre_tells`: our own centre does, and can be reached. `boxes`: those that tell us."""

    def __init__(self, boxes: BoxLines, centre_tells: Callable[[], bool]) -> None:
        self._boxes, self._centre_tells = boxes, centre_tells

    def elsewhere(self, alert: Alert) -> bool:
        """A box whose line is down is told by the centre, whose trouble that is."""
        if alert.station is None or alert.kind == "box_offline":
            return False
        line = self._boxes.line_for(alert.station)
        if line is not None and line.online and line.word is not None and line.word.alerts == "box":
            return True
        return self._centre_tells()


def teller_of(wanted: Teller, channels: int, failing: int) -> Teller:
    """Who tells people of a box's alerts: the centre too where the box has no channel that takes a message."""
    return "centre" if failing >= channels else wanted
