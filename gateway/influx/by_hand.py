"""Journal against copy for an operator, from a process of its own, while gateways go on."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from config.schema import Settings
from config.schema.store import Influx
from gateway.core.plan import resource_of
from gateway.influx.client import InfluxWriter
from gateway.influx.compare import Compared, DayCount
from gateway.influx.delivery import CopyDelivery, CopyPatience
from gateway.influx.lines import Lines
from gateway.influx.nightly import DayCheck, NightSteps
from gateway.model import Millis
from gateway.store.copy_cursor import position_in
from gateway.store.journal import Journal

Told = Callable[[int, int], None]
"""(messages that were looked at, about how many there are)"""


class CopyByHand:
    """All journals of a configuration (one, or one for each shard) against its copy."""

    def __init__(
        self, settings: Settings, influx: Influx, journals: Sequence[Path], tell: Told = lambda *_: None
    ) -> None:
        lines = Lines([resource_of(settings, *place) for place in settings.resources()])
        self._influx, self._writer, self._journals, self._tell = influx, InfluxWriter(influx), journals, tell
        self._checks = [DayCheck(influx, Journal(folder), lines) for folder in journals]

    def kept(self, day: int, now: Millis) -> bool:
        """Whether the bucket still keeps all of the day."""
        return self._checks[0].kept(day, now)

    def compare(self, day: int) -> list[Compared]:
        """By station and measurement. StoreError where the copy can't be asked."""
        count, uptos = self._begin(day)
        for check, upto in zip(self._checks, uptos, strict=True):
            self._done(check.count(count, upto), day)
        return self._checks[0].ask(count)

    def again(self, day: int) -> None:
        """Send the day's rows once more, as long as that takes. DriftError where the copy does not want them."""
        count, _ = self._begin(day)
        delivery = CopyDelivery(self._writer, CopyPatience(), self._influx.batch_rows, threading.Event())
        for check in self._checks:
            self._done(check.copy_again(count, delivery.deliver), day)
        self._writer.close()

    def _done(self, steps: NightSteps, day: int) -> None:
        """To their end, telling how far it is; `before` is what was looked at for other things."""
        before = sum(check.looked_at for check in self._checks)
        total = sum(check.expected(day) for check in self._checks)
        for _ in steps:
            self._tell(sum(check.looked_at for check in self._checks) - before, total)

    def _begin(self, day: int) -> tuple[DayCount, list[int]]:
        """The day to be counted, and how far the copy has followed each journal."""
        positions = [position_in(folder, self._writer.name) for folder in self._journals]
        return DayCount(day, set().union(*(refused for _, refused in positions))), [upto for upto, _ in positions]
