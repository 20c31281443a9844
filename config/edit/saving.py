"""Saves a configuration: several files in one step, and as a numbered version.

The order is the promise. New contents are stored and staged beside the files; the files are compared with what the
change was made from; `pending.json` then names all that shall be, and from this moment on the new configuration holds:
whoever starts, reads or saves next finishes what a kill left undone. Before it the old one does.
"""

import contextlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.edit import whole
from config.edit.home import PENDING, ConfigHome, changing, digest, owned_like, tag_of, undisturbed
from config.edit.versions import BY_HAND, MissingVersionError, Version, Versions
from config.files import UnusableFileError, read_bytes, read_text
from config.yaml_file import MAX_BYTES

log = logging.getLogger(__name__)


class ConflictError(Exception):
    """The files are not any more what the change was made from. Nothing of it was written."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who, when (milliseconds since 1970) and why."""

    who: str
    at: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Pending:
    """What each file holds before and after, by its digest; None where there is none. `version`: the one it makes."""

    before: Mapping[str, str | None]
    after: Mapping[str, str | None]
    version: Version | None

    def encoded(self) -> bytes:
        version = None if self.version is None else asdict(self.version) | {"files": dict(self.version.files)}
        return json.dumps({"before": dict(self.before), "after": dict(self.after), "version": version}).encode()

    @classmethod
    def decoded(cls, text: str) -> "_Pending":
        data: dict[str, Any] = json.loads(text)
        version = data["version"]
        return cls(data["before"], data["after"], None if version is None else Version(**version))


def save(
    home: ConfigHome, files: Mapping[str, bytes], tag: str, author: Author, *, back_to: int | None = None
) -> Version:
    """Make these the files. `tag`: of the files that they were made from.

    ConflictError where the files are others by now. OSError, with nothing changed, where the disk or the rights do not
    allow it. Files that are the same already give no new version.
    """
    with changing(home):
        _finish(home)
        versions, current = Versions(home), home.read()
        if tag_of(current) != tag:
            raise ConflictError("the files have been changed meanwhile")
        newest = _noted(versions, current, Author(BY_HAND, author.at))
        if tag_of(files) == tag:
            return newest
        version = Version(
            newest.number + 1, author.at, author.who, author.why,
            {name: versions.keep(files[name]) for name in sorted(files)}, back_to,
        )  # fmt: skip
        names = [name for name in sorted({*files, *current}) if files.get(name) != current.get(name)]
        pending = _Pending(
            {name: newest.files.get(name) for name in names}, {name: version.files.get(name) for name in names}, version
        )
        _stage(home, files, current, names)
        try:
            if tag_of(home.read()) != tag:
                raise ConflictError("the files were changed at the same moment")
            _carry_out(home, versions, pending)
        finally:
            _swept(home)
        versions.thin()
        return version


def note(home: ConfigHome, author: Author) -> Version:
    """The newest version; made now of what somebody wrote by hand, if that is no version yet."""
    with changing(home):
        _finish(home)
        return _noted(Versions(home), home.read(), author)


def finish(home: ConfigHome) -> None:
    """Bring a save that was cut short to its end."""
    with changing(home):
        _finish(home)


@contextlib.contextmanager
def settled(path: Path) -> Iterator[dict[str, bytes] | None]:
    """Read the configuration's files within: no save of ours is half done meanwhile.

    None, but where a save was cut short that this process may not finish: then the files are what is given.
    """
    home = ConfigHome(path)
    for _ in range(2):
        with undisturbed(home) as over:
            if over:
                yield None
                return
        try:
            finish(home)
        except OSError as error:
            log.warning("%s: a save was cut short, and this process may not finish it: %s", path, error)
            break
    with undisturbed(home) as over:
        yield None if over else _as_finished(home)


def _as_finished(home: ConfigHome) -> dict[str, bytes] | None:
    """The files as a save that was cut short leaves them when it is finished; None where that can't be told."""
    try:
        pending = _Pending.decoded(read_text(home.versions / PENDING, PENDING, 4 << 20))
        files, versions = home.read(), Versions(home)
        for name, sha256 in pending.after.items():
            here = digest(files[name]) if name in files else None
            if here == pending.before[name] and sha256 is not None:
                files[name] = versions.content(sha256)
            elif here == pending.before[name]:
                files.pop(name, None)
    except (UnusableFileError, MissingVersionError, KeyError):
        return None
    return files


def _noted(versions: Versions, current: Mapping[str, bytes], author: Author) -> Version:
    newest = versions.newest()
    files = {name: digest(content) for name, content in current.items()}
    if newest is not None and dict(newest.files) == files:
        return newest
    for content in current.values():
        versions.keep(content)
    why = (author.why or "changed by hand") if newest is not None else "as it was found"
    noted = Version(newest.number + 1 if newest is not None else 1, author.at, author.who, why, files)
    versions.write(noted)
    return noted


def _stage(home: ConfigHome, files: Mapping[str, bytes], current: Mapping[str, bytes], names: list[str]) -> None:
    """All that can fail for want of room or rights fails here."""
    try:
        for name in names:
            if name in files:
                target = home.target(name)
                whole.stage(target, files[name], _like(home, name, current))
    except OSError:
        _swept(home)
        raise


def _like(home: ConfigHome, name: str, current: Mapping[str, bytes]) -> Path:
    """The file whose owner and mode a file gets: its own, or for a new one its neighbour, or the folder."""
    neighbour = name if name in current else next(iter(current), None)
    return home.folder if neighbour is None else home.target(neighbour)


def _carry_out(home: ConfigHome, versions: Versions, pending: _Pending) -> None:
    """From the first line on the new configuration holds."""
    _write_pending(home, pending)
    done: list[str] = []
    for name, sha256 in pending.after.items():
        if _digest(home.target(name)) != pending.before[name]:
            _take_back(home, versions, pending, done)
            raise ConflictError(f"{name} was changed at the same moment")
        _put(home, versions, name, sha256)
        done.append(name)
    _conclude(home, versions, pending)


def _take_back(home: ConfigHome, versions: Versions, pending: _Pending, done: list[str]) -> None:
    """What was put already goes back; what somebody wrote by hand stays."""
    back = _Pending({name: pending.after[name] for name in done}, {name: pending.before[name] for name in done}, None)
    _write_pending(home, back)
    for name, sha256 in back.after.items():
        if _digest(home.target(name)) == back.before[name]:
            _put(home, versions, name, sha256)
    _conclude(home, versions, back)


def _finish(home: ConfigHome) -> None:
    """Go on where a save was cut short."""
    try:
        text = read_text(home.versions / PENDING, PENDING, 4 << 20)
    except UnusableFileError:
        _swept(home)
        return
    pending, versions = _Pending.decoded(text), Versions(home)
    for name, sha256 in pending.after.items():
        here = _digest(home.target(name))
        if here == pending.before[name] != sha256:
            _put(home, versions, name, sha256)
        elif here != sha256:
            log.warning("%s was changed by hand after a save of it was cut short: it stays as it is", name)
    _conclude(home, versions, pending)
    _swept(home)
    log.info("%s: a save that was cut short is finished", home.path)


def _put(home: ConfigHome, versions: Versions, name: str, sha256: str | None) -> None:
    target = home.target(name)
    if sha256 is None:
        target.unlink()
    else:
        if _digest(whole.staged(target)) != sha256:
            whole.stage(target, versions.content(sha256), _like(home, name, home.read()))
        os.replace(whole.staged(target), target)  # noqa: PTH105  the step that counts
    whole.flush(target.parent)


def _conclude(home: ConfigHome, versions: Versions, pending: _Pending) -> None:
    if pending.version is not None:
        versions.write(pending.version)
    (home.versions / PENDING).unlink()
    whole.flush(home.versions)


def _write_pending(home: ConfigHome, pending: _Pending) -> None:
    path = home.versions / PENDING
    whole.replace(path, pending.encoded())
    owned_like(path, home.versions)


def _swept(home: ConfigHome) -> None:
    """Nothing that was staged is left behind."""
    left = list(home.versions.glob(f".*{whole.STAGED}"))
    if home.path.is_dir():
        folders = {home.folder, *(home.target(path.name).parent for path in home.folder.glob("*.yaml"))}
        left += [path for folder in folders for path in folder.glob(f".*{whole.STAGED}")]
    else:  # the folder may be that of other configurations, too
        left.append(whole.staged(home.target(home.path.name)))
    for path in left:
        with contextlib.suppress(OSError):
            path.unlink()


def _digest(path: Path) -> str | None:
    """None where there is no file."""
    try:
        return digest(read_bytes(path, path.name, MAX_BYTES))
    except UnusableFileError as problem:
        if problem.missing:
            return None
        raise
