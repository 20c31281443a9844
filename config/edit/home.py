"""The files of a configuration on the disk, and the folder of its versions beside them."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.files import read_bytes
from config.yaml_file import MAX_BYTES

PENDING = "pending.json"
"""Names what a save is about to do; while it is there, the save is not over."""


@dataclass(frozen=True, slots=True)
class ConfigHome:
    """`path` is the file or the folder of a configuration."""

    path: Path

    @property
    def folder(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def versions(self) -> Path:
        """`.versions` in the folder; beside a single file one that has its name: the folder may hold others."""
        return self.path / ".versions" if self.path.is_dir() else self.folder / f".{self.path.name}.versions"

    def target(self, name: str) -> Path:
        """Where a file really is: behind a link, the file that it leads to."""
        return Path(os.path.realpath(self.folder / name))

    def paths(self, files: Mapping[str, bytes]) -> dict[Path, bytes]:
        """The same contents by the path of each file, as `load` wants them."""
        return {self.path if name == self.path.name else self.folder / name: files[name] for name in files}

    def read(self) -> dict[str, bytes]:
        """Every file by its name. UnusableFileError where one can't be read."""
        paths = sorted(self.path.glob("*.yaml")) if self.path.is_dir() else [self.path]
        return {path.name: read_bytes(path, path.name, MAX_BYTES) for path in paths}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tag_of(files: Mapping[str, bytes]) -> str:
    """What changes with any byte of any file, and with its name: 32 hexadecimal digits."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{digest(files[name])}\n".encode())
    return whole.hexdigest()[:32]


@contextlib.contextmanager
def changing(home: ConfigHome) -> Iterator[None]:
    """One process or thread at a time changes the files and their versions. OSError where the folder takes nothing."""
    folder = home.versions
    if not folder.is_dir():
        folder.mkdir(mode=0o700, exist_ok=True)
        owned_like(folder, home.folder)
    with _locked(folder, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def undisturbed(home: ConfigHome) -> Iterator[bool]:
    """No save of ours writes meanwhile; False where a save was cut short and must be finished first.

    Who may not look into the folder of versions reads without.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_locked(home.versions, fcntl.LOCK_SH))
            over = not (home.versions / PENDING).exists()
        except OSError:
            over = True
        yield over


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """It is the folder itself that is locked; the lock ends with the process."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def owned_like(path: Path, other: Path) -> None:
    """What root makes at the box belongs to whom its neighbour does, so that the service can go on with it."""
    if os.geteuid() == 0:
        like = other.stat()
        os.chown(path, like.st_uid, like.st_gid)
