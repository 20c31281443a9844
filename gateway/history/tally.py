"""What is counted from single messages: the energy of chargers, and people by the events of doors and
counters. Pure.

A meter only counts on, so what flowed between two readings is known. When it flowed is not, if they lie far apart: that
energy is kept beside (`gap_mwh`). A counter that fell, or rose by more than such a charger can draw in the time, is
another counter: what flowed in between is unknown, and said to be. One that is back where it was within the hour had a
glitch, and goes on.
Energies are in mWh: whole numbers give the same sum in every order.
"""

from dataclasses import dataclass

from msgspec import UNSET, Struct

from gateway import wire
from gateway.base.bounds import POWER_W
from gateway.base.local_time import HOUR_MS
from gateway.kinds.charger import USE_OF_STATUS
from gateway.model import Millis

GAP_MS = HOUR_MS
LATE_MS = HOUR_MS // 4  # by so much may a reading be late, or several come at once
STEP_MWH = 1_000_000  # a register that counts whole kWh

MeterMark = tuple[Millis, int, int]  # when, the meter's total in mWh and its resets until then


@dataclass(slots=True)
class Tally:
    """Energy told in time, and over a gap; how often the counter fell; how many readings of it; passages inwards."""

    energy_mwh: int = 0
    gap_mwh: int = 0
    resets: int = 0
    readings: int = 0
    passages: int = 0

    def add(self, other: "Tally") -> None:
        self.energy_mwh += other.energy_mwh
        self.gap_mwh += other.gap_mwh
        self.resets += other.resets
        self.readings += other.readings
        self.passages += other.passages


class MeterSaid(Struct, gc=False):
    """What a meter's message tells here."""

    ts: wire.Time | None = None
    boot: wire.Boot | None = None
    seq: wire.Seq | None = None
    status: str | None = None
    energy_wh: wire.Number | None = None


class Meter(Struct, gc=False):
    """One charger's counter as last heard. Kept between messages, so everything in it is plain JSON."""

    heard_at: Millis = 0
    boot: str | None = None
    older: str | None = None
    seq: int = -1
    counter_mwh: int | None = None
    counted_at: Millis = 0
    total_mwh: int = 0  # since the first reading, or the last reset
    resets: int = 0
    free: bool | None = None
    ended_at: Millis | None = None  # a use that ended and waits for a reading
    left_mwh: int | None = None  # where it stood before the last reset
    left_at: Millis = 0

    def hear(
        self, said: MeterSaid, at: Millis, received_at: Millis, most_w: float = POWER_W[1]
    ) -> tuple[Tally, list[MeterMark]] | None:
        """What a message adds, and marks where a use began or ended. `at`: when it was true; `most_w`: its most.

        None for a late one: as in the live state, it tells nothing new.
        """
        if self._late(said, at):
            return None
        if said.boot is not None and said.seq is not None:
            if said.boot != self.boot:
                self.older, self.boot = self.boot, said.boot
            self.seq = said.seq
        self.heard_at = at
        before = self.total_mwh, self.resets
        tally = Tally() if said.energy_wh is None else self._count(round(said.energy_wh * 1000), at, most_w)
        return tally, self._marks(said, received_at, before)

    def _late(self, said: MeterSaid, at: Millis) -> bool:
        if said.boot is None or said.seq is None:
            return at < self.heard_at
        return said.seq <= self.seq if said.boot == self.boot else said.boot == self.older

    def _count(self, counter: int, at: Millis, most_w: float) -> Tally:
        tally = Tally(readings=1)
        since, since_at = self.counter_mwh, self.counted_at
        if since is not None and not _can_be(counter - since, at - since_at, most_w):
            tally.resets, self.total_mwh = 1, 0
            since, since_at = self._before_the_glitch(counter, at, most_w)
        step = 0 if since is None else counter - since
        if step and at - since_at > GAP_MS:
            tally.gap_mwh = step
        else:
            tally.energy_mwh = step
        self.counter_mwh, self.counted_at = counter, at
        self.total_mwh += step
        self.resets += tally.resets
        return tally

    def _before_the_glitch(self, counter: int, at: Millis, most_w: float) -> tuple[int | None, Millis]:
        """Where the counter stood that this reading goes on from, and when; None for a counter that begins."""
        left, left_at = self.left_mwh, self.left_at
        if left is not None and at - left_at <= GAP_MS and _can_be(counter - left, at - left_at, most_w):
            self.left_mwh = None
            return left, left_at
        self.left_mwh, self.left_at = self.counter_mwh, self.counted_at
        return None, at

    def _marks(self, said: MeterSaid, received_at: Millis, before: tuple[int, int]) -> list[MeterMark]:
        """A use takes all that flowed from the last reading before it to the first at or after its end."""
        marks: list[MeterMark] = []
        free = self.free if said.status is None else USE_OF_STATUS.get(said.status) == "free"
        flipped, self.free = self.free is not None and free is not self.free, free
        if flipped and free:
            self.ended_at = received_at
        if free and self.ended_at is not None and said.energy_wh is not None:
            marks.append((self.ended_at, self.total_mwh, self.resets))
            self.ended_at = None
        if flipped and not free:
            if self.ended_at is None and self.counter_mwh is not None:
                marks.append((received_at, *before))
            self.ended_at = None  # the next use began before a reading: nobody can part the two
        return marks


def _can_be(step_mwh: int, passed_ms: Millis, most_w: float) -> bool:
    """Whether a meter may have counted this since."""
    return 0 <= step_mwh <= STEP_MWH + most_w * (max(0, passed_ms) + LATE_MS) / 3600


def energy_between(first: MeterMark | None, last: MeterMark | None) -> int | None:
    """The energy of a use in mWh from the marks at its ends; None where one is missing or the counter fell."""
    if first is None or last is None or first[2] != last[2]:
        return None
    return last[1] - first[1]


def is_visit(event: wire.Event) -> bool:
    """A card that opened the door from outside; a reader that knows no direction counts as one at the outside."""
    return event.type == "card" and event.granted is not False and event.direction != "out"


def passed_in(event: wire.Event) -> int:
    """How many people a counter saw come in at once."""
    if event.type != "passage" or event.direction != "in":
        return 0
    return 1 if event.n is UNSET else event.n
