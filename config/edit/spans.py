"""Where everything stands in a YAML text: the parser's marks, narrowed to what was written.

A span ends with the last sign of what it holds; comments and empty lines after it are outside.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_BLANK = re.compile("(?:[ \t\r\n\x85\u2028\u2029\ufeff]+|#[^\r\n\x85\u2028\u2029]*)*")
_PROPERTIES = re.compile(r"(?:[&!][^ \t\r\n]*[ \t]*)*")
_ENDS: Any = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_LAST_BREAK = re.compile(r"(?:\r\n|[\r\n\x85\u2028\u2029])\Z")


@dataclass(slots=True)
class Node:
    """`kind`: scalar, mapping, sequence or alias. `flow`: in `{}` or `[]`. `text`: of a scalar. `style`: its quotes,
    `|`, `>` or nothing. `pairs` and `items` hold what stands in a mapping or sequence, as far as it was asked for.
    """

    kind: str
    start: int
    end: int
    flow: bool = False
    text: str = ""
    style: str = ""
    anchor: str | None = None
    pairs: list[tuple["Node", "Node"]] = field(default_factory=list)
    items: list["Node"] = field(default_factory=list)

    @property
    def inline(self) -> bool:
        """Not in lines of its own below a key or a dash."""
        return self.flow or self.kind in ("scalar", "alias")

    @property
    def empty(self) -> bool:
        """A key or a dash with nothing after it."""
        return self.kind == "scalar" and self.start == self.end

    @property
    def size(self) -> int:
        return len(self.pairs) + len(self.items)

    def value_of(self, key: str) -> "Node | None":
        return next((value for name, value in self.pairs if name.text == key), None)


@dataclass(slots=True)
class YamlText:
    """`root` None: there is nothing but comments. `anchored`: the nodes that aliases repeat, by name."""

    text: str
    root: Node | None
    anchored: list[tuple[str, Node]]
    aliases: dict[str, int]
    """The line of the first alias of a name."""


def spans_of(text: str, keep: Callable[[int, Node | str], bool]) -> YamlText:
    """Where everything stands. `keep(depth, key or item)`: whether what is inside is wanted, for a value of a mapping
    by its key, for an item of a list when it has been read. yaml.YAMLError where the text can't be read.
    """
    reader = _Reader(text, keep)
    root = reader.document()
    return YamlText(text, root, [anchor for anchor in reader.anchored if anchor[0] in reader.aliases], reader.aliases)


class _Reader:
    def __init__(self, text: str, keep: Callable[[int, Node | str], bool]) -> None:
        self._text, self._keep = text, keep
        self._next: Callable[[], Any] = _PARSER(text).get_event
        self.anchored: list[tuple[str, Node]] = []
        self.aliases: dict[str, int] = {}

    def document(self) -> Node | None:
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        root = self._value(self._next(), 0, wanted=True)
        self._next()
        self._next()
        return root

    def _value(self, event: Any, depth: int, *, wanted: bool) -> Node:
        start, end, is_alias = event.start_mark.index, event.end_mark.index, type(event) is yaml.AliasEvent
        if is_alias:
            self.aliases.setdefault(event.anchor, event.start_mark.line + 1)
            return Node("alias", start, end, text=event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, start, end)
        else:
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            node = Node("mapping" if is_mapping else "sequence", start, end, flow=bool(event.flow_style))
            (self._mapping if is_mapping else self._sequence)(node, depth, wanted)
        if event.anchor is not None:
            node.anchor = event.anchor
            self.anchored.append((event.anchor, node))
        return node

    def _scalar(self, event: Any, start: int, end: int) -> Node:
        style = event.style or ""
        if style in ("|", ">"):
            written = self._text[start:end]
            keeps = "+" in BREAK.split(written, maxsplit=1)[0].partition("#")[0]
            end = start + len(_LAST_BREAK.sub("", written) if keeps else written.rstrip("\r\n\x85\u2028\u2029 \t"))
        return Node("scalar", start, end, text=event.value, style=style)

    def _mapping(self, node: Node, depth: int, wanted: bool) -> None:
        last = node.start
        while not isinstance(event := self._next(), _ENDS):
            key = self._value(event, depth + 1, wanted=False)
            inside = wanted and key.kind == "scalar" and self._keep(depth, key.text)
            value = self._value(self._next(), depth + 1, wanted=inside)
            last = max(key.end, value.end)
            if wanted or key.text in ("id", "device"):
                node.pairs.append((key, value))
        node.end = event.end_mark.index if node.flow else last

    def _sequence(self, node: Node, depth: int, wanted: bool) -> None:
        last = node.start
        while not isinstance(event := self._next(), _ENDS):
            item = self._value(event, depth + 1, wanted=wanted)
            last = item.end
            if not wanted:
                continue
            node.items.append(item)
            if not self._keep(depth, item):
                item.pairs = [pair for pair in item.pairs if pair[0].text in ("id", "device")]
                item.items = []
        node.end = event.end_mark.index if node.flow else last


def after_blank(text: str, index: int) -> int:
    """The first sign at or after the index that is neither space, line end nor comment.

    The index must not stand within a word: a `#` begins a comment only after a space.
    """
    match = _BLANK.match(text, index)
    return match.end() if match else index


def after_properties(text: str, index: int) -> int:
    """After the anchor and the tag that stand at the index."""
    match = _PROPERTIES.match(text, index)
    return match.end() if match else index


def line_start(text: str, index: int) -> int:
    while index > 0 and text[index - 1] not in "\r\n\x85\u2028\u2029":
        index -= 1
    return index


def line_end(text: str, index: int) -> int:
    """Before the line's end."""
    match = BREAK.search(text, index)
    return match.start() if match else len(text)


def next_line(text: str, index: int) -> int:
    """After the line's end."""
    match = BREAK.search(text, index)
    return match.end() if match else len(text)


def column(text: str, index: int) -> int:
    return index - line_start(text, index)
