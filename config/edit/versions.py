"""The numbered versions of a configuration: plain files beside it, readable with `cat` and `zcat`.

`000042.json` says who, when, why, and the digest of each file; `{sha256}.gz` holds each content once. Numbers are never
used twice. Secrets stand in files of their own and are in no version; what stands in the YAML itself is.
"""

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from config.edit.home import ConfigHome, digest, owned_like
from config.edit.whole import replace
from config.files import UnusableFileError, read_bytes, read_text
from config.yaml_file import MAX_BYTES

MOST = 1000
"""Versions kept; with more the oldest go."""
BY_HAND = "by hand"
_NAME = re.compile(r"([0-9]{6,})\.json")
_MILLIS = int  # since 1970


@dataclass(frozen=True, slots=True)
class Version:
    """`at` in milliseconds since 1970. `files`: the sha256 of each. `back_to`: an undo went back to this one."""

    number: int
    at: int
    who: str
    why: str
    files: Mapping[str, str]
    back_to: int | None = None


class MissingVersionError(LookupError):
    """There is no such version, or what it held can't be read any more."""


class Versions:
    """Reading is free; writing is for who holds `home.changing`."""

    def __init__(self, home: ConfigHome) -> None:
        self._home, self._folder = home, home.versions

    def numbers(self) -> list[int]:
        """In order. None where there is no folder yet, or it may not be looked into."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except OSError:
            return []
        return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)

    def read(self, number: int) -> Version:
        """MissingVersionError where there is none."""
        try:
            return Version(**json.loads(read_text(self._path(number), "version", 4 << 20)))
        except (UnusableFileError, ValueError, TypeError):
            raise MissingVersionError(f"there is no version {number}") from None

    def newest(self) -> Version | None:
        numbers = self.numbers()
        return self.read(numbers[-1]) if numbers else None

    def before(self, number: int) -> Version | None:
        """The one before it."""
        older = [kept for kept in self.numbers() if kept < number]
        return self.read(older[-1]) if older else None

    def contents(self, version: Version) -> dict[str, bytes]:
        """Every file as it was, to the byte. MissingVersionError where a content is damaged."""
        return {name: self.content(sha256) for name, sha256 in version.files.items()}

    def content(self, sha256: str) -> bytes:
        try:
            content = gzip.decompress(read_bytes(self._folder / f"{sha256}.gz", "version", 2 * MAX_BYTES))
        except (UnusableFileError, OSError, EOFError) as error:
            raise MissingVersionError(f"a content of a version can't be read: {error}") from None
        if digest(content) != sha256:
            raise MissingVersionError(f"the content {sha256[:12]} of a version is damaged")
        return content

    def keep(self, content: bytes) -> str:
        """Store a content, once; its sha256."""
        sha256 = digest(content)
        path = self._folder / f"{sha256}.gz"
        if not path.exists():
            self._write(path, gzip.compress(content, 6, mtime=0))
        return sha256

    def write(self, version: Version) -> None:
        text = json.dumps(asdict(version) | {"files": dict(version.files)}, ensure_ascii=False, indent=1)
        self._write(self._path(version.number), text.encode())

    def thin(self) -> None:
        """Drop the oldest beyond MOST, and the contents that none of the others holds."""
        numbers = self.numbers()
        if len(numbers) <= MOST:
            return
        for number in numbers[:-MOST]:
            self._path(number).unlink()
        held = {sha256 for number in numbers[-MOST:] for sha256 in self.read(number).files.values()}
        for path in self._folder.glob("*.gz"):
            if path.stem not in held:
                path.unlink()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.json"

    def _write(self, path: Path, content: bytes) -> None:
        replace(path, content)
        owned_like(path, self._folder)


def newest_version(path: Path) -> int | None:
    """The number of the newest version of a file or folder; None before there is one."""
    return next(reversed(Versions(ConfigHome(path)).numbers()), None)
