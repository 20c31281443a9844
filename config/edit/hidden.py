"""What of a configuration is shown to nobody: secrets and tokens that stand in the YAML itself.

An option is secret when its model keeps it out of its own text (`repr=False`), an address when it holds a login or is
that of a calendar, and anything under an unknown key that is called like a secret.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
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
Secret = tuple[int, int, str]
"""From where to where it stands, and what it is."""
UNREADABLE = "# what stands here can't be read as YAML and is not shown\n"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the settings say of a place. `secret`: whatever stands here or below; `calendar`: addresses of calendars."""

    section: type | None = Settings
    secret: bool = False
    calendar: bool = False

    def at(self, key: str) -> "_Known":
        """What is known of the value of a key."""
        field = _fields(self.section).get(key)
        if field is not None:
            return _Known(field[0], self.secret or field[1], self.calendar or key == "calendar")
        called = not key.endswith("_file") and _CALLED.search(key) is not None
        return _Known(self.section, self.secret or called, self.calendar)

    def hides(self, value: Any) -> bool:
        """Whether a single value is a secret."""
        if value is None or isinstance(value, bool):
            return False
        return self.secret or (isinstance(value, str) and (_with_login(value) or (self.calendar and "://" in value)))


@cache
def _fields(section: type | None) -> dict[str, tuple[type | None, bool]]:
    """Option → (the section in it, whether it is a secret)."""
    fields = fields_of(section) if section is not None else {}
    return {name: (section_in(field.annotation), not field.repr) for name, field in fields.items()}


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


def masked(text: str) -> str:
    """The text of a file with null for secrets, in comments too."""
    return masked_both("", text)[1]


def masked_both(before: str, after: str) -> tuple[str, str]:
    """The same for a file before and after a change. A secret that was not there before is marked, so that it shows."""
    old, new = _Written.of(before), _Written.of(after)
    known = {value for _, _, value in old.secrets} if old is not None and old.secrets else None
    return UNREADABLE if old is None else old.masked(), UNREADABLE if new is None else new.masked(known)


class _Written:
    """A text with the spans of its single values and of its secrets."""

    def __init__(self, text: str, root: Node | None) -> None:
        self._text = text
        self.secrets: list[Secret] = [] if root is None else list(_secret_spans(root, _Known()))
        self._scalars = sorted((node.start, node.end) for node in _scalars(root))

    @classmethod
    def of(cls, text: str) -> "_Written | None":
        """None for a text that can't be read."""
        try:
            return cls(text, spans_of(text, lambda _depth, _part: True).root)
        except yaml.YAMLError:
            return None

    def masked(self, known: set[str] | None = None) -> str:
        """`known`: the secrets that were there before."""
        cuts = [
            (start, end, "null" if known is None or value in known else "null (another)")
            for start, end, value in self.secrets
        ]
        cuts += [
            (match.start(), match.end(), _IN_COMMENT.sub(_shortened, match.group()))
            for match in _COMMENT.finditer(self._text)
            if not self._in_scalar(match.start())
        ]
        pieces, at = list[str](), 0
        for start, end, new in sorted(cuts):
            pieces += [self._text[at:start], new]
            at = end
        return "".join([*pieces, self._text[at:]])

    def _in_scalar(self, index: int) -> bool:
        before = bisect_right(self._scalars, (index, len(self._text))) - 1
        return before >= 0 and index < self._scalars[before][1]


def _shortened(match: re.Match[str]) -> str:
    return f"{match['address'] or match['word']}…"


def _secret_spans(node: Node, known: _Known) -> Iterator[Secret]:
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
