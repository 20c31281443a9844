"""A day counted twice: the values that the journal has of it, and those that the copy holds."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.influx.ask import HeldValues, Series
from gateway.influx.lines import cut, time_of
from gateway.model import Millis
from gateway.store.day import DAY_MS
from gateway.wire import TS_FUTURE_MS, TS_PAST_MS


@dataclass(frozen=True, slots=True)
class Compared:
    """One station's values of one measurement: in the journal, in the copy, and how many of them are only in one."""

    station: str
    measurement: str
    journal: int
    copy: int
    missing: int
    surplus: int

    @property
    def equal(self) -> bool:
        return not (self.missing or self.surplus)


class DayCount:
    """The values of rows whose time falls on one UTC day; 8 bytes each until it is compared."""

    def __init__(self, day: int, refused: set[str]) -> None:
        """`day`: since 1970. `refused`: lines that the copy will never take."""
        self.start, self.end = day * DAY_MS, (day + 1) * DAY_MS
        self._refused = refused
        self._times: dict[tuple[str, str], array[int]] = defaultdict(lambda: array("q"))
        self._waiting: Counter[Series] = Counter()

    @property
    def received(self) -> tuple[Millis, Millis]:
        """When messages were received that may be of this day."""
        return self.start - TS_FUTURE_MS, self.end + TS_PAST_MS

    def of_day(self, lines: Iterable[str]) -> Iterator[str]:
        """Those of the lines that the copy should have for this day."""
        for line in lines:
            if self.start <= time_of(line) // 1_000_000 < self.end and line not in self._refused:
                yield line

    def add(self, lines: Iterable[str], *, copied: bool = True) -> None:
        """`copied` False: the copy is not there yet, and may have them or not."""
        for line in self.of_day(lines):
            head, fields, at = cut(line)
            for field in fields:
                if copied:
                    self._times[head, field].append(at)
                else:
                    self._waiting[_series(head, field)] += 1

    def compared(self, held: HeldValues) -> list[Compared]:
        """By station and measurement, sorted."""
        journal: Counter[Series] = Counter()
        for (head, field), times in self._times.items():
            journal[_series(head, field)] += len({at // held.step_ns for at in times})
        sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for series in {*journal, *held.values}:
            ours, theirs = journal[series], held.values.get(series, 0)
            counted = sums[series[1], series[0]]
            for place, count in enumerate(
                (ours, theirs, max(0, ours - theirs), max(0, theirs - ours - self._waiting[series]))
            ):
                counted[place] += count
        return [Compared(*names, *counts) for names, counts in sorted(sums.items())]


def _series(head: str, field: str) -> Series:
    measurement, resource, station = head.split(",")[:3]
    return measurement, station.partition("=")[2], resource.partition("=")[2], field
