"""Which files of a configuration hold secrets: every option that ends in `_file`, but for what is public."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.load import fields_of, section_in
from config.schema import Settings

PUBLIC = frozenset({"ca_file", "cert_file"})


def secret_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """(dotted option, its file), in the order of the configuration; an item of a list goes by its id or number."""
    yield from _of(settings, "")


def _of(section: Any, prefix: str) -> Iterator[tuple[str, Path]]:
    for name, inner in _fields(type(section)):
        value = getattr(section, name)
        if inner is None:
            if value is not None:
                yield prefix + name, value
        elif isinstance(value, dict):
            for key, one in value.items():
                yield from _of(one, f"{prefix}{name}.{key}.")
        elif isinstance(value, tuple):
            for number, one in enumerate(value):
                named = getattr(one, "id", None) or getattr(one, "device", None) or number
                yield from _of(one, f"{prefix}{name}.{named}.")
        elif value is not None:
            yield from _of(value, f"{prefix}{name}.")


_KNOWN: dict[type, tuple[tuple[str, type | None], ...]] = {}


def _fields(section: type) -> tuple[tuple[str, type | None], ...]:
    """The fields that are a file with a secret (None), and the sections that hold such a field: most hold none."""
    if section in _KNOWN:
        return _KNOWN[section]
    if not hasattr(section, "__pydantic_fields__"):
        return ()  # a plain value beside sections in a list
    found: list[tuple[str, type | None]] = []
    for name, field in fields_of(section).items():
        inner = section_in(field.annotation)
        if inner is None and name.endswith("_file") and name not in PUBLIC:
            found.append((name, None))
        elif inner is not None and _fields(inner):
            found.append((name, inner))
    _KNOWN[section] = tuple(found)
    return _KNOWN[section]
