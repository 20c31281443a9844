"""Each night: does the copy hold what the journal has? Where it lacks rows, that day is copied again.

Work for the quiet moments of the ship's thread, in small pieces, so that what is new always goes first.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from config.schema.store import Influx
from gateway.influx.ask import held
from gateway.influx.compare import Compared, DayCount
from gateway.influx.delivery import DriftError
from gateway.influx.lines import Lines
from gateway.influx.status import Checked
from gateway.model import Batch, Millis
from gateway.store.base import StoreError
from gateway.store.day import DAY_MS, HOUR_MS
from gateway.store.journal import Journal, Journals, parts

log = logging.getLogger(__name__)

NIGHT = range(2, 5)  # local hours
PATIENCE_MS = 21 * HOUR_MS  # a copy that can't be asked is asked again the next night
AT_ONCE = 250  # messages a piece
EVERYTHING = 2**62

NightSteps = Generator[bool, None, None]  # True: go on at once; False: give way first


class DayCheck:
    """Compares a store's journal, or those of all that had its stations, with the copy, and copies a day again.

    Each method is a run of small steps.
    """

    def __init__(self, influx: Influx, journal: Journal | Journals, lines: Lines) -> None:
        self._influx, self._journal, self._lines = influx, journal, lines
        self.looked_at = 0
        """Messages that were read, in all."""

    def kept(self, day: int, now: Millis) -> bool:
        """Whether all of the day is younger than the bucket is configured to keep."""
        days = self._influx.retention_days
        return not days or now - day * DAY_MS < days * DAY_MS

    def expected(self, day: int) -> int:
        """About how many messages are read for a day."""
        return self._journal.around(*DayCount(day, set()).received)

    def count(self, count: DayCount, upto: int = EVERYTHING) -> NightSteps:
        """Add what the journal has; the copy has followed it up to id `upto`."""
        for number, part in self._parts(count):
            count.add(self._lines.of_batch(part), copied=number <= upto)
            yield True

    def ask(self, count: DayCount) -> list[Compared]:
        """What was counted against what the copy holds. StoreError where the copy can't be asked."""
        return count.compared(held(self._influx, self._lines.stations, count.start, count.end))

    def copy_again(self, count: DayCount, send: Callable[[Sequence[str]], object]) -> NightSteps:
        """Send the day's rows once more, a batch each time that there is nothing else to do."""
        rows: list[str] = []
        for _, part in self._parts(count):
            rows += count.of_day(self._lines.of_batch(part))
            if len(rows) >= self._influx.batch_rows:
                send(rows)
                rows = []
                yield False
        if rows:
            send(rows)

    def _parts(self, count: DayCount) -> Iterator[tuple[int, Batch]]:
        try:
            for number, batch in self._journal.touching(*count.received):
                for part in parts(batch, AT_ONCE):
                    self.looked_at += len(part)
                    yield number, part
        finally:
            self._journal.close()


class Nightly:
    """`trouble` says in words what the last night found; None while the copy is whole."""

    def __init__(
        self,
        check: DayCheck,
        zone: ZoneInfo,
        refused: Callable[[], set[str]],
        send: Callable[[Sequence[str]], None],
        keep: Callable[[int], None],
        done: int | None,
    ) -> None:
        """`refused`: lines that the copy will never take; `keep` the last day that was equal, which `done` was."""
        self._check, self._zone, self._refused, self._send, self._keep = check, zone, refused, send, keep
        self._done = done
        self._not_before = 0
        self._work: NightSteps | None = None
        self._found: list[Compared] = []
        self.trouble: str | None = None
        self.checked: Checked | None = None
        self.again = 0  # days that were copied again

    def step(self, now: Millis) -> bool:
        """One small piece. True if there is more to do at once. A fault of ours is raised, and ends this night."""
        if self._work is None:
            day = self._due(now)
            if day is None:
                return False
            self._work = self._night(day)
        try:
            return next(self._work)
        except StopIteration:
            self._work = None
        except (StoreError, DriftError) as error:
            self._work = None
            self._not_before = now + PATIENCE_MS
            log.warning("the copy can't be compared with the journal: %s", error)
        except Exception:
            self._work, self._not_before = None, now + PATIENCE_MS
            raise
        return False

    def end(self) -> None:
        """Leave what is half done; it is begun anew at the next start."""
        work, self._work = self._work, None
        if work is not None:
            work.close()

    def _due(self, now: Millis) -> int | None:
        """The next day that is over for an hour at least: in the night, or when a night was missed."""
        if now < self._not_before <= now + PATIENCE_MS:  # further ahead: the clock was set back
            return None
        newest = (now - HOUR_MS) // DAY_MS - 1
        if self._done is None:
            self._done = newest - 1
        night = datetime.fromtimestamp(now / 1000, self._zone).hour in NIGHT
        missed = newest > self._done + 1 and not self._not_before
        if newest <= self._done or not (night or missed):
            return None
        day = self._done + 1
        if self._check.kept(day, now):
            return day
        self._done = day
        return None

    def _night(self, day: int) -> NightSteps:
        count = DayCount(day, self._refused())
        yield from self._compare(count)
        if self._sums(day).missing:
            self.again += 1
            log.warning("%s; the day is copied again", self._words(day))
            yield from self._check.copy_again(count, self._send)
            yield False  # an engine may take a moment to show what it took
        if not self._equal():
            count = DayCount(day, self._refused())
            yield from self._compare(count)
        self._done, self._not_before, self.checked = day, 0, self._sums(day)
        self.trouble = None if self._equal() else self._words(day)
        if self.trouble is None:
            log.info("the copy holds what the journal has of %s", name_of(day))
            self._keep(day)
        else:
            log.error("%s", self.trouble)

    def _compare(self, count: DayCount) -> NightSteps:
        yield from self._check.count(count)
        yield False  # what came meanwhile is sent before we ask
        self._found = self._check.ask(count)

    def _equal(self) -> bool:
        return all(compared.equal for compared in self._found)

    def _sums(self, day: int) -> Checked:
        return Checked(
            day, sum(compared.missing for compared in self._found), sum(compared.surplus for compared in self._found)
        )

    def _words(self, day: int) -> str:
        wrong = [compared for compared in self._found if not compared.equal]
        first, sums = wrong[0], self._sums(day)
        return (
            f"of {name_of(day)} the copy lacks {sums.missing} values and has {sums.surplus} too many, "
            f"{first.station} {first.measurement} among them; see `yizhan store compare`"
        )


def name_of(day: int) -> str:
    """A day as people write it."""
    return f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}"
