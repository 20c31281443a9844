"""Uses of chargers, with their energy where the meter tells it."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.base.local_time import DAY_MS
from gateway.history.tally import energy_between
from gateway.history.utilization import Use, uses
from gateway.model import Millis, Resource
from gateway.store.base import Reader
from gateway.store.rollup_reader import RollupReader

LONGEST_MS = 7 * DAY_MS  # so long after the window the end of a use is looked for


@dataclass(frozen=True, slots=True)
class Charge:
    """One use of a charger. `energy_mwh` None: nobody knows."""

    resource: str
    use: Use
    energy_mwh: int | None


def charges(
    reader: Reader, rollups: RollupReader, chargers: Sequence[Resource], window: tuple[Millis, Millis], now: Millis
) -> list[Charge]:
    """What began in the window, the oldest first, also where it ended after it. StoreError."""
    start, end = window
    until = min(now, end + LONGEST_MS)
    found = []
    for one in chargers if start < end else ():
        marks = rollups.marks(one.station, one.id, start, until)
        for use in uses(reader.history(one.station, one.id, start - 1, until)):
            if start <= use.start < end:
                ends = marks.get(use.start), None if use.end is None else marks.get(use.end)
                found.append(Charge(one.id, use, energy_between(*ends) if use.whole else None))
    return sorted(found, key=lambda charge: (charge.use.start, charge.resource))
