"""Damaged files of a store: moved aside, and followed by what can be read of them. A kill in between is made good."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateway.model import Millis
from gateway.store.days import CORE, day_files
from gateway.store.files import COMPANIONS, move, set_aside, store_errors
from gateway.store.salvage import salvage

DAMAGED = ".damaged-"
HEALED = ".healed-"
"""In the place of DAMAGED, once a replica made the file anew."""


def damaged_before(folder: Path) -> dict[Path, list[Path]]:
    """Files that are what could be read of a damaged one; and where that is now, in its parts."""
    aside = defaultdict[Path, list[Path]](list)
    for path in sorted(folder.glob(f"*.db{DAMAGED}*")):
        aside[path.with_name(path.name.partition(DAMAGED)[0])].append(path)
    return {path: parts for path, parts in aside.items() if path.exists()}


def with_aside(path: Path) -> list[Path]:
    """A file, and all that was found damaged under its name."""
    return [path, *(aside for mark in (DAMAGED, HEALED) for aside in path.parent.glob(f"{path.name}{mark}*"))]


class Repairs:
    """`aside` lists the files that were found broken, where they are now. For the writer's thread; StoreError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.aside: list[Path] = []

    def repair(self, path: Path, now: Millis, names: Mapping[bytes, int] | None = None) -> None:
        """Move it aside, and take over what can be read. `names`: what is known of a day's, by whoever wrote to it."""
        with store_errors(path):
            aside = set_aside(path, f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%S}")
        self._salvage(aside, path, names)

    def resume(self) -> None:
        """A file that was moved aside and has no successor: we were killed in between, or there was no room."""
        for aside in sorted(self._folder.glob(f"*.db{DAMAGED}*"), reverse=True):
            path = aside.with_name(aside.name.partition(DAMAGED)[0])
            if not path.exists() and not aside.name.endswith(COMPANIONS[1:]):
                with store_errors(path):
                    move(path, aside)
                self._salvage(aside, path)

    def _salvage(self, aside: Path, path: Path, names: Mapping[bytes, int] | None = None) -> None:
        self.aside.append(aside)
        if path.name == CORE:
            salvage(aside, path, "core")
        else:
            before = [day for day in day_files(self._folder) if day < path]
            salvage(aside, path, "day", before[-1] if before else None, names or {})
