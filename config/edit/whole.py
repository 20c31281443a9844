"""Files written as a whole: a reader, and a machine whose power fails, find the old one or the new one."""

import contextlib
import errno
import os
import stat
from pathlib import Path

STAGED = ".yizhan-new"


def staged(target: Path) -> Path:
    """Where the new content of a file waits, beside it; its name is no `*.yaml`."""
    return target.with_name(f".{target.name}{STAGED}")


def stage(target: Path, content: bytes, like: Path) -> None:
    """Write the new content beside the file, durably, with the owner, mode and attributes of `like`, a file or folder.

    PermissionError where this process may not give it to that owner.
    """
    path, wanted = staged(target), like.stat()
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        here = os.fstat(handle)
        if (here.st_uid, here.st_gid) != (wanted.st_uid, wanted.st_gid):
            _give(handle, wanted, target)
        _attributes(like, handle)
        os.fchmod(handle, wanted.st_mode & (0o666 if stat.S_ISDIR(wanted.st_mode) else 0o7777))
        file.write(content)
        file.flush()
        os.fsync(handle)


def _give(handle: int, wanted: os.stat_result, target: Path) -> None:
    try:
        os.fchown(handle, wanted.st_uid, wanted.st_gid)
    except PermissionError:
        why = f"{target} belongs to another user, whose it could not stay; give it to the user of this process (chown)"
        raise PermissionError(errno.EPERM, why) from None


def _attributes(like: Path, handle: int) -> None:
    """Access lists and labels come along where the file system has them."""
    with contextlib.suppress(OSError):
        for name in os.listxattr(like):
            with contextlib.suppress(OSError):
                os.setxattr(handle, name, os.getxattr(like, name))


def replace(path: Path, content: bytes) -> None:
    """A small file of our own, mode 0600, durably."""
    new = staged(path)
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
    os.replace(new, path)  # noqa: PTH105  beside the other calls of os in this file
    flush(path.parent)


def flush(folder: Path) -> None:
    """Names in the folder survive a power cut from now on."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
