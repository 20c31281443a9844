"""What shards that are no more have left behind goes when its time is over, as if they still ran."""

import logging
from collections.abc import Callable
from pathlib import Path

from gateway.model import Millis
from gateway.store.base import StoreError
from gateway.store.cards import CardRetention
from gateway.store.days import day_files, day_number, number_of
from gateway.store.files import unlink
from gateway.store.repairs import with_aside
from gateway.store.sqlite import SqliteStore

log = logging.getLogger(__name__)


class LeftFolders:
    """A chore of the writer's quiet moments, of one of the shards that run: once a day it goes through the others'."""

    def __init__(
        self, own: Path, left: Callable[[], list[Path]], opened: Callable[[Path, Millis], SqliteStore],
        raw_days: int, card_days: int,
    ) -> None:  # fmt: skip
        """`left`: the folders whose time is over; `opened`: the store in one of them. Their cards go after `card_days`,
        all else after `raw_days`.
        """
        self._own, self._left, self._opened = own, left, opened
        self._raw_days, self._card_days = raw_days, card_days
        self._day = -1
        self._folders: list[Path] = []
        self._store: SqliteStore | None = None
        self._cards: CardRetention | None = None

    def tidy(self, now: Millis) -> bool:
        """One step. True if there is more today. StoreError where the disk is full."""
        if not self._folders:
            if self._day == day_number(now):
                return False
            self._folders, self._day = self._left(), day_number(now)
            return bool(self._folders)
        try:
            if self._step(self._folders[0], now):
                return True
        except StoreError as error:
            self.close()
            if error.full:
                raise
            log.error("what was left in %s stays as it is until tomorrow: %s", self._folders[0], error)
        self.close()
        del self._folders[0]
        return bool(self._folders)

    def _step(self, folder: Path, now: Millis) -> bool:
        if self._drop_oldest(folder, now):
            return True
        if self._store is None or self._cards is None:
            self._store = self._opened(folder, now)
            self._cards = CardRetention(self._store, self._card_days, over=True)
            return True
        return self._store.tidy(now) or self._cards.tidy(now)

    def _drop_oldest(self, folder: Path, now: Millis) -> bool:
        """As every store, whatever the clock says: of all days, those in our own folder among them, the newest stay."""
        left = day_files(folder)
        days = sorted({number_of(path) for path in (*left, *day_files(self._own))})
        newest = set(days[-self._raw_days :])
        for path in left:
            number = number_of(path)
            if number < day_number(now) - self._raw_days and number not in newest:
                log.info("dropping %s: past the %d days to keep", path, self._raw_days)
                for file in with_aside(path):
                    unlink(file)
                return True
        return False

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store = self._cards = None
