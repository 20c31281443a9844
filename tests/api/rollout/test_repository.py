"""The repository as Debian's own apt reads it: signed by the owner's key, ring by ring, and nothing else is taken."""

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.access_book import AccessBook
from api.cli import main
from api.rollout.repository import AptRepository, RepositoryError, _read
from config.rings import ring_of
from gateway.base.clock import now_ms
from gateway.base.times import rfc3339
from gateway.live.box_lines import BoxLine, BoxWord
from tests.api.test_boxes import put

pytestmark = pytest.mark.skipif(
    None in (shutil.which("gpg"), shutil.which("apt-get"), shutil.which("dpkg-deb")), reason="needs gpg and apt"
)
NOON = 1_795_262_400_000
KEY = "releases@yizhan.test"
HOUR = 3_600_000


@pytest.fixture(scope="module")
def gnupg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An owner's key, and its public part beside it as apt wants it."""
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    words = ["--passphrase", "", "--pinentry-mode", "loopback", "--quick-generate-key", KEY, "ed25519", "sign", "never"]
    subprocess.run([*gpg, *words], check=True, capture_output=True)
    subprocess.run([*gpg, "--armor", "--export", "--output", str(home / "yizhan.asc"), KEY], check=True)
    return home


@pytest.fixture(autouse=True)
def home(gnupg: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GNUPGHOME", str(gnupg))
    yield
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=False, capture_output=True)


def package(folder: Path, version: str, arch: str = "amd64", name: str = "yizhan") -> Path:
    root = folder / f"{name}-{version}-{arch}"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN").chmod(0o755)  # a command in this process may have left its umask
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: x <x@yizhan.test>\n"
        "Description: what is free\n right now\n .\n and how we know\n"
    )
    target = folder / f"{name}_{version}_{arch}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, target], check=True, capture_output=True)
    return target


class Machine:
    """An apt of its own, that knows this repository alone."""

    def __init__(self, folder: Path, repository: Path, ring: str, keyring: Path) -> None:
        for made in ("lists/partial", "cache/archives/partial", "etc"):
            (folder / made).mkdir(parents=True)
        (folder / "status").touch()
        lines = f"Types: deb\nURIs: file:{repository}\nSuites: {ring}\nComponents: main\nSigned-By: {keyring}\n"
        (folder / "etc/yizhan.sources").write_text(lines)
        self._settings = [
            f"-oDir::State={folder}", f"-oDir::State::status={folder}/status", f"-oDir::State::lists={folder}/lists",
            f"-oDir::Cache={folder}/cache", "-oDir::Etc::sourcelist=/dev/null", f"-oDir::Etc::sourceparts={folder}/etc",
            "-oDir::Etc::trustedparts=/dev/null", "-oAPT::Architecture=amd64", "-oAPT::Architectures::=amd64",
            "-oAPT::Sandbox::User=root",
        ]  # fmt: skip

    def update(self) -> tuple[int, str]:
        command = ["apt-get", *self._settings, "-oAPT::Update::Error-Mode=any", "update"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def versions(self) -> list[str]:
        command = ["apt-cache", *self._settings, "madison", "yizhan"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return [line.split("|")[1].strip() for line in told.splitlines()]


@pytest.fixture
def repository(tmp_path: Path) -> AptRepository:
    return AptRepository(tmp_path / "apt", KEY)


def test_a_version_comes_to_each_ring_when_it_is_promoted(
    repository: AptRepository, tmp_path: Path, gnupg: Path
) -> None:
    for version in ("1.0.0", "1.1.0"):
        for arch in ("amd64", "arm64"):
            repository.add(package(tmp_path, version, arch), NOON)
    repository.promote("1.0.0", "ring0", "ring1", NOON)
    first = Machine(tmp_path / "first", tmp_path / "apt", "ring0", gnupg / "yizhan.asc")
    second = Machine(tmp_path / "second", tmp_path / "apt", "ring1", gnupg / "yizhan.asc")
    for machine in (first, second):
        status, said = machine.update()
        assert status == 0, said
    assert (first.versions(), second.versions()) == (["1.1.0", "1.0.0"], ["1.0.0"])
    repository.promote("1.1.0", "ring0", "ring1", NOON)
    assert second.update()[0] == 0
    assert second.versions() == ["1.1.0", "1.0.0"]
    with pytest.raises(RepositoryError, match=r"ring0 has no 2\.0\.0"):
        repository.promote("2.0.0", "ring0", "ring1", NOON)


def test_an_index_that_was_changed_or_is_signed_by_another_is_not_taken(
    repository: AptRepository, tmp_path: Path, gnupg: Path
) -> None:
    repository.add(package(tmp_path, "1.0.0"), NOON)
    index = tmp_path / "apt/dists/ring0/main/binary-amd64/Packages"
    changed = index.read_text().replace("what is free", "what is not!")
    for path, content in ((index, changed.encode()), (index.with_name("Packages.gz"), gzip.compress(changed.encode()))):
        path.write_bytes(content)
        for kept in (path.parent / "by-hash/SHA256").iterdir():
            kept.write_bytes(content)
    machine = Machine(tmp_path / "machine", tmp_path / "apt", "ring0", gnupg / "yizhan.asc")
    assert machine.update()[0] != 0
    assert machine.versions() == []
    release = tmp_path / "apt/dists/ring0/InRelease"
    release.write_text(release.read_text().replace("Suite: ring0", "Suite: ring9"))
    (tmp_path / "apt/dists/ring0/Release.gpg").unlink()
    assert Machine(tmp_path / "third", tmp_path / "apt", "ring0", gnupg / "yizhan.asc").update()[0] != 0


def test_a_version_is_published_once(repository: AptRepository, tmp_path: Path) -> None:
    repository.add(package(tmp_path, "1.0.0"), NOON)
    (tmp_path / "again").mkdir()
    other = package(tmp_path / "again", "1.0.0")
    other.write_bytes(other.read_bytes() + b"\n")
    with pytest.raises(RepositoryError, match="published once"):
        repository.add(other, NOON)
    with pytest.raises(RepositoryError, match="not ours"):
        repository.add(package(tmp_path, "1.0.0", name="other"), NOON)
    with pytest.raises(RepositoryError, match="no Debian package"):
        repository.add(tmp_path / "apt/dists/ring0/Release", NOON)


@pytest.mark.parametrize("version", ["1/../../../outside", "../1", "1.0 0", ""])
def test_a_version_leads_to_no_other_folder(version: str) -> None:
    told = f"Package: yizhan\nVersion: {version}\nArchitecture: amd64\n"
    with pytest.raises(RepositoryError, match="no version of a package"):
        _read(told)


def test_a_key_that_gpg_does_not_know_is_told(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match=r"gpg does not sign with nobody@yizhan\.test"):
        AptRepository(tmp_path / "apt", "nobody@yizhan.test").add(package(tmp_path, "1.0.0"), NOON)


# ---- the command ----


def centre(folder: Path, **more: Any) -> Path:
    """A centre with one box in the first ring."""
    now = now_ms()
    told: dict[str, Any] = {"version": "1.1.0", "since": rfc3339(now - 30 * HOUR), "ring": "ring0"} | more
    (folder / "centre.yaml").write_text("store: {path: data, ballast_mib: 0}\nstations: []\n")
    put(folder / "data", [BoxLine("box-1", True, now, now, BoxWord("box-1", "online", **told), 0, [])])
    return folder / "centre.yaml"


def promote(folder: Path, config: Path, *more: str) -> int:
    of = ["--repository", str(folder / "apt"), "--key", KEY]
    return main(["rollout", "promote", "1.1.0", "--to", "ring1", "--config", str(config), *of, *more])


def test_the_command_publishes_promotes_and_leaves_its_line_in_the_trail(
    tmp_path: Path, repository: AptRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    config = centre(tmp_path)
    of = ["--repository", str(tmp_path / "apt"), "--key", KEY]
    assert main(["rollout", "add", str(package(tmp_path, "1.1.0")), *of]) == 0
    assert main(["rollout", "status", "--config", str(config)]) == 0
    assert "ring0    box-1                    1.1.0        up" in capsys.readouterr().out
    assert promote(tmp_path, config) == 0
    assert [entry.version for entry in repository.entries("ring1")] == ["1.1.0"]
    assert all(path.stat().st_mode & 0o004 for path in (tmp_path / "apt").rglob("*")), "a web server may read all of it"
    (line,) = [line for line in AccessBook(tmp_path / "data").lines(9) if line.what == "version_promoted"]
    assert (line.target, line.detail) == ("1.1.0", "to ring1")


def test_it_refuses_while_a_box_took_the_version_back(
    tmp_path: Path, repository: AptRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    config = centre(tmp_path, version="1.0.0", upgrade="rolled_back", upgrade_version="1.1.0")
    repository.add(package(tmp_path, "1.1.0"), NOON)
    assert promote(tmp_path, config) == 1
    assert "box-1 took 1.1.0 back and runs 1.0.0" in capsys.readouterr().err
    assert repository.entries("ring1") == []


def test_a_box_is_told_which_lines_apt_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "box.yaml").write_text("uplink: {url: 'mqtts://centre', id: box-7}\nstations: []\n")
    words = ["rollout", "sources", "--config", str(tmp_path / "box.yaml"), "--url", "https://centre.example/apt"]
    assert main(words) == 0
    assert f"Suites: {ring_of('box-7')}\n" in capsys.readouterr().out
    (tmp_path / "box.yaml").write_text("uplink: {url: 'mqtts://centre', id: box-7, ring: ring1}\nstations: []\n")
    assert main(words) == 0
    assert "Suites: ring1\n" in capsys.readouterr().out
