"""The text of a file that is edited: where what a path names stands in it, and what stands around it."""

from typing import NamedTuple

from config.edit.items import NAMES, index_of
from config.edit.spans import BREAK, Node, YamlText, after_blank, after_properties, column, line_start
from config.edit.words import ConfigChange, Parts
from config.yaml_file import PLAIN

IN_PLACE = ("can't be changed in place", "change it in the file by hand")


class Spot(NamedTuple):
    """What stands at the end of a path: number `at` of `parent`; `key` is None for an item of a list."""

    node: Node
    parent: Node | None
    key: Node | None
    at: int


class TextStyle(NamedTuple):
    """How the file is written: its line end, and whether dashes are indented below their key."""

    newline: str
    dashes_indented: bool

    @classmethod
    def of(cls, text: str, root: Node | None) -> "TextStyle":
        match = BREAK.search(text)
        newline = match.group() if match and match.group() in ("\r\n", "\n", "\r") else "\n"
        for key, value in root.pairs if root is not None else ():
            if value.kind == "sequence" and not value.flow:
                return cls(newline, column(text, body_of(text, value)) > column(text, key.start))
        return cls(newline, dashes_indented=True)


def item_name(item: Node) -> str | None:
    """What names the item, as `items.name_of` tells it of the value."""
    for key in NAMES:
        node = item.value_of(key)
        if node is not None and node.kind == "scalar":
            match = None if node.style else PLAIN.fullmatch(node.text)
            if match is None and node.text:
                return node.text
            if match is not None and match.lastgroup == "int":
                return str(int(node.text))
    return None


def body_of(text: str, node: Node) -> int:
    """Where the first key or dash of lines of their own stands, after anchor and tag."""
    return after_blank(text, after_properties(text, node.start))


class EditedText:
    """One text and the change that is to be made in it; EditError where the change meets what it can't be made in."""

    def __init__(self, document: YamlText, change: ConfigChange, style: TextStyle) -> None:
        self.document, self.text, self.change, self.style = document, document.text, change, style

    def find(self, path: Parts) -> Spot:
        assert self.document.root is not None
        place = Spot(self.document.root, None, None, 0)
        for part in path:
            place = self._step(place.node, part)
        return place

    def _step(self, node: Node, part: str) -> Spot:
        if node.kind == "alias":
            raise self.change.error(f"stands in an alias (*{node.text})", "write the value out there, by hand")
        if node.kind == "mapping":
            for number, (key, value) in enumerate(node.pairs):
                if key.kind == "scalar" and key.text == part:
                    return Spot(value, node, key, number)
        if node.kind == "sequence":
            names = [item_name(item) for item in node.items]
            where = names.index(part) if part in names else index_of(part) if not any(names) else None
            if where is not None and where < len(node.items):
                return Spot(node.items[where], node, None, where)
        raise self.change.error(*IN_PLACE)

    def refuse_repeated(self, node: Node, *, inside: bool) -> None:
        """An edit within what an alias repeats would change another place, too; `inside`: so would what is in there."""
        for name, anchored in self.document.anchored:
            within = anchored.start <= node.start and node.end <= anchored.end
            holds = inside and node.start <= anchored.start and anchored.end <= node.end
            if within or holds:
                what = f"is repeated in line {self.document.aliases[name]} by the alias *{name}"
                raise self.change.error(what, "write the value out there, by hand")

    def colon(self, key: Node) -> int:
        """After the colon of a key."""
        index = after_blank(self.text, key.end)
        if self.text[index : index + 1] != ":":
            raise self.change.error(*IN_PLACE)
        return index + 1

    def dash(self, sequence: Node, index: int) -> int:
        """Where the dash of an item in lines stands."""
        after = after_blank(self.text, sequence.items[index - 1].end) if index else body_of(self.text, sequence)
        if self.text[after : after + 1] != "-":
            raise self.change.error(*IN_PLACE)
        return after

    def insertion(self, node: Node, part: str) -> int:
        index = index_of(part)
        named = any(item_name(item) is not None for item in node.items)
        return len(node.items) if index is None or named else min(index, len(node.items))

    def spans(self, node: Node) -> list[tuple[int, int]]:
        if node.kind == "mapping":
            return [(key.start, max(key.end, value.end)) for key, value in node.pairs]
        return [(item.start, item.end) for item in node.items]

    def comma(self, index: int, end: int) -> int | None:
        """Where the comma after an item in brackets stands."""
        index = after_blank(self.text, index)
        return index if index < end and self.text[index] == "," else None

    def is_first_of_line(self, index: int) -> bool:
        return not self.text[line_start(self.text, index) : index].strip(" ")

    def past_spaces(self, index: int) -> int:
        while self.text[index : index + 1] in (" ", "\t"):
            index += 1
        return index
