"""The house with one file more, as somebody has it who copied a template, and its own Python beside ours."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
ROOMS = ("config", "gateway", "firmware_bridge", "api")


@dataclass(frozen=True, slots=True)
class GrownHouse:
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder)}

    def yizhan(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return self._run([str(Path(sys.executable).with_name("yizhan")), *words], cwd)

    def python(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run([sys.executable, "-c", program, *words], self.folder)

    def _run(self, command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=PATIENCE_S, check=False
        )


def grown(folder: Path, template: str, name: str) -> GrownHouse:
    """`template` is copied to `name` beside it; nothing else changes. What Python has compiled comes along."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("data"))
    shutil.copy(folder / template, (folder / template).with_name(name))
    return GrownHouse(folder)
