"""A repository for apt in a folder: a suite for each ring, its index signed by a key of the owner's gpg.

    pool/yizhan_1.1.0_amd64.deb
    dists/ring0/InRelease, Release, Release.gpg, main/binary-amd64/Packages(.gz), …/by-hash/SHA256/…

Any web server serves it as it lies. A change is made beside and the signed index comes last, so a box that asks in
between has what was there before.
"""

import filecmp
import gzip
import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.files import LIST_BYTES, read_bytes, read_text
from config.rings import RINGS
from gateway.model import Millis

ARCHITECTURES = ("amd64", "arm64")
VERSION = re.compile(r"[0-9A-Za-z.+:~-]{1,100}")
"""As Debian writes them: it becomes part of a file's name."""
KEPT_INDICES = 3
"""Indices by digest that stay, of each suite and machine, for boxes that began before the last change."""


class RepositoryError(Exception):
    """What can't be done, in one line, with its mend."""


@dataclass(frozen=True, slots=True)
class PackageEntry:
    """A paragraph of an index."""

    version: str
    architecture: str
    text: str


class AptRepository:
    """`key`: the fingerprint or address by which gpg knows the owner's key."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key

    def add(self, package: Path, now: Millis) -> PackageEntry:
        """Into the pool and the first ring. RepositoryError, OSError."""
        entry = _entry_of(package)
        target = self._folder / "pool" / _name_of(entry)
        _folder(target.parent)
        if target.exists() and not filecmp.cmp(target, package, shallow=False):
            raise RepositoryError(f"{target.name} is there with other content: a version is published once")
        if not target.exists():
            shutil.copyfile(package, target.with_suffix(".part"))
            target.with_suffix(".part").chmod(0o644)
            target.with_suffix(".part").rename(target)
        self._put(RINGS[0], [entry], now)
        return entry

    def promote(self, version: str, source: str, target: str, now: Millis) -> list[PackageEntry]:
        """What the suite `source` has of this version into `target`. RepositoryError, OSError."""
        entries = [entry for entry in self.entries(source) if entry.version == version]
        if not entries:
            raise RepositoryError(f"{source} has no {version}; `yizhan rollout status` tells what it has")
        self._put(target, entries, now)
        return entries

    def entries(self, suite: str) -> list[PackageEntry]:
        """The packages of a suite, the oldest first."""
        entries = []
        for arch in ARCHITECTURES:
            path = self._index(suite, arch)
            if path.exists():
                entries += [
                    _read(text)
                    for text in read_text(path, "the index of the repository", LIST_BYTES).split("\n\n")
                    if text.strip()
                ]
        return entries

    # ---- parts of it ----

    def _index(self, suite: str, arch: str) -> Path:
        return self._folder / "dists" / suite / f"main/binary-{arch}/Packages"

    def _put(self, suite: str, entries: Sequence[PackageEntry], now: Millis) -> None:
        news = {(entry.version, entry.architecture) for entry in entries}
        kept = [entry for entry in self.entries(suite) if (entry.version, entry.architecture) not in news]
        sums: dict[str, bytes] = {}
        for arch in ARCHITECTURES:
            whole = "\n\n".join(entry.text for entry in [*kept, *entries] if entry.architecture == arch)
            plain = f"{whole}\n\n".encode() if whole else b""
            for name, content in (("Packages", plain), ("Packages.gz", gzip.compress(plain, 9, mtime=0))):
                path = self._index(suite, arch).with_name(name)
                _write(path.parent / "by-hash/SHA256" / hashlib.sha256(content).hexdigest(), content)
                _write(path, content)
                _forget_old(path.parent / "by-hash/SHA256")
                sums[f"main/binary-{arch}/{name}"] = content
        self._sign(self._folder / "dists" / suite, _release(suite, sums, now))

    def _sign(self, folder: Path, text: str) -> None:
        """The signature comes to its place last."""
        release = folder / "Release"
        _write(release, text.encode())
        for how, name in (("--clearsign", "InRelease"), ("--detach-sign", "Release.gpg")):
            part = folder / f"{name}.part"
            command = ["gpg", "--batch", "--yes", "--armor", "--local-user", self._key, how, "--output", str(part)]
            try:
                done = subprocess.run([*command, str(release)], capture_output=True, text=True, check=False)  # noqa: S603
            except FileNotFoundError:
                raise RepositoryError("gpg is not here: apt-get install gnupg") from None
            if done.returncode != 0:
                why = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
                raise RepositoryError(f"gpg does not sign with {self._key}: {why[0]}")
            part.chmod(0o644)
            part.replace(folder / name)


def _entry_of(package: Path) -> PackageEntry:
    try:
        command = ["dpkg-deb", "-f", str(package)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise RepositoryError("dpkg-deb is not here: packages are published on a Debian") from None
    if told.returncode != 0:
        raise RepositoryError(f"{package} is no Debian package")
    entry = _read(told.stdout)
    content = read_bytes(package, "package", 1 << 30)
    more = {
        "Filename": f"pool/{_name_of(entry)}", "Size": str(len(content)), "SHA256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    lines = "\n".join(f"{name}: {value}" for name, value in more.items())
    return PackageEntry(entry.version, entry.architecture, f"{entry.text}\n{lines}")


def _read(text: str) -> PackageEntry:
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith(" "))
    if fields.get("Package") != "yizhan" or fields.get("Architecture") not in ARCHITECTURES:
        raise RepositoryError(
            f"{fields.get('Package', 'this')} for {fields.get('Architecture')} is not ours to publish"
        )
    version = fields.get("Version", "")
    if VERSION.fullmatch(version) is None:
        raise RepositoryError(f"{version[:100]!r} is no version of a package")
    return PackageEntry(version, fields["Architecture"], text.strip("\n"))


def _name_of(entry: PackageEntry) -> str:
    return f"yizhan_{entry.version}_{entry.architecture}.deb"


def _release(suite: str, sums: Mapping[str, bytes], now: Millis) -> str:
    rows = "".join(
        f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n" for name, content in sorted(sums.items())
    )
    return (
        f"Origin: yizhan\nLabel: yizhan\nSuite: {suite}\nCodename: {suite}\n"
        f"Date: {datetime.fromtimestamp(now / 1000, UTC):%a, %d %b %Y %H:%M:%S} UTC\n"
        f"Acquire-By-Hash: yes\nArchitectures: {' '.join(ARCHITECTURES)}\nComponents: main\nSHA256:\n{rows}"
    )


def _folder(path: Path) -> None:
    """There, and for a web server to enter, whatever the umask is."""
    if not path.is_dir():
        _folder(path.parent)
        path.mkdir()
        path.chmod(0o755)


def _write(path: Path, content: bytes) -> None:
    _folder(path.parent)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.chmod(0o644)
    part.replace(path)


def _forget_old(folder: Path) -> None:
    """Remove all but the newest indices, of which each is there plain and packed."""
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)[: -2 * KEPT_INDICES]:
        path.unlink()
