"""Uses of chargers, with their energy where the meter tells it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.base.local_time import DAY_MS
from gateway.history.tally import energy_between
from gateway.history.transactions import NEAR_MS, energy_of, joined
from gateway.history.utilization import UseStretch, uses
from gateway.model import Millis, Resource
from gateway.store.base import Reader
from gateway.store.rollup_reader import RollupReader

LONGEST_MS = 7 * DAY_MS  # so long after the window the end of a use is looked for


@dataclass(frozen=True, slots=True)
class Charge:
    """One use of a charger. `energy_mwh` None: nobody knows."""

    resource: str
    use: UseStretch
    energy_mwh: int | None


def charges(
    reader: Reader, rollups: RollupReader, chargers: Sequence[Resource], window: tuple[Millis, Millis], now: Millis
) -> list[Charge]:
    """What began in the window, the oldest first, also where it ended after it. StoreError."""
    charges_of_all: list[Charge] = []
    for charger in chargers if window[0] < window[1] else ():
        charges_of_all += _of_one(reader, rollups, charger, window, now)
    return sorted(charges_of_all, key=lambda charge: (charge.use.start, charge.resource))


def _of_one(
    reader: Reader, rollups: RollupReader, charger: Resource, window: tuple[Millis, Millis], now: Millis
) -> Iterator[Charge]:
    """Transactions that the charger told are exact; for a use without any its meter is asked."""
    start, end = window
    until = min(now, end + LONGEST_MS)
    marks = rollups.marks(charger.station, charger.id, start, until)
    seen = uses(reader.history(charger.station, charger.id, start - 1, until))
    within, alone = joined(seen, rollups.transactions(charger.station, charger.id, start - NEAR_MS, until))
    for use in seen:
        if start <= use.start < end and use in within:
            yield Charge(charger.id, use, energy_of(within[use]))
        elif start <= use.start < end:
            ends = marks.get(use.start), None if use.end is None else marks.get(use.end)
            yield Charge(charger.id, use, energy_between(*ends) if use.whole else None)
    for transaction in alone:
        if start <= transaction.start < end:
            yield Charge(charger.id, UseStretch(transaction.start, transaction.end, whole=True), transaction.energy_mwh)
