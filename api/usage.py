"""How much a place was used, all that is known of it: what the routes tell and the monthly report prints."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.base.local_time import By
from gateway.history.tally import Tally
from gateway.history.utilization import Minutes, peaks
from gateway.model import Millis
from gateway.policy.privacy import Band, total
from gateway.store.entrances import Entrances
from gateway.store.place import Asked
from gateway.store.rollup_reader import RollupReader


@dataclass(slots=True)
class Usage:
    """One bucket. `visits`: a band for each entrance and day, none where not told; `peak` only by hour of week."""

    minutes: Minutes = field(default_factory=Minutes)
    tally: Tally = field(default_factory=Tally)
    visits: list[Band] = field(default_factory=list)
    peak: bool | None = None

    @property
    def metered(self) -> bool:
        """Without a reading of a meter its energy is unknown, not 0."""
        return self.tally.readings > 0

    @property
    def visitors(self) -> Band | None:
        """From published bands alone; None where not even one visit is certain and nobody knows how many more."""
        band = total(self.visits) if self.visits else None
        return None if band == (0, None) else band


def usage(rollups: RollupReader, asked: Asked, start: Millis, end: Millis, by: By) -> dict[int, Usage]:
    """Bucket → its usage, in order: the bucket is its local start, or the hour of the week. StoreError."""
    minutes = rollups.minutes(asked, start, end, by)
    tallies = rollups.tallies(asked, start, end, by)
    visits = Entrances(rollups).bands(asked, start, end) if by == "day" else {}
    busy = peaks(minutes) if by == "hour_of_week" else {}
    return {
        key: Usage(minutes[key], tallies.get(key, Tally()), visits.get(key, []), busy.get(key))
        for key in sorted(minutes)
    }


def together(parts: Iterable[Usage]) -> Usage:
    """The sum of the buckets."""
    whole = Usage()
    for part in parts:
        whole.minutes.add(part.minutes)
        whole.tally.add(part.tally)
        whole.visits += part.visits
    return whole
