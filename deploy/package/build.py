"""Build `dist/yizhan_{version}_{arch}.deb`: our own environment in /usr/lib/yizhan, nothing fetched when installing.

The environment is a venv in form, for the python3 of Debian 12 (3.11) and of Debian 13 (3.13) alike: each finds its
compiled modules in one tree (`wheels`). The same sources give the same bytes: times are those of the last commit.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from deploy.package import sbom, wheels, words
from gateway.base.folder_lock import alone_in

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
UNITS = ("yizhan.service", "yizhan-gateway.service", "yizhan-api.service", "yizhan-bridge.service")
SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "triggers")
PREFIX = "usr/lib/yizhan"
LAUNCHER = """\
#!/bin/sh
# The version before runs while the one that is installed did not start: see /usr/lib/yizhan/upgrade.
home=/usr/lib/yizhan
[ ! -e /var/cache/yizhan/before/in-use ] || home=/var/cache/yizhan/before
exec "$home/bin/python3" -I -m api.cli "$@"
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arch", nargs="*", choices=[[], *wheels.MACHINES], help="default: amd64 and arm64")
    parser.add_argument("--version", help="default: that of pyproject.toml")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    args = parser.parse_args()
    version = args.version or tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    for arch in args.arch or wheels.MACHINES:
        sys.stdout.write(f"{built(version, arch, args.dist)}\n")
    return 0


def built(version: str, arch: str, dist: Path) -> Path:
    """The path of the package. One build at a time: they share the folders below build/."""
    builds = ROOT / "build"
    builds.mkdir(exist_ok=True)
    with alone_in(builds):
        return _built(version, arch, dist)


def _built(version: str, arch: str, dist: Path) -> Path:
    epoch = commit_time()
    work = ROOT / "build/package" / arch
    shutil.rmtree(work, ignore_errors=True)
    stage, tree = work / "root", work / "root" / PREFIX / "lib/site-packages"
    packed = wheels.fetch(ROOT / "requirements.lock", ROOT / "build/wheels", arch)
    wheels.unpack([*packed, _own_wheel(work, version, epoch)], tree)
    _environment(stage)
    _files(stage, version, epoch)
    made = f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%dT%H:%M:%SZ}"
    parts = sbom.components(packed)
    doc = stage / "usr/share/doc/yizhan"
    _write(doc / "copyright", sbom.copyright_file(parts))
    bom = json.dumps(sbom.document(version, arch, made, parts), indent=1) + "\n"
    _write(doc / "sbom.cdx.json", bom)
    _control(stage, version, arch)
    _settle(stage, epoch)
    dist.mkdir(exist_ok=True)
    (dist / f"yizhan_{version}_{arch}.cdx.json").write_text(bom, "utf-8")
    target = dist / f"yizhan_{version}_{arch}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(stage), str(target)],
        check=True, stdout=subprocess.DEVNULL, env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch)},
    )  # fmt: skip
    return target


def commit_time() -> int:
    told = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(told.stdout.strip() or 0) or 1_700_000_000


def _own_wheel(work: Path, version: str, epoch: int) -> Path:
    """Of the tracked sources, copied, so that nothing of a work tree gets in."""
    source = work / "source"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    packed = {"api", "config", "gateway", "firmware_bridge", "pyproject.toml", "README.md", "LICENSE"}
    for name in (name for name in names.split("\0") if name.split("/")[0] in packed and (ROOT / name).is_file()):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    project = (source / "pyproject.toml").read_text("utf-8")
    own = tomllib.loads(project)["project"]["version"]
    (source / "pyproject.toml").write_text(project.replace(f'version = "{own}"', f'version = "{version}"', 1), "utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(work),
        str(source),
    ]
    subprocess.run(command, check=True, env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch)})
    return next(work.glob("yizhan-*.whl"))


def _environment(stage: Path) -> None:
    """What makes a folder a venv, for each interpreter."""
    prefix = stage / PREFIX
    _write(prefix / "pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n")
    (prefix / "bin").mkdir()
    (prefix / "bin/python3").symlink_to("/usr/bin/python3")
    for python in wheels.PYTHONS:
        folder = prefix / "lib" / f"python3.{python[1:]}"
        folder.mkdir()
        (folder / "site-packages").symlink_to("../site-packages")
    _write(stage / "usr/bin/yizhan", LAUNCHER, 0o755)


def _files(stage: Path, version: str, epoch: int) -> None:
    share, systemd = stage / "usr/share", stage / "usr/lib/systemd/system"
    for unit in UNITS:
        _write(systemd / unit, (ROOT / "deploy" / unit).read_text("utf-8"))
    _write(stage / "usr/lib/udev/rules.d/60-yizhan-serial.rules", (HERE / "60-yizhan-serial.rules").read_text("utf-8"))
    _write(stage / PREFIX / "upgrade", (HERE / "upgrade.sh").read_text("utf-8"), 0o755)
    _write(share / "bash-completion/completions/yizhan", words.bash())
    _write(share / "zsh/vendor-completions/_yizhan", words.zsh())
    day = f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d}"
    _packed(share / "man/man1/yizhan.1.gz", words.manual(version, day))
    when = f"{datetime.fromtimestamp(epoch, UTC):%a, %d %b %Y %H:%M:%S +0000}"
    change = f"yizhan ({version}) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- {_maintainer()}  {when}\n"
    _packed(share / "doc/yizhan/changelog.gz", change)
    for name in ("example.yaml", "schema.json"):
        _write(share / "doc/yizhan/examples" / name, (ROOT / "config" / name).read_text("utf-8"))
    for name in ("mosquitto.conf", "mosquitto.acl"):
        _write(share / "doc/yizhan/examples" / name, (ROOT / "deploy" / name).read_text("utf-8"))
    _write(share / "lintian/overrides/yizhan", (HERE / "lintian-overrides").read_text("utf-8"))


def _maintainer() -> str:
    text = (HERE / "control").read_text("utf-8")
    return next(line.split(": ", 1)[1] for line in text.splitlines() if line.startswith("Maintainer: "))


def _control(stage: Path, version: str, arch: str) -> None:
    control = stage / "DEBIAN"
    size = sum(path.stat().st_size for path in stage.rglob("*") if path.is_file() and not path.is_symlink()) // 1024
    text = (HERE / "control").read_text("utf-8")
    _write(control / "control", text.format(version=version, arch=arch, size=size))
    for name in SCRIPTS:
        _write(control / name, (HERE / name).read_text("utf-8"), 0o644 if name == "triggers" else 0o755)
    sums = subprocess.run(
        "find . -type f ! -path './DEBIAN/*' -printf '%P\\0' | sort -z | xargs -0 md5sum",
        shell=True, cwd=stage, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    _write(control / "md5sums", sums)


def _settle(stage: Path, epoch: int) -> None:
    """Rights that do not depend on the umask, and times that do not depend on the day."""
    for path in [stage, *sorted(stage.rglob("*"))]:
        if path.is_symlink():
            pass
        elif path.is_dir():
            path.chmod(0o755)
        elif not path.stat().st_mode & 0o100:
            path.chmod(0o644)
        else:
            path.chmod(0o755)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)


def _packed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    sys.exit(main())
