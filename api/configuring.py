"""The configuration's files for staff: shown without secrets, changed, kept as versions, taken up at once.

Whoever may do it is asked by the caller; what a key of certain stations may touch is decided here, by what comes out.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import HTTPException

from api.auth import Key
from api.context import ApiContext
from api.running import NotReloadedError
from config.edit.changing import changed
from config.edit.hidden import hidden, kept
from config.edit.home import ConfigHome, tag_of
from config.edit.items import name_of
from config.edit.named_files import strangers
from config.edit.saving import Author, save, settled
from config.edit.showing import difference_text, tree_of
from config.edit.versions import MissingVersionError, Version, Versions
from config.edit.words import ConfigChange, EditError, pointer
from config.files import UnusableFileError
from config.mistakes import ConfigErrors, ConfigMistake

log = logging.getLogger(__name__)

Files = Mapping[str, bytes]
Checker = Callable[[Path, Mapping[Path, bytes]], object]
"""ConfigErrors for a configuration with these contents."""


class MistakesError(Exception):
    """A change that can't be: each mistake as `yizhan check` tells it, and by the JSON Pointer where it stands."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(str(error["detail"]) for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Now:
    """The files as they are: their names and contents, their tag, and all of them as one tree."""

    files: Files
    tag: str
    tree: dict[str, Any]


class Configuring:
    """`check`: whether a configuration would be taken up."""

    def __init__(self, context: ApiContext, check: Checker) -> None:
        self._context, self._check = context, check

    def now(self) -> Now:
        """503 where there are no files, or they can't be read."""
        home = self._home()
        try:
            with settled(home.path) as files_so_far:
                files: Files = home.read() if files_so_far is None else files_so_far
        except UnusableFileError as error:
            raise HTTPException(503, f"the configuration can't be read: {error}") from None
        return Now(files, tag_of(files), tree_of(files))

    def shown(self, now: Now, key: Key) -> dict[str, Any]:
        """What the key may see, without secrets."""
        newest = Versions(self._home()).newest()
        tree = hidden(now.tree)
        if not key.everywhere:
            tree = {"stations": [station for station in _stations(tree) if _covers(key, station)]}
        return {"version": newest.number if newest else 0, "config": tree, "files": sorted(now.files)}

    def difference(self, now: Now, changes: Sequence[ConfigChange], key: Key) -> str:
        """What the changes would do, line by line, without secrets."""
        return difference_text(now.files, self._after(now, changes, key), context=3 if key.everywhere else 0)

    def change(self, now: Now, changes: Sequence[ConfigChange], key: Key, why: str) -> dict[str, Any]:
        """Made, saved and taken up. MistakesError, ConflictError."""
        return self._saved(now, self._after(now, changes, key), key, why)

    def restore(self, now: Now, number: int, key: Key, why: str) -> dict[str, Any]:
        """The files of a version are the files again. MistakesError, ConflictError; 404 where there is none."""
        versions = Versions(self._home())
        try:
            files = versions.contents(versions.read(number))
        except MissingVersionError as error:
            raise HTTPException(404, f"{error}; GET /api/v1/config/versions lists them") from None
        self._judge(now, files, key)
        return self._saved(now, files, key, why or f"back to version {number}")

    def versions(self, limit: int) -> list[Version]:
        """The newest first; what was written by hand meanwhile is not among them yet."""
        versions = Versions(self._home())
        return [versions.read(number) for number in reversed(versions.numbers()[-limit:])]

    def _home(self) -> ConfigHome:
        path = self._context.running.path
        if path == Path():
            raise HTTPException(503, "this process runs without files of configuration; start it with --config PATH")
        return ConfigHome(path)

    def _after(self, now: Now, changes: Sequence[ConfigChange], key: Key) -> Files:
        """The files after the changes, if they may be so."""
        home = self._home()
        meant = [
            ConfigChange(
                change.op,
                change.path,
                kept(change.value, now.tree, change.path) if change.op == "replace" else change.value,
                change.file,
            )
            for change in changes
        ]
        try:
            files = changed(now.files, meant, new_files=home.path.is_dir())
        except EditError as error:
            raise MistakesError([told(error.pointer, str(error), error.what, error.mend)]) from None
        after = tree_of(files)
        outside = strangers(now.tree, after, home.folder)
        if outside:
            what, mend = "names a file outside the folder of the configuration", "name it in the file by hand"
            places = [pointer(by_name(after, path)) for path in outside]
            raise MistakesError([told(place, f"{place}: {what}; {mend}", what, mend) for place in places])
        self._judge(now, files, key)
        return files

    def _judge(self, now: Now, files: Files, key: Key) -> None:
        """403 where the key does not reach what differs; MistakesError where `yizhan check` would complain."""
        after = tree_of(files)
        if not key.everywhere and _beyond(key, now.tree) != _beyond(key, after):
            raise HTTPException(403, "this key is for some stations only, and the change concerns more than them")
        home = self._home()
        try:
            self._check(home.path, home.paths(files))
        except ConfigErrors as errors:
            raise MistakesError([mistake_told(mistake, after) for mistake in errors.mistakes]) from None

    def _saved(self, now: Now, files: Files, key: Key, why: str) -> dict[str, Any]:
        at = self._context.now()
        try:
            version = save(self._home(), files, now.tag, Author(key.name, at, why))
        except OSError as error:
            log.error("the configuration can't be saved: %s", error)
            raise HTTPException(503, f"the configuration's folder can't be written: {error.strerror}") from error
        self._context.keyring.book.note(at, key.name, "configuration_saved", f"version {version.number}", why)
        return {"version": version.number, **self._taken_up(key.name, why)}

    def _taken_up(self, who: str, why: str) -> dict[str, Any]:
        try:
            reloaded = self._context.running.reload(who, why)
        except NotReloadedError as error:
            return {"needs_restart": [], "trouble": str(error)}
        trouble = "; ".join(map(str, reloaded.mistakes)) or None
        return {"needs_restart": list(reloaded.needs_restart), "trouble": trouble}


def by_name(tree: Any, path: Iterable[str]) -> tuple[str, ...]:
    """A path by positions, as one by names."""
    named: list[str] = []
    for part in path:
        inner = None
        if isinstance(tree, list) and part.isdecimal() and int(part) < len(tree):
            inner = tree[int(part)]
            part = name_of(inner) or part
        elif isinstance(tree, dict):
            inner = tree.get(part)
        named.append(part)
        tree = inner
    return tuple(named)


def told(place: str, detail: str, what: str, mend: str) -> dict[str, Any]:
    """A mistake as an answer names it."""
    return {"in": "configuration", "name": place, "detail": detail, "what": what, "mend": mend}


def mistake_told(mistake: ConfigMistake, tree: Any) -> dict[str, Any]:
    """The same of one that `yizhan check` finds in this tree."""
    parts = mistake.key_path.split(".") if mistake.key_path else []
    place = pointer(by_name(tree, parts))
    return told(place, str(mistake), mistake.what, mistake.mend) | {
        "file": Path(mistake.file).name,
        "line": mistake.line,
    }


def _stations(tree: Mapping[str, Any]) -> list[Any]:
    stations = tree.get("stations")
    return stations if isinstance(stations, list) else []


def _covers(key: Key, station: Any) -> bool:
    if not isinstance(station, dict) or not isinstance(station.get("id"), str):
        return False
    region = station.get("region") or ()
    path = [region] if isinstance(region, str) else [name for name in region if isinstance(name, str)]
    return key.covers(station["id"], path)


def _beyond(key: Key, tree: Mapping[str, Any]) -> Any:
    """All that the key does not reach. An empty list of stations is none."""
    left = [station for station in _stations(tree) if not _covers(key, station)]
    return {**{name: value for name, value in tree.items() if name != "stations"}, "stations": left}
