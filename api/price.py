"""What a question about the past costs at most, known before any work begins. Pure.

No work on the store begins without a `Priced` (see `api.routes.past`). The unit is one bucket of one resource measured
from the journal, about 5 µs; that is how everything is answered which the roll-ups have not come to yet. To open a
resource's history costs as much as a hundred of them.
"""

from dataclasses import dataclass

from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.model import Millis

RESOURCE = 100
"""Units for each resource, however short the window."""
STRANGERS_MOST = 500_000
"""Units of a question without a key: some seconds in the worst case, for a house without roll-ups."""
STAFF_MOST = 6_000_000
STRANGERS_HOURS = 7 * 24 + 1
"""By hour without a key: a week, and the hour that is in it twice where clocks are set back."""
CHANGES_MOST = 200_000
"""Changes of one resource that are read for one question, some 40 MB; what comes after them is unknown."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A question whose price was found bearable; `Past.afford` alone makes one."""

    units: int


def buckets(by: str, window: tuple[Millis, Millis]) -> int:
    """Into how many buckets the window is cut for each resource; hours of the week are measured hour by hour."""
    start, end = window
    step = DAY_MS if by in ("day", "station") else HOUR_MS
    return 2 + max(0, end - start) // step


def price(places: int, by: str, window: tuple[Millis, Millis]) -> int:
    """In units, for so many resources and doors."""
    return places * (RESOURCE + buckets(by, window))
