"""The files of a configuration as one tree of plain values that remembers where each key stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from config.mistakes import ConfigMistake, KeyPath, dotted
from config.yaml_nodes import Node, read_file


class Place(NamedTuple):
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


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _text: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
}


class _Reader:
    """Turns the nodes of all files into one Source."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def blame(self, node: Node, path: KeyPath, what: str, mend: str) -> None:
        self.source.mistakes.append(ConfigMistake(node.file, node.line, dotted(path), what, mend))

    def value(self, node: Node, path: KeyPath) -> Any:
        """The plain value of a node; an alias, a tag or a number beyond reading is blamed and read as None."""
        if path not in self.source.places:
            self.source.places[path] = Place(node.file, node.line)
        if node.tag == "map":
            return self.mapping(node.value, path)
        if node.tag == "seq":
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if node.tag in _SCALARS:
            return self._scalar(node, path)
        if node.tag == "alias":
            self.blame(node, path, "is an alias (*name)", "write the value out at each place")
        else:
            self.blame(node, path, f"has the tag {node.tag}", "write a plain value without a tag")
        return None

    def _scalar(self, node: Node, path: KeyPath) -> Any:
        try:
            return _SCALARS[node.tag](node.value)
        except ValueError:  # Python's bound on digits
            self.blame(node, path, "is a number beyond reading", "write it in fewer digits, or in quotes if it is text")
            return None

    def mapping(self, pairs: Sequence[tuple[Node, Node]], path: KeyPath) -> dict[str, Any]:
        """The values by key; the pairs may come from several files. A key with nothing after it counts as not given."""
        merged: dict[str, Node] = {}
        for key, node in pairs:
            if key.tag not in _SCALARS:
                self.blame(key, path, "a key is no plain text", "write key: value")
            elif node.value == "" and node.tag == "null":
                continue
            elif key.value not in merged:
                self.source.places[(*path, key.value)] = Place(key.file, key.line)
                merged[key.value] = node
            elif (both := _joined(merged[key.value], node)) is not None:
                merged[key.value] = both
            else:
                self._twice(key, (*path, key.value))
        return {name: self.value(node, (*path, name)) for name, node in merged.items()}

    def _twice(self, key: Node, path: KeyPath) -> None:
        first = self.source.places[path]
        where = f"line {first.line}" if first.file == key.file else f"{first.file}:{first.line}"
        self.blame(key, path, f"is already set in {where}", "keep one of the two")


def _joined(one: Node, other: Node) -> Node | None:
    """Two mappings or two lists of different files as one; None where they may not be joined."""
    joinable = one.tag in ("map", "seq") and one.tag == other.tag and one.file != other.file
    return other._replace(value=one.value + other.value) if joinable else None


def read_yaml(files: Sequence[Path]) -> Source:
    """The files as one: mappings merge, lists concatenate, a single value set twice is a mistake naming both places.

    What can't be read is among the mistakes, never raised.
    """
    source = Source(places={(): Place(str(files[0]) if files else "", 1)})
    pairs: list[tuple[Node, Node]] = []
    for path in files:
        root = read_file(path)
        if isinstance(root, ConfigMistake):
            source.mistakes.append(root)
        elif root is not None:
            pairs += root.value
    source.data = _Reader(source).mapping(pairs, ())
    return source
