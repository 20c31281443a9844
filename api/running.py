"""The configuration that this process runs with, and how its files are taken up again without a restart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from config.mistakes import ConfigMistake
from config.schema import Settings


class NotReloadedError(Exception):
    """The files are in order, but this process could not take them up now: nothing has changed. Says why."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of reading the files again.

    `mistakes`: what `yizhan check` lists; with any of them nothing has changed. `needs_restart`: the keys, such as
    `api.listen`, whose new values wait for a restart. `changed`: whether anything that runs is now another.
    """

    mistakes: tuple[ConfigMistake, ...] = ()
    needs_restart: tuple[str, ...] = ()
    changed: bool = False


class Running(Protocol):
    """Any thread may use it. `path` is the file or folder of the configuration."""

    @property
    def path(self) -> Path: ...

    def settings(self) -> Settings:
        """The configuration that runs now."""
        ...

    def reload(self, who: str, why: str) -> Reloaded:
        """Read the files again, check them, and apply all of it or nothing; returns when it is live.

        `who` and `why` go to the audit trail. NotReloadedError: the process could not take it up.
        """
        ...

    def trouble(self) -> str | None:
        """Why the files are not what runs, for whoever looks after this process; None while all is well."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A configuration without files, which never changes."""

    running: Settings
    path: Path = Path()

    def settings(self) -> Settings:
        return self.running

    def reload(self, who: str, why: str) -> Reloaded:
        raise NotReloadedError(f"there are no files to read again for {who} ({why})")

    def trouble(self) -> str | None:
        return None
