"""Photos of checks, as files below `photos/` in the store's folder: `{day}/{station}/{id of the check}.jpg`.

A photo belongs to the day (UTC) on which its check came, and goes with it.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.evidence.checks import StoredCheck
from gateway.model import Millis
from gateway.store.files import flush

FOLDER: Final = "photos"
LARGEST: Final = 300 * 1024
"""Bytes of a photo as it comes."""
MOST_A_DAY: Final = 500
"""Photos of a station's checks of one day."""
LEFT_FREE: Final = 128 * 2**20
"""Bytes of the disk that photos never take."""
_PART = ".part-"  # what was not written to its end


class AnotherPhotoError(Exception):
    """The check has a photo already, and it is another one."""


class EnoughPhotosError(Exception):
    """The station's checks of that day have as many as are taken."""


class Photos:
    """The photos of one store, for any number of processes. `days`: how long each is kept after its check came."""

    def __init__(self, store: Path, days: int) -> None:
        self._folder, self._kept_ms = store / FOLDER, days * DAY_MS

    def put(self, check: StoredCheck, photo: bytes) -> bool:
        """True when it is new, False when it was there: durable in both cases. The first photo of a check stays.

        AnotherPhotoError, EnoughPhotosError; OSError where there is no room.
        """
        path = self._path(check)
        if path.exists():
            return self._the_same(path, photo)
        self._make(path.parent)
        if sum(1 for _ in path.parent.iterdir()) >= MOST_A_DAY:
            raise EnoughPhotosError
        if shutil.disk_usage(self._folder).free < LEFT_FREE + len(photo):
            raise OSError("the disk is nearly full")
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=_PART)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(photo)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # unlike a rename it replaces nothing
        except FileExistsError:
            return self._the_same(path, photo)
        finally:
            Path(temporary).unlink(missing_ok=True)
        flush(path.parent)
        return True

    def get(self, check: StoredCheck, now: Millis) -> bytes | None:
        """None where there is none, or not any more."""
        if not self.keeps(check, now):
            return None
        with contextlib.suppress(FileNotFoundError):
            return self._path(check).read_bytes()
        return None

    def has(self, check: StoredCheck, now: Millis) -> bool:
        """Whether `get` would find one."""
        return self.keeps(check, now) and self._path(check).exists()

    def keeps(self, check: StoredCheck, now: Millis) -> bool:
        """Whether photos of this check are still kept."""
        return now < check.received_at + self._kept_ms

    def forget(self, now: Millis) -> int:
        """Remove days that are past, and what was left half written an hour ago; how many days went."""
        past = [folder for folder, day in days_in(self._folder) if _end_of(day) + self._kept_ms <= now]
        for folder in past:
            shutil.rmtree(folder, ignore_errors=True)
        for part in self._folder.glob(f"{_PART}*"):
            with contextlib.suppress(FileNotFoundError):
                if part.stat().st_mtime * 1000 < now - HOUR_MS:
                    part.unlink()
        return len(past)

    def _path(self, check: StoredCheck) -> Path:
        day = datetime.fromtimestamp(check.received_at / 1000, UTC).date().isoformat()
        return self._folder / day / check.station / f"{check.report.id}.jpg"

    def _make(self, folder: Path) -> None:
        """Each folder made, for its owner only, and its name durable."""
        for path in (self._folder, folder.parent, folder):
            with contextlib.suppress(FileExistsError):
                path.mkdir(0o700)
                flush(path.parent)

    @staticmethod
    def _the_same(path: Path, photo: bytes) -> bool:
        if path.read_bytes() != photo:
            raise AnotherPhotoError
        flush(path.parent)  # whoever wrote it may have been killed before
        return False


def copy_photos(store: Path, target: Path) -> list[Path]:
    """Bring the photos of one folder's store to another's that does not have them; what was written.

    Days that the first has no longer stay away from a copy: `drop_past`.
    """
    written = list[Path]()
    for folder, _ in days_in(store / FOLDER):
        for photo in sorted(folder.glob("*/*.jpg")):
            path = target / photo.relative_to(store)
            if path.exists():
                continue
            for made in (target / FOLDER, path.parent.parent, path.parent):
                made.mkdir(0o700, parents=True, exist_ok=True)
            part = path.with_name(_PART + path.name)
            part.unlink(missing_ok=True)
            part.touch(0o600)
            with contextlib.suppress(FileNotFoundError):  # its day has gone meanwhile
                shutil.copyfile(photo, part)
                flush(part)
                part.replace(path)
                written.append(path)
    return written


def drop_past(store: Path, target: Path) -> None:
    """What is not kept any more is kept in no backup that is renewed."""
    kept = {folder.name for folder, _ in days_in(store / FOLDER)}
    for folder, _ in days_in(target / FOLDER):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def days_in(folder: Path) -> Iterator[tuple[Path, date]]:
    """The folders of days, the oldest first."""
    for path in sorted(folder.glob("????-??-??")):
        with contextlib.suppress(ValueError):
            yield path, date.fromisoformat(path.name)


def _end_of(day: date) -> Millis:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) + DAY_MS
