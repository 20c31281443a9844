"""Programs that nobody here wrote, in an environment of their own: made from a lock when the first test wants it."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VENV = HERE / ".venv"
NODE = HERE / "node_modules"
PIP_S, NPM_S = 600, 300


def readers() -> Path:
    """The folder of their commands, `python` among them. Leaves the test out, and says so, where they can't be had."""
    lock = HERE / "requirements.lock"
    commands = [[sys.executable, "-m", "venv", "--clear", str(VENV)]]
    commands.append([str(VENV / "bin/pip"), "install", "--quiet", "--require-hashes", "-r", str(lock)])
    _made(VENV / ".installed", lock, commands, PIP_S)
    return VENV / "bin"


def node_readers() -> Path:
    """The folder that node finds its modules in."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("left out: there is no node with npm")
    lock = HERE / "package-lock.json"
    command = ["npm", "ci", "--silent", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=30000"]
    _made(NODE / ".installed", lock, [command], NPM_S)
    return NODE


def _made(mark: Path, lock: Path, commands: list[list[str]], patience_s: float) -> None:
    """One process at a time; a lock that is newer than what was made of it makes it anew."""
    handle = os.open(HERE, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if mark.exists() and mark.stat().st_mtime >= lock.stat().st_mtime:
            return
        for command in commands:
            done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=patience_s, check=False)
            if done.returncode != 0:
                pytest.skip(f"left out: {' '.join(command[:3])} failed: {done.stderr[-300:]}")
        mark.touch()
    finally:
        os.close(handle)
