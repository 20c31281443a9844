"""The safe, small part of Home Assistant's value templates: a path into the payload and a few harmless filters.

A template comes from the network, so it is matched, never evaluated. `default(…)` only means that the value may be
missing: a made-up value is no evidence, so nothing is concluded from it.
"""

import re
from collections.abc import Callable
from typing import Final

from gateway.dialects.base import Unreadable
from gateway.dialects.shared import values
from gateway.dialects.shared.paths import Path, pick

Template = Callable[[object], object]
"""From the payload (JSON, or text where the template says `value`) to what it shows; None for nothing."""

_LIMIT: Final = 256
_WHOLE: Final = re.compile(r"\{\{-?\s*(value_json|value)\b([^{}|]*?)((?:\|[^{}|]*?)*)\s*-?\}\}\s*\Z")
_STEP: Final = re.compile(r"\.([A-Za-z_]\w*)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(\d{1,5}))\s*\]")
_FILTER: Final = re.compile(r"\|\s*(default|d|int|float|round|is_defined)\s*(?:\(([^()]*)\))?\s*")


def compile_template(written: str) -> tuple[bool, Template] | None:
    """(whether it reads JSON, the template), or None for anything outside the subset."""
    match = _WHOLE.match(written.strip()) if len(written) <= _LIMIT else None
    if match is None:
        return None
    path = _path(match[2].strip())
    filters = _filters(match[3])
    if path is None or filters is None or (match[1] == "value" and path):
        return None
    return match[1] == "value_json", lambda payload: _shown(pick(payload, path), filters)


def _path(written: str) -> Path | None:
    steps: list[str] = []
    at = 0
    while at < len(written):
        match = _STEP.match(written, at)
        if match is None:
            return None
        steps.append(next(part for part in match.groups() if part is not None))
        at = match.end()
    return tuple(steps)


def _filters(written: str) -> tuple[tuple[str, int], ...] | None:
    filters: list[tuple[str, int]] = []
    at = 0
    while at < len(written):
        match = _FILTER.match(written, at)
        if match is None:
            return None
        digits = (match[2] or "").strip()
        filters.append((match[1], int(digits) if digits.isdecimal() and len(digits) < 3 else 0))
        at = match.end()
    return tuple(filters)


def _shown(value: object, filters: tuple[tuple[str, int], ...]) -> object:
    for name, digits in filters:
        if value is None:
            return None
        if name in ("int", "float", "round"):
            number = values.number(value) if not isinstance(value, str) else _number(value)
            value = number if name == "float" else int(number) if name == "int" else round(number, digits)
    return value


def _number(word: str) -> float:
    try:
        return values.number(float(word))
    except ValueError:
        raise Unreadable("wrong_type") from None


def spelled(value: object) -> str:
    """How Home Assistant writes a value when it compares it with `payload_on`: JSON true is `True`."""
    return str(value) if isinstance(value, bool | str | int | float) else ""
