"""Reads a configuration; the only reader of YAML and of the environment."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.building import NEVER, building
from config.checks import Check, check
from config.edit.home import ConfigHome
from config.edit.saving import settled
from config.mistakes import ConfigErrors, ConfigMistake, KeyPath, dotted
from config.schema import Settings
from config.schema.base import DEVICE_PATTERN, ID_PATTERN, LANGUAGE_PATTERN, TOPIC_PATTERN
from config.sites import with_sites
from config.yaml_source import ConfigSource, read_yaml

__all__ = ["ConfigErrors", "ConfigMistake", "files_of", "load"]


def load(
    path: Path,
    environment: Mapping[str, str] = os.environ,
    also: Iterable[Check] = (),
    contents: Mapping[Path, bytes] | None = None,
) -> Settings:
    """The settings in a file, or in all `*.yaml` of a folder merged in the order of their names.

    `also` are checks of rooms that this one does not know. `contents`, where given, are the files, with what
    they would hold.

    Stations of which boxes tell stand behind ours. Relative paths are resolved against the folder; named files must
    exist. ConfigErrors holds every mistake at once.
    """
    folder = (path if path.is_dir() else path.parent).absolute()
    files = files_of(path) if contents is None else sorted(contents)
    if not files:
        raise ConfigErrors([ConfigMistake(str(path), 1, "", "holds no *.yaml file", "put the configuration there")])
    ignored = sorted(path.glob("*.yml")) if path.is_dir() else []
    if contents is not None:
        with building(NEVER):
            return with_sites(_settings(read_yaml(files, contents), folder, environment, ignored, also))
    with building():
        with settled(path) as files_so_far:
            contents = {} if files_so_far is None else ConfigHome(path).paths(files_so_far)
            source = read_yaml(sorted(contents) or files_of(path), contents)
        return with_sites(_settings(source, folder, environment, ignored, also))


def files_of(path: Path) -> list[Path]:
    """The files that a configuration is read from."""
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _settings(
    source: ConfigSource, folder: Path, environment: Mapping[str, str], ignored: list[Path], also: Iterable[Check]
) -> Settings:
    unreadable = {mistake.key_path for mistake in source.mistakes}
    _overrule(source, environment)
    if "" not in unreadable:  # what a file that can't be read defines would seem to be missing
        check(source)
        for rule in also:
            rule(source)
    settings = None
    try:
        settings = Settings.model_validate(source.data, context={"base": folder, "check_files": True})
    except ValidationError as problem:
        for error in problem.errors(include_url=False):
            key_path = _real_path(source.data, error["loc"])
            if error["input"] is not None or dotted(key_path) not in unreadable:
                source.blame(key_path, *_told(error, key_path))
    for file in ignored:
        source.mistakes.append(ConfigMistake(str(file), 1, "", "ends in .yml, which is not read", "rename it to .yaml"))
    if settings is None or source.mistakes:
        raise ConfigErrors(source.mistakes)
    return settings


def _overrule(source: ConfigSource, environment: Mapping[str, str]) -> None:
    """YIZHAN_DATA, resolved against the current folder, takes the place of store.path."""
    store = source.data.setdefault("store", {}) if environment.get("YIZHAN_DATA") else None
    if isinstance(store, dict):
        store["path"] = str(Path(environment["YIZHAN_DATA"]).resolve())


def _real_path(data: Any, loc: tuple[str | int, ...]) -> KeyPath:
    """The location without what pydantic adds for unions and mapping keys; a missing key stays its last part."""
    path: KeyPath = ()
    for position, part in enumerate(loc):
        inside = part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        if inside:
            data = data[part]
        if inside or (isinstance(data, dict) and position == len(loc) - 1 and part != "[key]"):
            path = (*path, part)
    return path


def _told(error: ErrorDetails, path: KeyPath) -> tuple[str, str]:
    """What is wrong and how to mend it. Values are named only where a secret can't stand."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "missing":
        return "is missing", f"add {path[-1]}:"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return _unknown_key(path)
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        close = get_close_matches(str(value), expected.split(", "), 1)
        hint = f"did you mean {close[0]}? " if close else ""
        return f"unknown word {_shown(value)}", f"{hint}take one of: {expected}"
    if kind == "mistake":
        return context["what"], context["mend"]
    if kind.startswith(("date", "timezone")):
        return f"{_shown(value)} is no {'day' if kind.startswith('date_') else 'time'}", _DATES[
            kind.startswith("date_")
        ]
    if kind == "string_pattern_mismatch":
        return f"{_shown(value)} is not in the right form", _FORMS.get(context["pattern"], "correct the value")
    if kind in _PLAIN:
        what, mend = _PLAIN[kind]
        return what.format(value=_shown(value)), mend.format(**{key: _number(limit) for key, limit in context.items()})
    return error["msg"][0].lower() + error["msg"][1:], "correct the value"


def _number(limit: object) -> str:
    return str(limit).removesuffix(".0")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


_DATES = ("write it like 2026-10-01T18:00:00+08:00", "write it like 2026-10-01")
_FORMS = {
    ID_PATTERN: "use a to z, 0 to 9 and - only, 64 at most",
    DEVICE_PATTERN: "use letters, digits and _ . : - only, 64 at most",
    TOPIC_PATTERN: "write the full topic, without + and #",
    LANGUAGE_PATTERN: "write a language such as zh or en",
}
_PLAIN = {
    "string_type": ("must be text, not {value}", "put it in quotes"),
    "int_type": ("must be a whole number, not {value}", "write digits only"),
    "int_parsing": ("must be a whole number, not {value}", "write digits only"),
    "int_from_float": ("must be a whole number, not {value}", "leave the fraction out"),
    "float_type": ("must be a number, not {value}", "write digits and a point only"),
    "float_parsing": ("must be a number, not {value}", "write digits and a point only"),
    "finite_number": ("must be a finite number, not {value}", "write digits and a point only"),
    "bool_type": ("must be true or false, not {value}", "write true or false"),
    "bool_parsing": ("must be true or false, not {value}", "write true or false"),
    "dict_type": ("must be a mapping, not {value}", "write key: value lines below it"),
    "dataclass_type": ("must be a mapping, not {value}", "write key: value lines below it"),
    "model_type": ("must be a mapping, not {value}", "write key: value lines below it"),
    "tuple_type": ("must be a list, not {value}", "write [a, b], or one item a line after a dash"),
    "too_short": ("is an empty list", "name at least one"),
    "path_type": ("must be a path, not {value}", "write the path of a file"),
    "greater_than": ("{value} is too small", "take more than {gt}"),
    "greater_than_equal": ("{value} is too small", "take {ge} or more"),
    "less_than": ("{value} is too large", "take less than {lt}"),
    "less_than_equal": ("{value} is too large", "take {le} or less"),
}


def _unknown_key(path: KeyPath) -> tuple[str, str]:
    if "\u3000" in str(path[-1]):
        return "the line begins with full-width spaces (U+3000)", "write plain spaces instead"
    known = list(_known_at(path[:-1]))
    close = get_close_matches(str(path[-1]), known, 1)
    return "unknown key", f"did you mean {close[0]}?" if close else f"remove it; known here: {', '.join(known)}"


def _known_at(path: KeyPath) -> dict[str, FieldInfo]:
    """The keys that may stand at the path."""
    fields = fields_of(Settings)
    for part in path:
        inner = section_in(fields[str(part)].annotation) if part in fields else None
        fields = fields if inner is None else fields_of(inner)
    return fields


def fields_of(section: type) -> dict[str, FieldInfo]:
    """The options of a section of the configuration."""
    fields: dict[str, FieldInfo] = vars(section)["__pydantic_fields__"]
    return fields


def section_in(annotation: Any) -> type | None:
    """The section that a type is, or holds; None for a single value."""
    if "__pydantic_fields__" in getattr(annotation, "__dict__", ()):
        return cast("type", annotation)
    return next(filter(None, map(section_in, get_args(annotation))), None)
