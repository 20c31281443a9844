"""One YAML file to a tree of nodes that know their line; files made to hurt are refused.

YAML 1.2 words only: `on`, `off`, `yes`, `no`, 08:00 and 2026-01-01 stay text, as their writers mean them. Built from
the parser's events, so that nothing unfolds or nests before it is looked at, and 100,000 resources take seconds.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from config.mistakes import ConfigMistake

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 32

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is there
_PLAIN = re.compile(
    r"(?P<bool>true|True|TRUE|false|False|FALSE)|(?P<null>~|null|Null|NULL|)|(?P<int>[-+]?[0-9]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)


class Node(NamedTuple):
    """A value as written. `tag` is str, bool, null, int, float, map, seq, alias, or what the writer put after a `!`.

    `value` is the text of a scalar, the nodes of a seq, or the pairs of nodes of a map.
    """

    file: str
    line: int
    tag: str
    value: Any


def _scalar_tag(event: yaml.ScalarEvent) -> str:
    if event.tag is not None:
        return str(event.tag)
    match = _PLAIN.fullmatch(event.value) if event.implicit[0] else None
    return (match and match.lastgroup) or "str"


def _node(event: yaml.Event, events: Iterator[yaml.Event], file: str, depth: int = 0) -> Node:
    mark: Any = event.start_mark
    line = mark.line + 1
    if isinstance(event, yaml.ScalarEvent):
        return Node(file, line, _scalar_tag(event), event.value)
    if not isinstance(event, yaml.CollectionStartEvent):
        return Node(file, line, "alias", "")
    if depth == MAX_DEPTH:
        raise yaml.YAMLError("nested too deeply")
    items: list[Node] = []
    for inner in events:
        if isinstance(inner, yaml.CollectionEndEvent):
            break
        items.append(_node(inner, events, file, depth + 1))
    if isinstance(event, yaml.MappingStartEvent):
        return Node(file, line, event.tag or "map", list(zip(items[::2], items[1::2], strict=True)))
    return Node(file, line, event.tag or "seq", items)


def _root(text: str, file: str) -> Node | None:
    root = None
    events = iter(yaml.parse(text, Loader=_PARSER))
    for event in events:
        mark: Any = event.start_mark
        if isinstance(event, yaml.NodeEvent):
            root = _node(event, events, file)
        elif isinstance(event, yaml.DocumentStartEvent) and root:
            raise yaml.MarkedYAMLError(problem="a second document begins", problem_mark=mark)
    return root


def read_file(path: Path) -> Node | ConfigMistake | None:
    """The mapping in one file, None for an empty file, or the mistake that keeps it from being read."""

    def mistake(what: str, mend: str, line: int = 1) -> ConfigMistake:
        return ConfigMistake(str(path), line, "", what, mend)

    try:
        if path.stat().st_size > MAX_BYTES:
            return mistake(f"is larger than {MAX_BYTES >> 20} MiB", "split it into a folder of several files")
        root = _root(path.read_text(encoding="utf-8-sig"), str(path))
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
    if root is not None and root.tag != "map":
        return mistake("is no mapping", "begin with sections such as mqtt: and stations:", root.line)
    return root
