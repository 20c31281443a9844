"""One change in the text of one file: only the lines of what is changed become others.

The text is cut at the parser's marks and new text put in, written as its neighbours are. The caller compares what the
result means with what it must mean; so a form of YAML that is not foreseen here is refused and never spoilt.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from config.edit import writing
from config.edit.edited_text import IN_PLACE, EditedText, Spot, TextStyle, body_of, item_name
from config.edit.spans import (
    BREAK,
    Node,
    after_properties,
    column,
    line_end,
    line_start,
    next_line,
    spans_of,
)
from config.edit.words import ConfigChange, Parts

LONGEST_ITEM = 160
"""A new item in a list of items on one line each is such a line, too, up to this length."""


class Cut(NamedTuple):
    """What stands from `start` to `end` becomes `text`."""

    start: int
    end: int
    text: str


def spliced(text: str, change: ConfigChange) -> str:
    """The text of a file after the change. EditError where it can't be made."""
    path = change.path
    document = spans_of(text, lambda depth, part: depth < len(path) and _meant(part, path[depth]))
    style = TextStyle.of(text, document.root)
    cutter = _Cutter(document, change, style)
    for cut in sorted(cutter.cuts(), reverse=True):
        text = text[: cut.start] + cut.text + text[cut.end :]
    return text


def _meant(part: Node | str, wanted: str) -> bool:
    if isinstance(part, str):
        return part == wanted
    name = item_name(part)
    return name is None or name == wanted


class _Cutter(EditedText):
    def cuts(self) -> Iterator[Cut]:
        """The cuts that make the change."""
        change = self.change
        if self.document.root is None:
            yield from self._first(change)
            return
        above = self.find(change.path[:-1])
        touched = above.node if change.op == "add" else self.find(change.path).node
        self.refuse_repeated(touched, inside=change.op != "add")
        if change.op == "add":
            yield from self._add(above, change.path[-1], change.value)
        elif change.op == "remove":
            yield from self._remove(change.path)
        else:
            yield from self._replace(self.find(change.path), change.value)

    # ── new text ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _lines(self, lines: Sequence[str], indent: int) -> str:
        """Lines below each other, the first one without its indentation."""
        return (self.style.newline + " " * indent).join(lines)

    def _block(self, value: Any) -> list[str]:
        return writing.block(value, dashes_indented=self.style.dashes_indented)

    def _pair(self, key: str, value: Any) -> list[str]:
        if writing.fits_line(value):
            return [f"{writing.inline(key)}: {writing.inline(value)}"]
        return self._block({key: value})

    def _item(self, value: Any, siblings: Sequence[Node]) -> list[str]:
        """A new item of a list in lines: on one line where it fits, or where the item before it is."""
        line = writing.inline(value)
        flat = writing.fits_line(value) if not siblings else siblings[-1].inline and len(line) <= LONGEST_ITEM
        if flat or not isinstance(value, (dict, list)) or not value:
            return [f"- {line}"]
        lines = self._block(value)
        return [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]

    def _first(self, change: ConfigChange) -> Iterator[Cut]:
        """A file without anything but comments."""
        if change.op != "add" or len(change.path) != 1:
            raise change.error(*IN_PLACE)
        end = len(self.text)
        text = self._lines(self._pair(change.path[0], change.value), 0)
        if end and not BREAK.search(self.text[-1]):
            yield Cut(end, end, self.style.newline + text)
        else:
            yield Cut(end, end, text + self.style.newline)

    # ── add ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, above: Spot, part: str, value: Any) -> Iterator[Cut]:
        node = above.node
        if node.kind in ("scalar", "alias"):
            raise self.change.error(*IN_PLACE)
        if node.kind == "mapping" and node.value_of(part) is not None:  # a key with nothing after it
            yield from self._replace(self.find(self.change.path), value)
        elif node.flow and not node.size and not (above.parent is not None and above.parent.flow):
            yield from self._replace(above, {part: value} if node.kind == "mapping" else [value], in_lines=True)
        elif node.flow:
            item = writing.inline(value, in_brackets=True)
            key = f"{writing.inline(part, in_brackets=True)}: " if node.kind == "mapping" else ""
            yield from self._add_flow(node, part, key + item)
        elif node.kind == "mapping":
            indent = column(self.text, node.pairs[0][0].start)
            yield self._below(node.pairs[-1][1], indent, self._pair(part, value))
        else:
            yield from self._add_item(node, part, value)

    def _add_item(self, node: Node, part: str, value: Any) -> Iterator[Cut]:
        indent = column(self.text, self.dash(node, 0))
        lines = self._item(value, node.items)
        index = self.insertion(node, part)
        if index:
            yield self._below(node.items[index - 1], indent, lines)
        else:
            dash = self.dash(node, 0)
            yield Cut(dash, dash, self._lines([*lines, ""], indent))

    def _below(self, node: Node, indent: int, lines: Sequence[str]) -> Cut:
        """New lines after the node, and after the comments below it that are indented as if they belonged to it."""
        text, newline = self.text, self.style.newline
        end = line_end(text, node.end)
        while (start := next_line(text, end)) > end and start < len(text):
            here = line_end(text, start)
            line = text[start:here]
            if line.strip() and not (line.lstrip().startswith("#") and len(line) - len(line.lstrip()) > indent):
                break
            if not line.strip() and not self._comment_below(here, indent):
                break
            end = here
        new = self._lines(lines, indent)
        return Cut(end, end, newline + " " * indent + new)

    def _comment_below(self, index: int, indent: int) -> bool:
        """Whether the next line that is not empty is a comment, further in."""
        while (start := next_line(self.text, index)) > index and start < len(self.text):
            index = line_end(self.text, start)
            line = self.text[start:index]
            if line.strip():
                return line.lstrip().startswith("#") and len(line) - len(line.lstrip()) > indent
        return False

    def _add_flow(self, node: Node, part: str, new: str) -> Iterator[Cut]:
        if not node.size:
            yield Cut(node.end - 1, node.end - 1, new)
            return
        spans = self.spans(node)
        index = self.insertion(node, part) if node.kind == "sequence" else len(spans)
        if index < len(spans):
            yield Cut(spans[index][0], spans[index][0], f"{new}, ")
            return
        end = spans[-1][1]
        a_line_each = len(spans) > 1 and line_start(self.text, spans[-1][0]) > spans[-2][1]
        if not a_line_each:
            yield Cut(end, end, f", {new}")
            return
        indent = self.style.newline + " " * column(self.text, spans[-1][0])
        comma = self.comma(end, node.end)
        after = end if comma is None else comma + 1
        below = line_end(self.text, after)
        new = f"{indent}{new}{'' if comma is None else ','}"
        if below >= node.end or below == after:
            yield Cut(after, after, new if comma is not None else f",{new}")
            return
        if comma is None:
            yield Cut(end, end, ",")
        yield Cut(below, below, new)

    # ── remove ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _remove(self, path: Parts) -> Iterator[Cut]:
        place = self.find(path)
        parent = place.parent
        assert parent is not None
        if parent.flow:
            yield from self._remove_flow(parent, place.at)
            return
        start = place.key.start if place.key is not None else self.dash(parent, place.at)
        if parent.size > 1:
            yield self._without(parent, place, start)
        elif len(path) == 1:
            yield self._lines_out(start, place.node.end)
        else:
            yield from self._emptied(self.find(path[:-1]), start)

    def _without(self, parent: Node, place: Spot, start: int) -> Cut:
        end = place.node.end if place.key is None else max(place.node.end, self.colon(place.key))
        if self.is_first_of_line(start):
            return self._lines_out(start, end)
        follows = parent.pairs[1][0].start if place.key is not None else self.dash(parent, 1)
        rest = line_end(self.text, end)
        if not self.text[rest:follows].strip():
            return Cut(start, follows, "")
        while self.text[start - 1] == " ":
            start -= 1
        return Cut(start, rest, "")

    def _lines_out(self, start: int, end: int) -> Cut:
        """The whole lines from one to the other; of the last line of a file without end, the end before it."""
        start, rest = line_start(self.text, start), line_end(self.text, end)
        after = next_line(self.text, rest)
        if after == rest and start:
            match = list(BREAK.finditer(self.text, max(0, start - 2), start))[-1]
            return Cut(match.start(), after, "")
        return Cut(start, after, "")

    def _emptied(self, place: Spot, start: int) -> Iterator[Cut]:
        """A mapping or list in lines without its last entry is `{}` or `[]`."""
        brackets = "{}" if place.node.kind == "mapping" else "[]"
        if place.key is None or not self.is_first_of_line(start):
            yield Cut(start, place.node.end, brackets)
            return
        colon = self.colon(place.key)
        colon = after_properties(self.text, self.past_spaces(colon)) if place.node.anchor else colon
        yield Cut(colon, colon, f"{'' if self.text[colon - 1] == ' ' else ' '}{brackets}")
        yield self._lines_out(start, place.node.end)

    def _remove_flow(self, parent: Node, index: int) -> Iterator[Cut]:
        spans = self.spans(parent)
        start, end = spans[index]
        comma = self.comma(end, parent.end)
        if comma is not None:
            end = comma + 1
        elif index:
            before = self.comma(spans[index - 1][1], parent.end)
            assert before is not None
            yield Cut(before, before + 1, "")
            start = max(start - self._spaces_before(start), before + 1)
        rest = line_end(self.text, end)
        alone = self.is_first_of_line(start) and not self.text[end:rest].partition("#")[0].strip()
        if alone and parent.start < line_start(self.text, start) and rest < parent.end:
            yield self._lines_out(start, end)
        else:
            yield Cut(start, self.past_spaces(end) if comma is not None else end, "")

    def _spaces_before(self, index: int) -> int:
        before = self.text[line_start(self.text, index) : index]
        return len(before) - len(before.rstrip(" ")) if before.strip() else 0

    # ── replace ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _replace(self, place: Spot, value: Any, *, in_lines: bool = False) -> Iterator[Cut]:
        node, parent = place.node, place.parent
        if parent is None:
            raise self.change.error(*IN_PLACE)
        anchor = f"&{node.anchor} " if node.anchor else ""
        shape = not isinstance(value, (dict, list)) or not value
        flat = parent.flow or shape or (writing.fits_line(value) and not in_lines and node.inline)
        if not flat:
            yield from self._replace_by_lines(place, value, anchor)
            return
        quote = node.style if node.style in ("'", '"') else ""
        new = anchor + writing.inline(value, quote, in_brackets=parent.flow)
        if node.empty:
            at = node.start if place.key is None else self.colon(place.key)
            yield Cut(at, at, f" {new}")
        elif node.inline or place.key is None or not self.is_first_of_line(body_of(self.text, node)):
            yield Cut(node.start, node.end, new)
        else:
            colon = self.colon(place.key)
            end = line_end(self.text, colon) if node.start > line_end(self.text, colon) else None
            after = colon if end is not None else after_properties(self.text, node.start)
            yield Cut(colon, after, f" {new}")
            yield self._lines_out(body_of(self.text, node), node.end)

    def _replace_by_lines(self, place: Spot, value: Any, anchor: str) -> Iterator[Cut]:
        node, key = place.node, place.key
        if not node.inline:
            body = body_of(self.text, node)
            indent = column(self.text, body)
            further = 0  # a mapping is further in than its key; a list need not be
            if key is not None and isinstance(value, dict) and indent == column(self.text, key.start):
                further = 2
            lines = self._lines(self._block(value), indent + further)
            yield Cut(body, node.end, " " * further + lines)
        elif key is None:
            indent = column(self.text, node.start)
            lines = self._lines(self._block(value), indent)
            yield Cut(node.start, node.end, f" {lines}" if node.empty else lines)
        else:
            colon = self.colon(key)
            indent = column(self.text, key.start) + (2 if isinstance(value, dict) or self.style.dashes_indented else 0)
            end = line_end(self.text, node.end)
            lines = self.style.newline + " " * indent + self._lines(self._block(value), indent)
            if anchor:
                anchor = f" {anchor.rstrip()}"
            yield Cut(colon, max(node.end, colon), anchor)
            yield Cut(end, end, lines)
