"""Plain values as YAML text, by PyYAML's emitter: short things on one line, the rest in lines below each other."""

import io
import math
import re
from typing import Any

import yaml

from config.yaml_file import MAY_BE_PLAIN, PLAIN

LONGEST_LINE = 100
LONGEST_KEY = 100  # from 128 characters on YAML wants another form of key


class _Dumper(yaml.SafeDumper):
    """Words that our reader, or another one, takes for no text are quoted; nothing becomes an anchor."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


class _DashesIndented(_Dumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)


_TEXT = "tag:yaml.org,2002:str"
_NO_TEXT = re.compile(rf"(?:{PLAIN.pattern})\Z")
for _dumper in (_Dumper, _DashesIndented):
    _dumper.add_implicit_resolver("tag:yaml.org,2002:float", _NO_TEXT, list(MAY_BE_PLAIN))
    _dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(_TEXT, text, '"' if "\n" in text else ""))


def unwritable(value: Any) -> str | None:
    """Why the value can't stand in a configuration; None where it can."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if len(key) > LONGEST_KEY or not key.isprintable():
                return f"{key[:20]!r}… is no key"
            if (why := unwritable(inner)) is not None:
                return why
        return None
    if isinstance(value, list):
        return next(filter(None, map(unwritable, value)), None)
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        return "half of a character stands in a text"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number is not finite"
    return None


def inline(value: Any, quote: str = "", *, in_brackets: bool = False) -> str:
    """The value on one line; a text in the quotes given, where it has none. `in_brackets`: of `{}` or `[]`."""
    if isinstance(value, str) and quote and "\n" not in value:
        return _line(yaml.ScalarNode(_TEXT, value, style=quote))
    if in_brackets and not isinstance(value, (dict, list)):
        return _line(_node([value], flow=True))[1:-1]
    return _line(_node(value, flow=True))


def fits_line(value: Any) -> bool:
    """Whether the value is written on one line where there is a choice: a single one, or a short list or mapping.

    A named thing without a kind, such as a station, will have more written into it.
    """
    if not isinstance(value, (dict, list)) or not value:
        return True
    if isinstance(value, dict) and "id" in value and "kind" not in value:
        return False
    inner = value.values() if isinstance(value, dict) else value
    return not any(isinstance(child, (dict, list)) for child in inner) and len(inline(value)) <= LONGEST_LINE


def block(value: dict[str, Any] | list[Any], *, dashes_indented: bool) -> list[str]:
    """The list or mapping, which is not empty, in lines without indentation of their own."""
    node = _node(value)
    node.flow_style = False
    dumper = _DashesIndented if dashes_indented else _Dumper
    text: str = yaml.serialize(node, **_OPTIONS, Dumper=dumper)
    lines = text.splitlines()
    shift = len(lines[0]) - len(lines[0].lstrip(" "))  # a list that stands alone begins indented, too
    return [line[shift:] for line in lines]


_OPTIONS: dict[str, Any] = {"allow_unicode": True, "width": math.inf}


def _node(value: Any, *, flow: bool = False) -> Any:
    node = _Dumper(io.StringIO(), sort_keys=False).represent_data(value)
    _style(node, value, flow=flow)
    return node


def _style(node: Any, value: Any, *, flow: bool) -> None:
    if isinstance(node, yaml.CollectionNode):
        node.flow_style = flow or fits_line(value)
        inner = value.values() if isinstance(value, dict) else value
        nodes = [pair[1] if isinstance(pair, tuple) else pair for pair in node.value]
        for child, child_value in zip(nodes, inner, strict=True):
            _style(child, child_value, flow=bool(node.flow_style))


def _line(node: yaml.Node) -> str:
    text: str = yaml.serialize(node, **_OPTIONS, Dumper=_Dumper)
    return text.removesuffix("...\n").rstrip("\n")
