"""Paths into a JSON document: `a.b`, `list.0.c`, `'odd key'.b`, and `.` for the document itself."""

import re
from typing import Final

from gateway.dialects.base import BadSource

Path = tuple[str, ...]

_STEP: Final = re.compile(r"'([^']+)'|([^.']+)")


def parse(written: str) -> Path:
    """`a.'b.c'.0` → ("a", "b.c", "0"). Raises BadSource."""
    if written == ".":
        return ()
    steps: list[str] = []
    at = 0
    while at <= len(written):
        match = _STEP.match(written, at)
        if match is None or written[match.end() : match.end() + 1] not in ("", "."):
            raise BadSource(f"{written!r} is no path; write it like a.b or list.0.c, or '.' for the whole payload")
        steps.append(match[1] or match[2])
        at = match.end() + 1
    return tuple(steps)


def pick(document: object, path: Path) -> object:
    """What stands there, or None. Never raises."""
    for step in path:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isdecimal() and len(step) < 6 and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document
