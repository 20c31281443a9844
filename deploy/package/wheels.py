"""The wheels of the lock for a machine, in one tree: for every interpreter of `PYTHONS` at once.

A compiled module carries its interpreter in its name (`_core.cpython-311-x86_64-linux-gnu.so`), and all else of a wheel
is the same for each, which is checked. So one package serves Debian 12 and 13.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

PYTHONS = ("311", "313")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBC = ("_2_17", "_2_24", "_2_26", "_2_27", "_2_28", "_2_31", "_2_34", "_2_35", "_2_36")  # Debian 12 has 2.36
NOT_RUN = ("setuptools",)  # builds, and runs nothing
LEFT_OUT = (".data/", "/tests/", "/.gitignore")  # manual pages and tests of others
DIFFERS = ("/RECORD", "/WHEEL", ".cyclonedx.json")  # tells for which interpreter a wheel was made


class DifferentFileError(Exception):
    """Two wheels of one version have a file of the same name and other bytes."""


def fetch(lock: Path, folder: Path, arch: str) -> list[Path]:
    """Download what is missing, each file as the lock's hashes have it; all wheels, the interpreters in turn."""
    machine, digest = MACHINES[arch], hashlib.sha256(lock.read_bytes()).hexdigest()
    platforms = [f"--platform=manylinux{manylinux}_{machine}" for manylinux in ("2014", *GLIBC)]
    wheels = []
    for python in PYTHONS:
        target = folder / f"{python}-{machine}"
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:",
            "--implementation=cp", f"--python-version={python}", f"--abi=cp{python}", "--abi=abi3", "--abi=none",
            *platforms, "--dest", str(target), "-r", str(lock),
        ]  # fmt: skip
        whole = target / f".{digest}"  # all of this lock is there
        if not whole.exists():
            shutil.rmtree(target, ignore_errors=True)
            subprocess.run(command, check=True)
            whole.touch()
        wheels += [path for path in sorted(target.glob("*.whl")) if path.name.split("-")[0] not in NOT_RUN]
    return wheels


def unpack(wheels: list[Path], tree: Path) -> None:
    """All of them into one tree. DifferentFileError where that can't be."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for item in archive.infolist():
                if not item.is_dir() and not any(part in item.filename for part in LEFT_OUT):
                    _put(tree / item.filename, archive.read(item), wheel)


def _put(path: Path, content: bytes, wheel: Path) -> None:
    if path.exists():
        if path.read_bytes() != content and not path.as_posix().endswith(DIFFERS):
            raise DifferentFileError(f"{wheel.name}: {path} is another in the wheel of another interpreter")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
