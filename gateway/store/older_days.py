"""The files of days that are over: sealed, given their spare room back, and dropped when they are past retention."""

import logging
from pathlib import Path

from gateway.model import Millis
from gateway.store.base import StoreError
from gateway.store.day import Day
from gateway.store.day_reader import readers
from gateway.store.days import day_files, day_number, finished, number_of
from gateway.store.files import READ_ERRORS, as_store_error, unlink
from gateway.store.repairs import Repairs, with_aside

log = logging.getLogger(__name__)


class OlderDays:
    """Of one folder. `keep`: how many days, by their files and by their dates; `quarantine`: for how many days what
    could not be read.
    """

    def __init__(self, folder: Path, synchronous: str, repairs: Repairs, *, keep: int, quarantine: int) -> None:
        self.keep = keep
        self._folder, self._synchronous, self._repairs, self._quarantine = folder, synchronous, repairs, quarantine
        self._tidied: set[tuple[int, bool]] = set()  # day, and whether its quarantine was emptied

    def drop_oldest(self, now: Millis) -> bool:
        """One file past retention; the newest `keep` stay whatever the clock says. False where there is none."""
        for path in day_files(self._folder)[: -self.keep or None]:
            if number_of(path) < day_number(now) - self.keep:
                log.info("dropping %s: past the %d days to keep", path.name, self.keep)
                for file in with_aside(path):
                    unlink(file)
                return True
        return False

    def finish_one(self, now: Millis, today: int, upto: int) -> bool:
        """Seal what is left of a day before `today`, give its spare room back, and later empty its quarantine. `upto`:
        the last batch that every checkpoint holds. False where nothing is to be done now. StoreError.
        """
        for path in day_files(self._folder):
            number = number_of(path)
            mark = number, number < day_number(now) - self._quarantine
            if number >= today or mark in self._tidied:
                continue
            if finished(path) and not (mark[1] and _holds_quarantine(path)):
                self._tidied.add(mark)
                continue
            try:
                more = self._finish(path, number, now, upto, mark[1])
            except (StoreError, *READ_ERRORS) as error:
                self._tidied.add(mark)
                problem = error if isinstance(error, StoreError) else as_store_error(error, path)
                if not problem.damaged:
                    raise problem from error
                self._repairs.repair(path, now)
                return True
            if more is False:
                self._tidied.add(mark)
            if more is not None:
                return True
        return False

    def _finish(self, path: Path, number: int, now: Millis, upto: int, old: bool) -> bool | None:
        """One step for a day that is over: True for more, False after the last, None to wait for a checkpoint."""
        day = Day(path, number, self._synchronous)
        try:
            if day.seal(now, upto):
                return True
            if day.waits_for(upto):
                return None
            if old:
                day.empty_quarantine()
            return day.shrink()
        finally:
            day.close()


def _holds_quarantine(path: Path) -> bool:
    return any(next(reader.quarantine(), None) is not None for reader in readers([path]))
