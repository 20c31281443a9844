"""What two states of a configuration's files mean and differ in, without secrets."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.edit.hidden import masked_both
from config.yaml_file import read_file
from config.yaml_source import ConfigSource

MOST_LINES = 2000
MOST_COMPARED = 20_000
"""Lines between the first and the last that differ; beyond it they are not compared."""
_HUNK = re.compile(r"@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@\n")


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
    before, after = (text.splitlines(keepends=True) for text in masked_both(old, new))
    first, last = _common(before, after, context)
    if max(len(before), len(after)) - first - last > MOST_COMPARED:
        return [f"--- {name}\n", f"+++ {name}\n", f"… {len(before)} lines become {len(after)}, far apart\n"]
    middle, now = before[first : len(before) - last], after[first : len(after) - last]
    lines = list(difflib.unified_diff(middle, now, name, name, n=context))
    return [_moved(line if line.endswith("\n") else line + "\n", first) for line in lines]


def _common(before: list[str], after: list[str], context: int) -> tuple[int, int]:
    """How many lines at the begin and at the end are the same in both, but for those that are shown around.

    difflib alone takes minutes for a line among 300,000.
    """
    most = min(len(before), len(after))
    first = next((index for index in range(most) if before[index] != after[index]), most)
    last = next((index for index in range(most - first) if before[-1 - index] != after[-1 - index]), most - first)
    return max(first - context, 0), max(last - context, 0)


def _moved(line: str, by: int) -> str:
    """A line of a difference that begins so many lines further down."""
    match = _HUNK.fullmatch(line) if by else None
    if match is None:
        return line
    return f"@@ -{int(match[1]) + by}{match[2] or ''} +{int(match[3]) + by}{match[4] or ''} @@\n"


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", "replace")
