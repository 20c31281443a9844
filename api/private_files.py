"""Small files that only their owner may read, changed by several processes: a lock, and a replacement as a whole."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gateway.base.folder_lock import alone_in

Stamp = tuple[int, int, int]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process or thread at a time changes files of `folder`, which is made when it is missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone_in(folder):
        yield


def replace_private(path: Path, content: bytes) -> None:
    """Write the file anew with mode 0600: a reader finds the old one or the new one, whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            of_the_folders_owner(file.fileno(), path.parent)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def of_the_folders_owner(handle: int, folder: Path) -> None:
    """What root writes at the box belongs to whom the folder belongs: else the service could not go on with it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def stamp(path: Path) -> Stamp | None:
    """What changes with the file; None when there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
