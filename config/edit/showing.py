"""What two states of a configuration's files mean and differ in, without secrets."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.edit.hidden import masked
from config.yaml_file import read_file
from config.yaml_source import ConfigSource

MOST_LINES = 2000


def tree_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """All files as one tree of plain values."""
    return ConfigSource([read_file(Path(name), files[name]) for name in sorted(files)]).data


def difference_text(before: Mapping[str, bytes], after: Mapping[str, bytes], context: int = 3) -> str:
    """Line by line, as `diff -u` writes it, with so many lines around; at most MOST_LINES. Secrets are masked."""
    told: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, b""), after.get(name, b"")
        if old != new:
            told += _of_file(name, _text(old), _text(new), context)
    more = len(told) - MOST_LINES
    return "".join(told[:MOST_LINES]) + (f"… {more} more lines\n" if more > 0 else "")


def _of_file(name: str, old: str, new: str, context: int) -> list[str]:
    before, after = masked(old, new).splitlines(keepends=True), masked(new, old).splitlines(keepends=True)
    found = difflib.unified_diff(before, after, name, name, n=context)
    return [line if line.endswith("\n") else line + "\n" for line in found]


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", "replace")
