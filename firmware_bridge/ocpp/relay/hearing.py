"""Whether operators hear what their piles say. Staff are told once of a bus: when one of them has heard nothing for a
quarter of an hour, and when all do again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from firmware_bridge.devices.base import DeviceReading

SHOWN_S = 60.0  # after so long it is shown with the pile: often the connection is made anew sooner
TELL_S = 900.0  # to staff
AWAY, BACK = "operator_away", "operator_back"
"""Types of the events; `reason` says of which pile, and why, `piles` of how many."""


@dataclass(slots=True)
class Hearing:
    """One operator, as one pile sees him: since when he hears nothing though he should, and why."""

    since: float | None = None
    why: str = ""

    def missed(self, now_s: float, why: str) -> None:
        self.why = why
        if self.since is None:
            self.since = now_s

    def heard(self) -> None:
        self.since = None

    def deaf_for(self, now_s: float) -> float:
        """Seconds; 0 for one who hears, or needs not."""
        return 0.0 if self.since is None else now_s - self.since


class HearingWatch:
    """Watches all operators of a bus. `device`: in whose name it is told."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._away: bool | None = None  # what was told; None: nothing yet, and what an earlier run told may still stand

    def look(self, now_s: float, piles: Iterable[tuple[str, Hearing]]) -> DeviceReading | None:
        """What is to be told now."""
        known = list(piles)
        deaf = sorted((hearing.since, name, hearing.why) for name, hearing in known if hearing.since is not None)
        longest = now_s - deaf[0][0] if deaf else 0.0
        if longest >= TELL_S and self._away is not True:
            self._away = True
            return DeviceReading(
                self._device, {"reason": f"{deaf[0][1]}: {deaf[0][2]}"[:200], "piles": len(deaf)}, AWAY
            )
        if self._away is not False and len(deaf) < len(known) and longest < (SHOWN_S if self._away else 1.0):
            self._away = False
            return DeviceReading(self._device, {}, BACK)
        return None
