"""A measured figure, and how figures are shown: a table for people, JSON for machines."""

import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """`limit` is what must hold: at most, or at least with `least`; None where nothing was promised."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    least: bool = False

    @property
    def holds(self) -> bool | None:
        if self.limit is None:
            return None
        return self.value >= self.limit if self.least else self.value <= self.limit

    @property
    def promise(self) -> str:
        return "" if self.limit is None else f"{'≥' if self.least else '≤'} {number(self.limit)}"


def number(value: float) -> str:
    """Three digits that matter."""
    if value and abs(value) < 0.1:
        return f"{value:.3f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"


def table(figures: Iterable[Figure]) -> str:
    marks = {True: "holds", False: "FALLS SHORT", None: ""}
    rows = [(figure.name, number(figure.value), figure.unit, figure.promise, marks[figure.holds]) for figure in figures]
    head = ("figure", "measured", "unit", "must be", "")
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(5)]
    lines = []
    for row in (head, tuple("-" * width for width in widths), *rows):
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        cells[1] = row[1].rjust(widths[1])
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    broker = subprocess.run(["mosquitto", "-h"], capture_output=True, text=True, check=False).stdout.splitlines()
    return {
        "cpu": cpu.partition(":")[2].strip(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "paho": version("paho-mqtt"),
        "broker": broker[0] if broker else "mosquitto",
        "embedded_broker": f"iotcore {version('iotcore')}",
    }


def write(path: Path, figures: Iterable[Figure], about: dict[str, object]) -> None:
    path.parent.mkdir(exist_ok=True)
    told = {"machine": about, "figures": [{**asdict(figure), "holds": figure.holds} for figure in figures]}
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
