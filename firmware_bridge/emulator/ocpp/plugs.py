"""What happens at the connectors of a pile: cars come, charge, are full, and go. Pure: time in, happenings out.

The time is in seconds of the world, which may run faster than the clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Literal

COMES_S, STAYS_S, HANDS_S = (300.0, 3_600.0), (900.0, 5_400.0), (15.0, 60.0)
PEAK_W = (3_600.0, 11_000.0)
FULL_AT = 0.8  # of a stay: then it is full and only parks

What = Literal["status", "started", "stopped"]


@dataclass(frozen=True, slots=True)
class Happening:
    """`what` at a connector; `reason` of a stop in the words of 1.6."""

    what: What
    connector: int
    reason: str = "EVDisconnected"


@dataclass(slots=True)
class VirtualPlug:
    connector: int
    rng: Random
    energy_wh: float
    status: str = "Available"
    power_w: float = 0.0
    operative: bool = True
    transaction: int | str | None = None
    counted_at: float = 0.0
    next_at: float = 0.0
    leaves_at: float = 0.0
    full_at: float = 0.0
    charging: bool = field(default=False)

    def advance(self, now: float) -> Iterator[Happening]:
        """What has happened until now, in order."""
        self._count(now)
        while self.next_at <= now:
            yield from self._step(self.next_at)

    def _count(self, now: float) -> None:
        self.energy_wh += self.power_w * max(0.0, now - self.counted_at) / 3600
        self.counted_at = now

    def _step(self, now: float) -> Iterator[Happening]:
        match self.status:
            case "Available":
                self.leaves_at = now + self.rng.uniform(*STAYS_S)
                self._set("Preparing", now + self.rng.uniform(*HANDS_S))
                yield Happening("status", self.connector)
            case "Preparing":
                self.full_at = now + FULL_AT * (self.leaves_at - now)
                yield from self.start(now)
            case "Charging":
                self.power_w = 0.0
                self._set("SuspendedEV", self.leaves_at)
                yield Happening("status", self.connector)
            case "SuspendedEV":
                yield from self.stop(now, "EVDisconnected")
            case _:
                self._set("Available" if self.operative else "Unavailable", now + self.rng.uniform(*COMES_S))
                if self.operative:
                    yield Happening("status", self.connector)
                else:
                    self.next_at = float("inf")

    def start(self, now: float) -> Iterator[Happening]:
        self._count(now)
        self.full_at = max(self.full_at, now + 60)
        self.leaves_at = max(self.leaves_at, self.full_at + 60)
        self.charging, self.power_w = True, self.rng.uniform(*PEAK_W)
        self._set("Charging", self.full_at)
        yield Happening("started", self.connector)
        yield Happening("status", self.connector)

    def stop(self, now: float, reason: str) -> Iterator[Happening]:
        self._count(now)
        self.charging, self.power_w = False, 0.0
        yield Happening("stopped", self.connector, reason)
        self._set("Finishing", now + self.rng.uniform(*HANDS_S))
        yield Happening("status", self.connector)

    def serve(self, now: float, *, operative: bool) -> bool:
        """Whether it is so at once; a charge goes on first."""
        self.operative = operative
        if self.status not in ("Available", "Unavailable"):
            return False
        self._set("Available" if operative else "Unavailable", now + self.rng.uniform(*COMES_S))
        if not operative:
            self.next_at = float("inf")
        return True

    def _set(self, status: str, next_at: float) -> None:
        self.status, self.next_at = status, next_at
