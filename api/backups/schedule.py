"""The backup of each day, by a thread of its own; and a rehearsal each week."""

import contextlib
import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from api.access_book import AccessBook
from api.backups.copying import FAULTS, BackupDone, Copies, TellProgress
from api.backups.targets import target_of
from config.files import UnusableFileError, read_secret
from config.schema import Settings
from config.schema.backup import Backup
from gateway.base.backup_state import BackupState, read_state, write_state
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.base.mishaps import Mishaps
from gateway.model import Millis

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
AGAIN_MS = HOUR_MS  # after one that failed
LOCK = "backup.lock"


def copies_of(settings: Settings, backup: Backup, tell: TellProgress = lambda *_: None) -> Copies:
    """The copies that `backup` configures. OSError, UnusableFileError."""
    passphrase = read_secret(backup.passphrase_file, "backup.passphrase_file")
    return Copies(settings, target_of(backup), passphrase, tell)


def due(backup: Backup, zone: ZoneInfo, state: BackupState, now: Millis) -> bool:
    """Whether today's time has come since the last try, or an hour since one that failed."""
    local = datetime.fromtimestamp(now / 1000, zone)
    planned = datetime.combine(local.date(), time.fromisoformat(backup.at), zone)
    planned_ms = round(planned.astimezone(UTC).timestamp() * 1000)
    if state.error:
        return now >= state.tried_at + AGAIN_MS
    return state.tried_at < planned_ms <= now


def make_now(
    settings: Settings, backup: Backup, now: Millis, by: str, tell: TellProgress = lambda *_: None
) -> BackupDone:
    """A backup, its state, its line in the trail, and the rehearsal where it is time. `FAULTS`, UnusableFileError."""
    folder = settings.store.path
    state = read_state(folder) or BackupState()
    try:
        copies = copies_of(settings, backup, tell)
        done = copies.make(now, backup.keep_days)
    except (*FAULTS, UnusableFileError) as error:
        write_state(folder, replace(state, tried_at=now, error=str(error)[:300]))
        raise
    state = replace(state, made_at=now, tried_at=now, error="")
    write_state(folder, state)
    AccessBook(folder).note(now, by, "backed_up", backup.to, f"{done.files} files, {done.put} new")
    if now - state.rehearsed_at >= backup.rehearse_days * DAY_MS:
        rehearse_now(settings, backup, now, tell)
    return done


def rehearse_now(settings: Settings, backup: Backup, now: Millis, tell: TellProgress = lambda *_: None) -> int:
    """Fetch the newest and look at all of it; how many files were right. The state tells of what was not."""
    folder = settings.store.path
    state = read_state(folder) or BackupState()
    try:
        count = copies_of(settings, backup, tell).rehearse()
    except (*FAULTS, UnusableFileError) as error:
        write_state(folder, replace(state, rehearsal_error=str(error)[:300]))
        raise
    write_state(folder, replace(state, rehearsed_at=now, rehearsal_error=""))
    log.info("the backup in %s was fetched and looked through: %d files are right", backup.to, count)
    return count


class BackupThread(threading.Thread):
    """Makes them as long as the process runs. Of several processes of one store, one at a time does."""

    def __init__(self, settings: Callable[[], Settings], now: Callable[[], Millis], mishaps: Mishaps) -> None:
        super().__init__(name="backup", daemon=True)
        self._settings, self._now, self._mishaps = settings, now, mishaps
        self._ending = threading.Event()

    def end(self) -> None:
        self._ending.set()

    def run(self) -> None:
        while not self._ending.wait(LOOK_EVERY_S):
            with self._mishaps.contained("the backup"):
                self.look()

    def look(self) -> bool:
        """Make what is due; whether anything was."""
        settings, now = self._settings(), self._now()
        backup, folder = settings.backup, settings.store.path
        if backup is None or not folder.is_dir():
            return False
        with alone(folder) as mine:
            if not mine or not due(backup, ZoneInfo(settings.timezone), read_state(folder) or BackupState(), now):
                return False
            try:
                done = make_now(settings, backup, now, "yizhan")
                log.info("backed up to %s: %d files, %d of them new", backup.to, done.files, done.put)
            except (*FAULTS, UnusableFileError) as error:
                log.error("the backup to %s failed, and is tried again in an hour: %s", backup.to, error)
            return True


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else makes a backup of this store at the moment."""
    handle = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)
