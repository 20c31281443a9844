"""What the broker grants of what we want to listen to.

A refusal stands in its access list, or passes: a node of a cluster that has just lost another one refuses all until the
rest have agreed. So what was refused is asked again, ever more seldom.
"""

from collections.abc import Iterable, Sequence

from gateway.base.clock import monotonic_s

FIRST_S, LONGEST_S = 1.0, 60.0
HANG_UPS = 3


class Grants:
    """Which filters the broker has granted to one session; `opened` is called at each new connection."""

    def __init__(self) -> None:
        self._asked: dict[int, tuple[str, ...]] = {}  # by packet, until it is answered
        self._refused: dict[str, None] = {}
        self._pause_s, self._again_at = FIRST_S, 0.0
        self._hung_up = 0  # connections in a row that ended before any answer

    def opened(self) -> list[str]:
        """A new connection: what the last one left without a grant."""
        left = [topic_filter for filters in self._asked.values() for topic_filter in filters] + list(self._refused)
        self._asked.clear()
        self._refused.clear()
        self._pause_s = FIRST_S
        return left

    def asked(self, mid: int, filters: Sequence[str]) -> None:
        self._asked[mid] = tuple(filters)

    def answered(self, mid: int, granted: Sequence[bool]) -> None:
        """`granted`: of each filter of that packet, in order."""
        self._hung_up = 0
        filters = self._asked.pop(mid, ())
        for topic_filter, good in zip(filters, granted, strict=False):
            if good:
                self._refused.pop(topic_filter, None)
            else:
                self._refused[topic_filter] = None
        if self._refused:
            self._again_at = monotonic_s() + self._pause_s
            self._pause_s = min(LONGEST_S, 2 * self._pause_s)

    def hung_up(self) -> bool:
        """The connection is lost. Whether that came `HANG_UPS` times in a row, and instead of an answer."""
        self._hung_up += bool(self._asked)
        if self._hung_up < HANG_UPS:
            return False
        self._hung_up = 0
        return True

    def dropped(self, filters: Iterable[str]) -> None:
        """Forget these filters: nobody wants them any more."""
        for topic_filter in filters:
            self._refused.pop(topic_filter, None)

    def due(self) -> list[str]:
        """The filters that are to be asked for again now."""
        return [] if self._asked or not self._refused or monotonic_s() < self._again_at else list(self._refused)

    @property
    def complete(self) -> bool:
        return not self._asked and not self._refused
