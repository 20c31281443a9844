"""What of a configuration is shown to nobody: secrets and tokens that stand in the YAML itself.

An option is secret when its model keeps it out of its own text (`repr=False`), an address when it holds a login or is
that of a calendar, and anything under an unknown key that is called like a secret.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml

from config.edit.items import name_of, position
from config.edit.meaning import child
from config.edit.spans import Node, spans_of
from config.edit.words import Parts
from config.load import fields_of, section_in
from config.schema import Settings

_CALLED = re.compile("passw|secret|token|credential|private|(^|_)(key|psk|pin|auth)$", re.IGNORECASE)
_IN_COMMENT = re.compile(
    r"(?P<address>\w[\w+.-]*://)\S+|(?P<word>\w*(?:passw|secret|token|key)\w*\s*[:=]\s*)\S.*", re.IGNORECASE
)
_COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\r\n]*", re.MULTILINE)
UNREADABLE = "# what stands here can't be read as YAML and is not shown\n"


class _Known:
    """What the settings say of a place; `secret`: whatever stands here or below."""

    def __init__(self, annotation: Any = Settings, *, secret: bool = False, calendar: bool = False) -> None:
        self._section = section_in(annotation)
        self.secret, self._calendar = secret, calendar

    def at(self, key: str) -> "_Known":
        """What is known of the value of a key."""
        fields = fields_of(self._section) if self._section is not None else {}
        if key in fields:
            secret = not fields[key].repr
            return _Known(fields[key].annotation, secret=self.secret or secret, calendar=key == "calendar")
        known = _Known(self._section, secret=self.secret)
        known.secret |= not key.endswith("_file") and bool(_CALLED.search(key))
        return known

    def hides(self, value: Any) -> bool:
        """Whether a single value is a secret."""
        if value is None or isinstance(value, bool):
            return False
        return self.secret or (isinstance(value, str) and (_with_login(value) or (self._calendar and "://" in value)))


def _with_login(text: str) -> bool:
    if "://" not in text:
        return False
    try:
        return "@" in urlsplit(text).netloc
    except ValueError:
        return True


def hidden(data: Any) -> Any:
    """The tree with null for every secret."""
    return _hidden(data, _Known())


def _hidden(data: Any, known: _Known) -> Any:
    if isinstance(data, dict):
        return {key: _hidden(value, known.at(key)) for key, value in data.items()}
    if isinstance(data, list):
        return [_hidden(item, known) for item in data]
    return None if known.hides(data) else data


def kept(value: Any, tree: Any, path: Parts) -> Any:
    """A new value for what stands at the path of the tree; where it says null for a secret, which nobody was shown, the
    secret stays."""
    known = _Known()
    for part in path:
        try:
            inner = child(tree, part)
        except KeyError:
            return value
        known = known.at(part) if isinstance(tree, dict) else known
        tree = inner
    return _kept(value, tree, known)


def _kept(value: Any, old: Any, known: _Known) -> Any:
    if value is None and known.hides(old):
        return old
    if isinstance(value, dict) and isinstance(old, dict):
        return {key: _kept(inner, old.get(key), known.at(key)) for key, inner in value.items()}
    if isinstance(value, list) and isinstance(old, list):
        return [_kept(item, _partner(item, index, old), known) for index, item in enumerate(value)]
    return value


def _partner(item: Any, index: int, old: list[Any]) -> Any:
    """The old item that a new one takes the place of."""
    name = name_of(item)
    where = position(old, name) if name is not None else index if index < len(old) else None
    return None if where is None else old[where]


def masked(text: str, others: str = "") -> str:
    """The text of a file with null for secrets, in comments too. `others`: the text before, where there was one.

    A secret that it did not hold is marked, so that a change of it shows.
    """
    try:
        spans, everywhere = _secrets(text), {text for _, _, text in _secrets(others)}
        inside = sorted((node.start, node.end) for node in _scalars(_tree(text)))
    except yaml.YAMLError:
        return UNREADABLE
    cuts = [
        (start, end, "null" if value in everywhere or not others else "null (another)") for start, end, value in spans
    ]
    starts = [start for start, _ in inside]
    for match in _COMMENT.finditer(text):
        before = bisect_right(starts, match.start()) - 1
        if before < 0 or inside[before][1] <= match.start():
            cuts.append((match.start(), match.end(), _IN_COMMENT.sub(_shortened, match.group())))
    pieces, at = [], 0
    for start, end, new in sorted(cuts):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def _shortened(match: re.Match[str]) -> str:
    return f"{match['address'] or match['word']}…"


def _tree(text: str) -> Node | None:
    return spans_of(text, lambda _depth, _part: True).root


def _secrets(text: str) -> list[tuple[int, int, str]]:
    root = _tree(text)
    return [] if root is None else list(_secret_spans(root, _Known()))


def _secret_spans(node: Node, known: _Known) -> Iterator[tuple[int, int, str]]:
    for key, value in node.pairs:
        yield from _secret_spans(value, known.at(key.text))
    for item in node.items:
        yield from _secret_spans(item, known)
    if node.kind == "scalar" and known.hides(node.text) and node.end > node.start:
        yield node.start, node.end, node.text


def _scalars(node: Node | None) -> Iterator[Node]:
    if node is None:
        return
    for key, value in node.pairs:
        yield from _scalars(key)
        yield from _scalars(value)
    for item in node.items:
        yield from _scalars(item)
    if node.kind == "scalar":
        yield node
