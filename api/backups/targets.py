"""Where backups lie: a folder, a target of rsync, a bucket that speaks S3. Flat names, whole files."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

from api.backups.s3 import Bucket
from api.private_files import locked
from config.files import read_secret
from config.schema.backup import Backup
from gateway.store.files import flush

RSYNC_S = 6 * 3600


class TargetError(OSError):
    """The place can't be reached, or takes or gives nothing; the text is one line."""


class BackupTarget(Protocol):
    """OSError from each, its text one line."""

    def names(self) -> set[str]: ...
    def put(self, name: str, path: Path) -> None: ...
    def get(self, name: str, path: Path) -> None: ...
    def delete(self, name: str) -> None: ...


class FolderTarget:
    """A folder must be there: a disk that is not mounted is no place for backups."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> set[str]:
        self._there()
        return {path.name for path in self._folder.iterdir() if path.is_file() and not path.name.startswith(".")}

    def put(self, name: str, path: Path) -> None:
        self._there()
        part = self._folder / f".{name}.part"
        try:
            with locked(self._folder):
                shutil.copyfile(path, part)
                part.chmod(0o600)
                flush(part)
                part.replace(self._folder / name)
                flush(self._folder)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise TargetError(f"{self._folder}: {error.strerror or error}") from error

    def get(self, name: str, path: Path) -> None:
        try:
            shutil.copyfile(self._folder / name, path)
        except OSError as error:
            raise TargetError(f"{self._folder / name}: {error.strerror or error}") from error

    def delete(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def _there(self) -> None:
        if not self._folder.is_dir():
            raise TargetError(f"{self._folder} is not there: make it, or mount its disk")


class RsyncTarget:
    """By the program rsync, over ssh with the keys of the service's user."""

    def __init__(self, place: str) -> None:
        self._place = place.rstrip("/")

    def names(self) -> set[str]:
        lines = self._rsync("--list-only", f"{self._place}/").splitlines()
        return {line.split()[-1] for line in lines if line.startswith("-")}

    def put(self, name: str, path: Path) -> None:
        self._rsync("--times", str(path), f"{self._place}/{name}")

    def get(self, name: str, path: Path) -> None:
        self._rsync(f"{self._place}/{name}", str(path))

    def delete(self, name: str) -> None:
        with tempfile.TemporaryDirectory() as empty:
            self._rsync("--recursive", "--delete", f"--include={name}", "--exclude=*", f"{empty}/", f"{self._place}/")

    def _rsync(self, *words: str) -> str:
        command = ["rsync", "--timeout=120", "-e", "ssh -o BatchMode=yes", *words]
        try:
            told = subprocess.run(command, capture_output=True, text=True, timeout=RSYNC_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TargetError(f"rsync: {error}") from error
        if told.returncode:
            last = (told.stderr.strip().splitlines() or ["no word"])[0]
            raise TargetError(f"{self._place}: rsync: {last[:300]}")
        return told.stdout


def target_of(backup: Backup) -> BackupTarget:
    """TargetError where it lacks something."""
    if backup.to.startswith("s3://"):
        return _bucket(backup)
    if backup.to.startswith(("/", ".", "~")):
        return FolderTarget(Path(backup.to).expanduser())
    return RsyncTarget(backup.to)


def _bucket(backup: Backup) -> Bucket:
    if backup.s3_endpoint is None or backup.s3_access_id is None or backup.s3_secret_file is None:
        raise TargetError("s3:// needs backup.s3_endpoint, s3_access_id and s3_secret_file")
    name, _, prefix = backup.to.removeprefix("s3://").partition("/")
    secret = read_secret(backup.s3_secret_file, "backup.s3_secret_file")
    return Bucket(str(backup.s3_endpoint), name, prefix.strip("/"), backup.s3_region, backup.s3_access_id, secret)
