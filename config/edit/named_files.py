"""Which files a configuration names. What is clicked may name those beside the configuration; others are for who has an
account on the machine: a file that this program may read would else be anybody's who has got a session."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.edit.words import Parts

_KEYS = ("floor_plan", "map", "path")


def named_files(data: Any, path: Parts = (), key: str = "") -> Iterator[tuple[Parts, str]]:
    """Each place that names a file or folder, and the name."""
    if isinstance(data, dict):
        for inner, value in data.items():
            yield from named_files(value, (*path, inner), inner)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from named_files(value, (*path, str(index)), key)
    elif isinstance(data, str) and (key.endswith("_file") or key in _KEYS or (key == "calendar" and "://" not in data)):
        yield path, data


def strangers(before: Any, after: Any, folder: Path) -> list[Parts]:
    """Where a file outside the folder is named that was not named before."""
    known = {name for _, name in named_files(before)}
    base = folder.resolve()
    return [path for path, name in named_files(after) if name not in known and not _inside(base, name)]


def _inside(base: Path, name: str) -> bool:
    try:
        return (base / Path(name).expanduser()).resolve().is_relative_to(base)
    except (OSError, RuntimeError, ValueError):  # no name of a file, or of a user who is not there
        return False
