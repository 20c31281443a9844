"""The commands of docs/zh/first-station.md and docs/en/first-station.md, as they stand in the pages."""

import re
import socket
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.docs.reading import DOCS
from tests.e2e.rig import free_port

PORTS = (8080, 1883)
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "=== end of step"


@dataclass(frozen=True, slots=True)
class Step:
    """What is typed, and what must be among what comes out."""

    commands: str
    shown: str


@dataclass(frozen=True, slots=True)
class Walk:
    """What each step wrote, and how long all took. `http` is the port of the pages."""

    outputs: tuple[str, ...]
    seconds: float
    http: int


def _taken(port: int) -> bool:
    with closing(socket.socket()) as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def steps(lang: str) -> list[Step]:
    told: list[Step] = []
    for kind, text in _BLOCK.findall((DOCS / lang / "first-station.md").read_text("utf-8")):
        if kind == "sh":
            told.append(Step(text, ""))
        else:
            told[-1] = Step(told[-1].commands, text.strip())
    return told


def walk(folder: Path, todo: list[Step], between: str = "") -> Walk:
    """In bash, in this folder, word for word; but for a port that somebody else has, which is another one then.

    `between`: what to run before the last step, with HTTP as the port of the pages.
    """
    swap = {port: free_port() if _taken(port) else port for port in PORTS}
    parts = ["set -e"]
    for number, step in enumerate(todo):
        if between and number == len(todo) - 1:
            parts.append(f"HTTP={swap[8080]}\n{between}")
        commands = step.commands
        for port, other in swap.items():
            commands = re.sub(rf"\b{port}\b", str(other), commands)
        parts += [commands, f"echo '{_END} {number}'"]
    begun = monotonic()
    done = subprocess.run(
        ["bash", "-c", "\n".join(parts)], cwd=folder, capture_output=True, text=True, check=False, timeout=560
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{_log(folder)}"
    return Walk(tuple(re.split(rf"{_END} \d+\n", done.stdout)), monotonic() - begun, swap[8080])


def _log(folder: Path) -> str:
    log = folder / "my.log"
    return log.read_text("utf-8") if log.exists() else ""
