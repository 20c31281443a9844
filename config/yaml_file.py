"""One YAML file to plain values; files made to hurt are refused.

YAML 1.2 words only: `on`, `off`, `yes`, `no`, 08:00 and 2026-01-01 stay text, as their writers mean them. Built from
the parser's events, so that nothing unfolds or nests before it is looked at. Where each key stands is found by reading
once more, when somebody asks: a tree that knows its lines took three times the memory of 100,000 resources.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from config.files import UnusableFileError, read_text, text_of
from config.mistakes import KeyPath

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 32

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is there
PLAIN = re.compile(
    r"(?P<bool>true|True|TRUE|false|False|FALSE)|(?P<null>~|null|Null|NULL|)|(?P<int>[-+]?[0-9]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)
MAY_BE_PLAIN = "tTfFnN~-+.0123456789"  # how a word that is no text begins, unless it is empty
_VALUES: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text.lower() == "true",
    "null": lambda _text: None,
    "int": int,
    "float": float,
}
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class Oddity(NamedTuple):
    """What can't be taken as it is written. `path` is that within the file."""

    path: KeyPath
    line: int
    what: str
    mend: str


@dataclass
class YamlFile:
    """The values of one file, an empty mapping where there are none, and what is odd in it.

    `content` is what it holds, where that was given and not read from the disk.
    """

    name: str
    data: dict[str, Any] = field(default_factory=dict)
    oddities: list[Oddity] = field(default_factory=list)
    content: bytes | None = None

    @cached_property
    def lines(self) -> dict[KeyPath, int]:
        """The line of every key and list item; reads the file again. None of one that can't be read to its end."""
        try:
            reader = _Reader(_text(Path(self.name), self.content), {})
            reader.root()
        except (UnusableFileError, yaml.YAMLError):
            return {}
        return reader.lines or {}


class _Reader:
    """Follows the parser's events. `lines`, where given, takes the line of each path."""

    def __init__(self, text: str, lines: dict[KeyPath, int] | None = None) -> None:
        self._next: Callable[[], Any] = _PARSER(text).get_event
        self._keys: dict[str, str] = {}  # one object for a word that stands in 100,000 places
        self._at: list[str | int] = []
        self.lines = lines
        self.oddities: list[Oddity] = []

    def root(self) -> dict[str, Any]:
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return {}
        event = self._next()
        data = self._value(event)
        if not isinstance(event, yaml.MappingStartEvent):
            self.oddities = []
            self._odd(event, "is no mapping", "begin with sections such as mqtt: and stations:")
        self._next()
        event = self._next()
        if isinstance(event, yaml.DocumentStartEvent):
            raise yaml.MarkedYAMLError(problem="a second document begins", problem_mark=_mark(event))
        return data if isinstance(data, dict) else {}

    def _odd(self, event: Any, what: str, mend: str) -> None:
        self.oddities.append(Oddity(tuple(self._at), _mark(event).line + 1, what, mend))

    def _value(self, event: Any) -> Any:
        """The plain value that begins with the event; what has none is odd, and read as None."""
        if isinstance(event, yaml.AliasEvent):
            self._odd(event, "is an alias (*name)", "write the value out at each place")
        elif event.tag is not None:
            self._odd(event, f"has the tag {event.tag}", "write a plain value without a tag")
            self._skip(event)
        elif isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        elif len(self._at) == MAX_DEPTH:
            raise yaml.YAMLError("nested too deeply")
        elif isinstance(event, yaml.MappingStartEvent):
            return self._mapping(in_braces=bool(event.flow_style))
        else:
            return self._sequence()
        return None

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if not event.implicit[0] or text[:1] not in MAY_BE_PLAIN:
            return text
        match = PLAIN.fullmatch(text)
        if match is None:
            return text
        try:
            return _VALUES[match.lastgroup or "null"](text)
        except ValueError:  # Python's bound on digits
            self._odd(event, "is a number beyond reading", "write it in fewer digits, or in quotes if it is text")
            return None

    def _sequence(self) -> list[Any]:
        items: list[Any] = []
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            self._at.append(len(items))
            if self.lines is not None:
                self.lines[tuple(self._at)] = _mark(event).line + 1
            items.append(self._value(event))
            self._at.pop()
        return items

    def _mapping(self, *, in_braces: bool) -> dict[str, Any]:
        """A key with nothing after it counts as not given; in `{…}` it was a value that a comma cut in two."""
        values: dict[str, Any] = {}
        first: dict[str, int] = {}
        before: str | None = None
        while type(key := self._next()) is not yaml.MappingEndEvent:
            if not isinstance(key, yaml.ScalarEvent) or key.tag is not None:
                self._odd(key, "a key is no plain text", "write key: value")
                self._skip(key)
                self._skip(self._next())
                continue
            name = self._keys.setdefault(key.value, key.value)
            event = self._next()
            if isinstance(event, yaml.ScalarEvent) and not event.value and event.implicit[0] and event.tag is None:
                if in_braces and _mark(event).index == _end(key).index:
                    self._cut_off(key, name, before)
                continue
            before = name
            self._at.append(name)
            if name in values:
                self._odd(key, f"is already set in line {first[name]}", "keep one of the two")
                self._skip(event)
            else:
                first[name] = _mark(key).line + 1
                if self.lines is not None:
                    self.lines[tuple(self._at)] = first[name]
                values[name] = self._value(event)
            self._at.pop()
        return values

    def _cut_off(self, key: yaml.Event, name: str, before: str | None) -> None:
        self._at.append(name)
        begin = f"{before}: " if before else ""
        mend = f'if a comma cut it off, write a number with a point and a text in quotes: {begin}"…, {name}"'
        self._odd(key, "stands alone in {…}", mend)
        self._at.pop()

    def _skip(self, event: Any) -> None:
        """Leave out the whole value that begins with the event."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, _ENDS)
            if not depth:
                return
            event = self._next()


class _Sign(NamedTuple):
    line: int
    sign: str
    mend: str


_FULL_WIDTH = re.compile("^\\s*(?:- )?[{\\w-]+\\s*(：)|(，)\\s*[\\w-]+:|^\\s*(\u3000)|(｛)|(｝)")
_HALF_WIDTH = {"：": "`: `", "，": "`, `", "\u3000": "spaces", "｛": "{", "｝": "}"}


def _full_width(text: str) -> _Sign | None:
    """The first sign of a Chinese keyboard where one of YAML was meant, in a file that can't be read."""
    for number, line in enumerate(text.splitlines(), 1):
        match = _FULL_WIDTH.search(line.partition(" #")[0])
        if match is not None:
            sign = next(filter(None, match.groups()))
            return _Sign(number, "U+3000" if sign == "\u3000" else sign, _HALF_WIDTH[sign])
    return None


def _mark(event: yaml.Event) -> Any:
    """Where the event begins; its `line` counts from 0."""
    return event.start_mark


def _end(event: yaml.Event) -> Any:
    return event.end_mark


def _text(path: Path, content: bytes | None) -> str:
    """The file's text; `content` stands for what is on the disk."""
    if content is None:
        return read_text(path, path.name, MAX_BYTES)
    if len(content) > MAX_BYTES:
        large = f"is larger than {MAX_BYTES >> 20} MiB"
        raise UnusableFileError(path.name, path, large, "is it the right file?", large=True)
    return text_of(content, path, path.name)


def read_file(path: Path, content: bytes | None = None) -> YamlFile:
    """What is in one file, or would be with this content; where it can't be read at all, that is its one oddity."""

    def refused(what: str, mend: str, line: int = 1) -> YamlFile:
        return YamlFile(str(path), {}, [Oddity((), line, what, mend)], content)

    try:
        text = _text(path, content)
    except UnusableFileError as problem:
        return refused(problem.what, "split it into a folder of several files" if problem.large else problem.mend)
    try:
        reader = _Reader(text)
        return YamlFile(str(path), reader.root(), reader.oddities, content)
    except yaml.MarkedYAMLError as problem:
        unended = "end of stream" in str(problem.problem)
        mark = (unended and problem.context_mark) or problem.problem_mark
        what = f"is not readable YAML: {', '.join(filter(None, [problem.context, problem.problem]))}"
        sign = _full_width(text)
        if sign is not None:
            return refused(
                f"{what}; here stands the full-width sign {sign.sign}", f"write {sign.mend} instead", sign.line
            )
        return refused(what, "correct this line or the one above", mark.line + 1 if mark else 1)
    except yaml.YAMLError as problem:
        return refused(f"is not readable YAML: {str(problem).splitlines()[0]}", "save it as plain UTF-8 text")
