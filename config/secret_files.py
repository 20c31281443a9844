"""Which files of a configuration hold secrets: every option that ends in `_file`, but for what is public."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.load import fields_of, section_in
from config.schema import Settings

PUBLIC = frozenset({"ca_file", "cert_file"})


def secret_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """(dotted option, its file), in the order of the configuration; an item of a list goes by its id or number."""
    yield from files_named(settings, None)


def files_named(settings: Settings, names: frozenset[str] | None) -> Iterator[tuple[str, Path]]:
    """The same of the options of these names; of None those that hold secrets."""
    yield from _of(settings, "", names)


def _of(section: Any, prefix: str, names: frozenset[str] | None) -> Iterator[tuple[str, Path]]:
    for name, inner in _fields(type(section), names):
        value = getattr(section, name)
        if inner is None:
            if value is not None:
                yield prefix + name, value
        elif isinstance(value, dict):
            for key, member in value.items():
                yield from _of(member, f"{prefix}{name}.{key}.", names)
        elif isinstance(value, tuple):
            for number, member in enumerate(value):
                named = getattr(member, "id", None) or getattr(member, "device", None) or number
                yield from _of(member, f"{prefix}{name}.{named}.", names)
        elif value is not None:
            yield from _of(value, f"{prefix}{name}.", names)


_KNOWN: dict[tuple[type, frozenset[str] | None], tuple[tuple[str, type | None], ...]] = {}


def _fields(section: type, names: frozenset[str] | None) -> tuple[tuple[str, type | None], ...]:
    """The fields that are such a file (None), and the sections that hold such a field: most hold none."""
    if (section, names) in _KNOWN:
        return _KNOWN[section, names]
    if not hasattr(section, "__pydantic_fields__"):
        return ()  # a plain value beside sections in a list
    fields: list[tuple[str, type | None]] = []
    for name, field in fields_of(section).items():
        inner = section_in(field.annotation)
        if inner is None and _wanted(name, names):
            fields.append((name, None))
        elif inner is not None and _fields(inner, names):
            fields.append((name, inner))
    _KNOWN[section, names] = tuple(fields)
    return _KNOWN[section, names]


def _wanted(name: str, names: frozenset[str] | None) -> bool:
    return name in names if names is not None else name.endswith("_file") and name not in PUBLIC
