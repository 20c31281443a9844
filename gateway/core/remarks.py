"""What is left out of what devices say: each thing said once in the log, counted, and kept by name for who asks."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from gateway.wire import Bad

log = logging.getLogger(__name__)

MOST, TOLD = 1_000, 20
"""Names kept; a flood of them costs itself."""


class Remarks:
    """`counts` by name (`station/device field`); `bad_fields` is the total of values that nobody could read."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.bad_fields = 0

    def all(self) -> dict[str, int]:
        """All that was left out. Any thread may ask."""
        return dict(self.counts.copy())

    def bad(self, station: str, device: str, fields: Iterable[Bad]) -> None:
        """Values of one message that nobody can read."""
        for name, reason in fields:
            self.bad_fields += 1
            self.say(f"{station}/{device} {name}", f"can't be read ({reason}) and is left out")

    def total(self, what: str, count: int, text: str) -> None:
        """As `say`, where somebody else has counted."""
        if what not in self.counts:
            self.say(what, text)
        if what in self.counts:
            self.counts[what] = count

    def say(self, what: str, text: str) -> None:
        """Count it; the first time it is a line in the log."""
        if what not in self.counts:
            if len(self.counts) >= MOST:
                return
            log.warning("%s: %s", what, text)
        self.counts[what] += 1


def most(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent of what was left out, at most `TOLD` names."""
    return dict(Counter(counts).most_common(TOLD))
