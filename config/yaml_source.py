"""YAML to plain values that remember where each key stands; hostile files are refused.

YAML 1.2 words only: `on`, `off`, `yes`, `no`, 08:00 and 2026-01-01 stay text, as their writers mean them. No tags, no
aliases (a few lines of them can unfold to gigabytes), keys are always text.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.mistakes import ConfigMistake, KeyPath, dotted

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 32


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads 100,000 resources in seconds, not minutes


class _Loader(_Base):  # type: ignore[misc]
    """Safe loader with the implicit types of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (the class attribute that yaml fills)


def _implicit(tag: str, pattern: str, first: Sequence[str]) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_implicit("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_implicit("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""])
_implicit("int", r"^[-+]?[0-9]+$", "-+0123456789")
_implicit("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key stands."""

    file: str
    line: int


@dataclass(slots=True)
class Source:
    """Plain data with the place of every key path, and the mistakes met on the way."""

    data: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    mistakes: list[ConfigMistake] = field(default_factory=list)

    def place(self, path: KeyPath) -> Place:
        """The place of the key path, or of its nearest parent."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place("", 1))

    def blame(self, path: KeyPath, what: str, mend: str) -> None:
        """Notes a mistake at the key path."""
        place = self.place(path)
        self.mistakes.append(ConfigMistake(place.file, place.line, dotted(path), what, mend))


_NULL = "tag:yaml.org,2002:null"
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _text: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
}


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _file(node: yaml.Node) -> str:
    return str(node.start_mark.name)


class _Reader:
    """Turns the nodes of all files into one Source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.seen: set[int] = set()

    def blame(self, node: yaml.Node, path: KeyPath, what: str, mend: str) -> None:
        self.source.mistakes.append(ConfigMistake(_file(node), _line(node), dotted(path), what, mend))

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """The plain value of a node; an alias, a tag or a number beyond reading is blamed and read as None."""
        self.source.places.setdefault(path, Place(_file(node), _line(node)))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in _COLLECTIONS:
            self.blame(node, path, f"has the tag {node.tag}", "write a plain value without a tag")
            return None
        if id(node) in self.seen:
            self.blame(node, path, "is used again by an alias (*name)", "write it out at each place")
            return None
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node.value, path)
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def mapping(self, pairs: Sequence[tuple[yaml.Node, yaml.Node]], path: KeyPath) -> dict[str, Any]:
        """The values by key; the pairs may come from several files. A key with nothing after it counts as not given."""
        merged: dict[str, yaml.Node] = {}
        for key_node, value_node in pairs:
            if not isinstance(key_node, yaml.ScalarNode):
                self.blame(key_node, path, "a key is no text", "write key: value")
                continue
            if value_node.value == "" and value_node.tag == _NULL:
                continue
            key, here = key_node.value, (*path, key_node.value)
            if key not in merged:
                self.source.places[here] = Place(_file(key_node), _line(key_node))
                merged[key] = value_node
            elif (both := _joined(merged[key], value_node)) is not None:
                merged[key] = both
            else:
                self.blame(key_node, here, f"is already set in {self._where(here, key_node)}", "keep one of the two")
        return {key: self.value(node, (*path, key)) for key, node in merged.items()}

    def _where(self, path: KeyPath, node: yaml.Node) -> str:
        first = self.source.places[path]
        return f"line {first.line}" if first.file == _file(node) else f"{first.file}:{first.line}"

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        try:
            return _SCALARS[node.tag.removeprefix("tag:yaml.org,2002:")](node.value)
        except KeyError:
            self.blame(node, path, f"has the tag {node.tag}", "write a plain value without a tag")
        except ValueError:
            self.blame(node, path, "is a number beyond reading", "write it in fewer digits, or in quotes if it is text")
        return None


def _joined(one: yaml.Node, other: yaml.Node) -> yaml.Node | None:
    """Two mappings or two lists of different files as one; None where they may not be joined."""
    joinable = isinstance(one, yaml.CollectionNode) and type(one) is type(other) and _file(one) != _file(other)
    return type(one)(one.tag, one.value + other.value, other.start_mark, other.end_mark) if joinable else None


class _Text(io.StringIO):
    """A text whose marks name its file."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def _root(path: Path) -> yaml.Node | None:
    """The root node of one file. YAMLError for anything but one document of few levels."""
    text = path.read_text(encoding="utf-8-sig")
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError("nested too deeply")
    root: yaml.Node | None = yaml.compose(_Text(text, str(path)), Loader=_Loader)
    return root


def _read_file(path: Path) -> yaml.Node | ConfigMistake | None:
    def mistake(what: str, mend: str, line: int = 1) -> ConfigMistake:
        return ConfigMistake(str(path), line, "", what, mend)

    try:
        if path.stat().st_size > MAX_BYTES:
            return mistake(f"is larger than {MAX_BYTES >> 20} MiB", "split it into a folder of several files")
        root = _root(path)
    except OSError as problem:
        return mistake(f"can't be read ({problem.strerror})", "correct the path or the rights")
    except UnicodeDecodeError as problem:
        return mistake(f"is not UTF-8 at byte {problem.start}", "save it as UTF-8")
    except yaml.MarkedYAMLError as problem:
        unended = "end of stream" in str(problem.problem)
        mark = (unended and problem.context_mark) or problem.problem_mark
        what = f"is not readable YAML: {', '.join(filter(None, [problem.context, problem.problem]))}"
        return mistake(what, "correct this line or the one above", mark.line + 1 if mark else 1)
    except yaml.YAMLError as problem:
        return mistake(f"is not readable YAML: {str(problem).splitlines()[0]}", "save it as plain UTF-8 text")
    if root is not None and not isinstance(root, yaml.MappingNode):
        return mistake("is no mapping", "begin with sections such as mqtt: and stations:", _line(root))
    return root


def read_yaml(files: Sequence[Path]) -> Source:
    """The files as one: mappings merge, lists concatenate, a single value set twice is a mistake naming both places.

    What can't be read is among the mistakes, never raised.
    """
    source = Source(places={(): Place(str(files[0]) if files else "", 1)})
    pairs: list[tuple[yaml.Node, yaml.Node]] = []
    for path in files:
        root = _read_file(path)
        if isinstance(root, ConfigMistake):
            source.mistakes.append(root)
        elif root is not None:
            pairs += root.value
    source.data = _Reader(source).mapping(pairs, ())
    return source
