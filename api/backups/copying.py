"""One backup: what of the store is not there yet is sealed and put, then a list of all of it.

A file lies under a name that follows from what it holds, so a day that is over is put once. Restoring takes the list
and its files. What no list names any more goes.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.access_book import ASIDE, HEAD, NAME
from api.audit_check import FOLDER as EXPORTS
from api.auth import Keyring
from api.backups.sealed import NotOpenedError, PassphraseSeal, new_salt, sha256_of
from api.backups.targets import BackupTarget
from api.passkeys.book import NAME as PASSKEYS
from api.photos import FOLDER as PHOTOS
from config.files import read_bytes
from config.schema import Settings
from gateway.base.local_time import DAY_MS
from gateway.model import Millis
from gateway.notify.links import LINK_KEY
from gateway.store.backup import check, snapshot
from gateway.store.base import StoreError
from gateway.store.days import is_day, store_folders

KEYS = "keys.json"  # the staff keys under this name, wherever the configuration has them
SALT, LIST = "salt", "list-"
LIST_MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file of a backup: its place below the store's folder, SHA-256, bytes, and when its source changed last."""

    name: str
    sha256: str
    size: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class BackupDone:
    """A backup that was made: of its `files`, `put` were new."""

    name: str
    files: int
    put: int
    put_bytes: int


TellProgress = Callable[[str, int, int], None]
"""(file, files done, files in all)"""


class BackupFaultError(Exception):
    """It could not be made, or what lies there is not what was stored; the text is one line."""


class Copies:
    """The backups of one store in one place. StoreError, OSError, BackupFaultError from each."""

    def __init__(
        self, settings: Settings, target: BackupTarget, passphrase: str, tell: TellProgress = lambda *_: None
    ) -> None:
        self._settings, self._target, self._tell = settings, target, tell
        self._store = settings.store.path
        self._seal = PassphraseSeal(passphrase, self._salt())

    def make(self, now: Millis, keep_days: int) -> BackupDone:
        there = self._target.names()
        before = {kept.name: kept for kept in self._newest(there)}
        sources = list(self._sources())
        files, put, size = [], 0, 0
        for done, (name, path) in enumerate(sources):
            self._tell(name, done, len(sources))
            kept, new = self._one(name, path, before.get(name), there)
            files.append(kept)
            put, size = put + new, size + kept.size * new
        listed = _list_name(now)
        text = json.dumps({"made_at": now, "files": [asdict(kept_file) for kept_file in files]}).encode()
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "list"
            plain.write_bytes(text)
            self._put(listed, plain, listed)
        self._clear(now, keep_days)
        return BackupDone(listed, len(files), put, size)

    def lists(self) -> list[str]:
        """The names of all lists, the newest last."""
        return _lists_among(self._target.names())

    def fetch(self, folder: Path, listed: str | None = None) -> int:
        """All files of a backup (the newest) into an empty folder, each held against its digest; how many."""
        names = self.lists()
        if not names or (listed is not None and listed not in names):
            raise BackupFaultError(f"there is no backup{'' if listed is None else f' {listed}'} there")
        files = self._files_of(listed or names[-1])
        for done, kept in enumerate(files):
            self._tell(kept.name, done, len(files))
            path = folder / kept.name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise BackupFaultError(f"{kept.name!r} is no name of a store's file")
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
            self._get(self._seal.name_of(kept.sha256), path, kept.sha256)
        return len(files)

    def rehearse(self) -> int:
        """Fetch the newest backup file by file, and have each database looked through; how many files were right."""
        names = self.lists()
        if not names:
            raise BackupFaultError("there is no backup there to rehearse with")
        files = self._files_of(names[-1])
        with tempfile.TemporaryDirectory(dir=self._store, prefix=".rehearsal-") as folder:
            for done, kept in enumerate(files):
                self._tell(kept.name, done, len(files))
                path = Path(folder) / Path(kept.name).name
                self._get(self._seal.name_of(kept.sha256), path, kept.sha256)
                if path.suffix == ".db":
                    check(path)
                path.unlink()
        return len(files)

    # ---- parts of it ----

    def _salt(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / SALT
            if SALT in self._target.names():
                self._target.get(SALT, path)
            else:
                path.write_bytes(new_salt())
                self._target.put(SALT, path)
            return read_bytes(path, SALT)

    def _sources(self) -> Iterator[tuple[str, Path]]:
        """(name, file). Core files before the days: what a checkpoint covers is then surely in the copy."""
        for store in store_folders(self._store):
            for path in sorted(store.glob("*.db"), key=lambda database: (is_day(database.name), database.name)):
                yield str(path.relative_to(self._store)), path
        small = [LINK_KEY, NAME, HEAD, PASSKEYS]
        yield from ((name, self._store / name) for name in small if (self._store / name).exists())
        yield from ((path.name, path) for path in sorted(self._store.glob(ASIDE)))
        keys = Keyring.of(self._settings).path
        if keys.exists():
            yield KEYS, keys
        for folder in (EXPORTS, PHOTOS):
            for path in sorted((self._store / folder).rglob("*.*")):
                if path.is_file() and not path.name.startswith("."):
                    yield str(path.relative_to(self._store)), path

    def _one(self, name: str, path: Path, before: KeptFile | None, there: set[str]) -> tuple[KeptFile, bool]:
        """What is kept of it, and whether it had to be put."""
        changed = max(file.stat().st_mtime_ns for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
        if before is not None and before.changed_ns == changed and self._seal.name_of(before.sha256) in there:
            return before, False
        with tempfile.TemporaryDirectory(dir=self._store, prefix=".backup-") as folder:
            copy = Path(folder) / "copy"
            if path.suffix == ".db":
                snapshot(path, copy)
            else:
                shutil.copyfile(path, copy)
            kept = KeptFile(name, sha256_of(copy), copy.stat().st_size, changed)
            sealed = self._seal.name_of(kept.sha256)
            if sealed in there:
                return kept, False
            self._put(sealed, copy, kept.sha256)
            there.add(sealed)
            return kept, True

    def _put(self, name: str, plain: Path, about: str) -> None:
        sealed = plain.with_name(f"{plain.name}.sealed")
        with plain.open("rb") as source, sealed.open("wb") as target:
            self._seal.close(source, target, about)
        self._target.put(name, sealed)
        sealed.unlink()

    def _get(self, name: str, path: Path, about: str) -> None:
        sealed = path.with_name(f".{path.name}.sealed")
        self._target.get(name, sealed)
        try:
            with sealed.open("rb") as source, path.open("wb") as target:
                path.chmod(0o600)
                digest = self._seal.open(source, target, about)
        except NotOpenedError as error:
            raise BackupFaultError(str(error)) from error
        finally:
            sealed.unlink(missing_ok=True)
        if not about.startswith(LIST) and digest != about:
            raise BackupFaultError(f"{name} is not what was stored")

    def _files_of(self, listed: str) -> list[KeptFile]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "list"
            self._get(listed, path, listed)
            told: dict[str, Any] = json.loads(read_bytes(path, listed, LIST_MOST_BYTES))
        return [KeptFile(**kept_file) for kept_file in told["files"]]

    def _newest(self, there: set[str]) -> list[KeptFile]:
        names = _lists_among(there)
        return self._files_of(names[-1]) if names else []

    def _clear(self, now: Millis, keep_days: int) -> None:
        """Old lists go, and what none of the others names."""
        there = self._target.names()
        lists, oldest = _lists_among(there), _list_name(now - keep_days * DAY_MS)
        gone = {name for name in lists[:-1] if name < oldest}
        if not gone:
            return
        kept = [name for name in lists if name not in gone]
        listed = (kept_file for name in kept for kept_file in self._files_of(name))
        needed = {self._seal.name_of(kept_file.sha256) for kept_file in listed} | {SALT, *kept}
        for name in there - needed:
            self._target.delete(name)


def _list_name(at: Millis) -> str:
    """The name of a list; names sort by time."""
    return f"{LIST}{datetime.fromtimestamp(at / 1000, UTC):%Y%m%dT%H%M%SZ}"


def _lists_among(names: set[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(LIST))


FAULTS = (OSError, StoreError, BackupFaultError)
"""What ends a backup and is told; all else is a fault of ours."""
