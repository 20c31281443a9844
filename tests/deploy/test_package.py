"""The Debian package: what it says of itself, what is in it, and that it installs in a bare system without network."""

import re
import shutil
import subprocess
import sys
from email import message_from_string
from email.message import Message
from importlib.metadata import distribution
from pathlib import Path

import pytest

from api.commands import COMMANDS
from deploy.package import wheels, words
from deploy.package.licences import STATED, UnknownLicenceError, licence_of
from deploy.package.sbom import Component, document

ROOT = Path(__file__).parents[2]
ELF_MACHINE = {"amd64": 0x3E, "arm64": 0xB7}
LOCKED = sorted(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))


def metadata_of(name: str) -> Message:
    return message_from_string(distribution(name).read_text("METADATA") or "")


@pytest.mark.parametrize("name", LOCKED)
def test_every_locked_distribution_stands_under_a_licence_that_may_be_packed(name: str) -> None:
    metadata = metadata_of(name)
    assert licence_of(name, metadata)
    assert (name in STATED) == (metadata.get("License-Expression") is None), "STATED is for those that say none"


def test_a_licence_that_nobody_looked_at_is_not_packed() -> None:
    metadata = metadata_of("click")
    del metadata["License-Expression"]
    with pytest.raises(UnknownLicenceError, match="read its licence"):
        licence_of("click", metadata)
    metadata["License-Expression"] = "MIT AND AGPL-3.0-only"
    with pytest.raises(UnknownLicenceError, match="not among"):
        licence_of("click", metadata)


def test_the_list_of_parts_is_complete_and_the_same_each_time() -> None:
    parts = [Component("msgspec", "0.22.0", "BSD-3-Clause", ("ab", "cd"))]
    told = document("1.0.0", "arm64", "2026-11-29T00:00:00Z", parts)
    assert told == document("1.0.0", "arm64", "2026-11-29T00:00:00Z", parts)
    assert told["components"][0]["purl"] == "pkg:pypi/msgspec@0.22.0"
    assert told["dependencies"][0]["dependsOn"] == ["pkg:pypi/msgspec@0.22.0"]


def test_the_shell_completes_commands_actions_and_options(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(words.bash())

    def completed(*typed: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in typed)
        asked = f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(typed) - 1}; _yizhan; echo ${{COMPREPLY[@]}}"
        told = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout
        return set(told.split())

    assert completed("yizhan", "") >= set(COMMANDS)
    assert completed("yizhan", "keys", "") >= {"create", "list", "revoke"}
    assert completed("yizhan", "keys", "create", "--ro") == {"--role"}
    assert completed("yizhan", "up", "--h") == {"--help", "--house", "--http"}


def test_the_manual_page_has_every_command_and_is_sound() -> None:
    page = words.manual("1.0.0", "2026-11-29")
    for name in COMMANDS:
        assert re.search(rf"^\.B {name}$", page, re.MULTILINE), name
    groff = shutil.which("groff")
    if groff is not None:
        told = subprocess.run(
            [groff, "-k", "-Kutf-8", "-man", "-Tutf8", "-ww"],
            input=page,
            capture_output=True,
            text=True,
            check=True,
            errors="replace",
        )
        assert told.stderr == ""


def built(arch: str, dist: Path, version: str = "0.1.0") -> Path:
    subprocess.run(
        [sys.executable, "-m", "deploy.package.build", arch, "--dist", str(dist), "--version", version],
        cwd=ROOT, check=True,
    )  # fmt: skip
    return dist / f"yizhan_{version}_{arch}.deb"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dist")


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_every_program_of_a_package_is_for_its_machine_and_both_interpreters(arch: str, dist: Path) -> None:
    root = dist / arch
    subprocess.run(["dpkg-deb", "-x", built(arch, dist), root], check=True)
    heads = {
        path.relative_to(root).as_posix(): path.read_bytes()[:20]
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    modules = {name: head for name, head in heads.items() if head.startswith(b"\x7fELF")}
    assert {int.from_bytes(head[18:20], "little") for head in modules.values()} == {ELF_MACHINE[arch]}
    for python in wheels.PYTHONS:
        for name in ("msgspec/_core", "pydantic_core/_pydantic_core", "iotcore/iotcore", "yaml/_yaml"):
            assert any(f"{name}.cpython-{python}-" in path for path in modules), f"{name} for {python}"
    if shutil.which("lintian"):
        told = subprocess.run(
            ["lintian", "--fail-on", "error", str(dist / f"yizhan_0.1.0_{arch}.deb")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout


IN_THE_ROOT = """
set -e
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
ip link set lo up
# What others write when anything is installed (logs, lists of users and of packages) is not ours.
listed() {
    find / -xdev \\( -path /proc -o -path /dev -o -path /run -o -path /root -o -path /tmp -o -path /var/log \\
        -o -path /var/lib/dpkg -o -path /var/cache/debconf -o -path '/etc/*-' -o -path /etc/.pwd.lock \\) \\
        -prune -o -print | sort
}
listed >/root/before
began=$(date +%s)
dpkg -i /root/yizhan.deb
cd /
setpriv --reuid=yizhan --regid=yizhan --init-groups env HOME=/ YIZHAN_DATA=/var/lib/yizhan \\
    $(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/yizhan.service) >/root/log 2>&1 &
until curl -fso /dev/null http://127.0.0.1:8080/setup; do sleep 0.2; kill -0 $! || { cat /root/log; exit 1; }; done
echo "LIVE $(($(date +%s) - began))"
grep -q 'setup#' /root/log
kill $!; wait $! || true
/usr/bin/yizhan audit verify --config /etc/yizhan
man -l /usr/share/man/man1/yizhan.1.gz >/dev/null 2>&1 || true
dpkg -i /root/yizhan.deb
[ -x /var/cache/yizhan/before/bin/python3 ]
dpkg --purge yizhan
for path in /etc/yizhan /var/lib/yizhan /usr/lib/yizhan /usr/bin/yizhan /var/cache/yizhan; do
    [ ! -e $path ] || { echo "LEFT $path"; find $path | head; exit 1; }
done
! getent passwd yizhan
listed | diff /root/before - || { echo "LEFT as above"; exit 1; }
"""


@pytest.mark.slow
@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_it_installs_in_a_bare_system_without_network_and_leaves_nothing(
    release: str, dist: Path, tmp_path: Path
) -> None:
    """No init runs there: what the unit says is started by hand. A page is there within a minute on an idle machine."""
    if shutil.which("mmdebstrap") is None:
        pytest.skip("mmdebstrap is not installed")
    package = dist / "yizhan_0.1.0_amd64.deb"
    package = package if package.exists() else built("amd64", dist)
    needed = "python3,adduser,libstdc++6,init-system-helpers,curl,iproute2"
    root = tmp_path / release
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={needed}", release, str(root)], check=True
    )
    shutil.copy(package, root / "root/yizhan.deb")
    (root / "root/go.sh").write_text(IN_THE_ROOT)
    inside = f"mount -t proc proc {root}/proc && mount --bind /dev {root}/dev && chroot {root} bash /root/go.sh"
    told = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "bash", "-c", inside],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"^LIVE \d+$", told.stdout, re.MULTILINE)
    assert "the audit trail is whole" in told.stdout
