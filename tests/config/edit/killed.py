"""Saves that are killed before a step on the disk: `python -m tests.config.edit.killed STEP PATH…`, each PATH in a
process of its own, killed before its STEPth step, the next before the one after, …; prints for each whether it came so
far. A step is every call that writes, names, flushes or removes something.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.edit.home import ConfigHome, tag_of
from config.edit.saving import Author, save

STEPS = ("open", "fsync", "replace", "unlink", "fchown", "fchmod", "chown", "mkdir")
NEW = {"a.yaml": b"# new a\nstations: [{id: new}]\n", "c.yaml": b"# new c\n"}
"""What the save makes of the files: one changed, one taken away, one new."""


def killed_at(path: Path, last: int) -> bool:
    """Save in a process of its own, killed before this step; whether it came so far."""
    child = os.fork()
    if child == 0:
        _save(path, last)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _save(path: Path, last: int) -> None:
    done = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **more: Any) -> Any:
            nonlocal done
            done += 1
            if done == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return step

    home = ConfigHome(path)
    tag = tag_of(home.read())
    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    save(home, NEW, tag, Author("Chen", 1_000, "a test"))


if __name__ == "__main__":
    first, *paths = sys.argv[1:]
    print(*(int(killed_at(Path(path), int(first) + number)) for number, path in enumerate(paths)))
