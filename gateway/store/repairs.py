"""Damaged files of a store: moved aside, and followed by what can be read of them. A kill in between is made good."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.model import Millis
from gateway.store.days import CORE, day_files
from gateway.store.files import COMPANIONS, move, set_aside, store_errors
from gateway.store.salvage import salvage


class Repairs:
    """`aside` lists the files that were found broken, where they are now. For the writer's thread; StoreError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.aside: list[Path] = []

    def repair(self, path: Path, now: Millis) -> None:
        """Move it aside, and take over what can be read."""
        with store_errors(path):
            aside = set_aside(path, f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%S}")
        self._salvage(aside, path)

    def resume(self) -> None:
        """A file that was moved aside and has no successor: we were killed in between, or there was no room."""
        for aside in sorted(self._folder.glob("*.db.damaged-*"), reverse=True):
            path = aside.with_name(aside.name.partition(".damaged-")[0])
            if not path.exists() and not aside.name.endswith(COMPANIONS[1:]):
                with store_errors(path):
                    move(path, aside)
                self._salvage(aside, path)

    def _salvage(self, aside: Path, path: Path) -> None:
        self.aside.append(aside)
        if path.name == CORE:
            salvage(aside, path, "core")
        else:
            before = [day_file for day_file in day_files(self._folder) if day_file < path]
            salvage(aside, path, "day", before[-1] if before else None)
