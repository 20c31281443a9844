"""How well a station kept its promise to be open, from the changes of its proof. Pure.

promised = proved + unproved + contradicted; kept = proved ÷ (proved + contradicted), which says nothing of what nobody
could see; coverage = (proved + contradicted) ÷ promised says how much that was.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model import Millis, OpeningChange


@dataclass(slots=True)
class Promised:
    """Milliseconds of each state."""

    proved: Millis = 0
    unproved: Millis = 0
    contradicted: Millis = 0

    @property
    def promised(self) -> Millis:
        return self.proved + self.unproved + self.contradicted

    @property
    def kept(self) -> float | None:
        """0 to 1; None where nothing was seen."""
        seen = self.proved + self.contradicted
        return self.proved / seen if seen else None

    @property
    def coverage(self) -> float | None:
        """0 to 1; None where nothing was promised."""
        return (self.proved + self.contradicted) / self.promised if self.promised else None

    def add(self, other: "Promised") -> None:
        self.proved += other.proved
        self.unproved += other.unproved
        self.contradicted += other.contradicted


def promised(changes: Iterable[OpeningChange], start: Millis, end: Millis) -> Promised:
    """What held in [start, end). `changes` in order, from the one that held at `start`; before it nothing did."""
    sums = {"proved": 0, "unproved": 0, "contradicted": 0, "closed": 0}
    state, since = "closed", start
    for change in changes:
        at = min(max(change.at, start), end)
        sums[state] += at - since
        state, since = change.state, at
    sums[state] += end - since
    return Promised(sums["proved"], sums["unproved"], sums["contradicted"])
