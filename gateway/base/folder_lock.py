"""One thread or process at a time in a folder that several write."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else is in here. OSError when there is no such folder.

    It is the folder itself that is locked, so no file is left behind; the lock ends with the process. Who has it must
    not ask for it again.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
