"""What ships keeps the shape that docs/design.md promises."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.reading import ROOT

ROOMS = ("api", "config", "firmware_bridge", "gateway")
DEEPEST, LONGEST_FILE, MOST_METHODS = 3, 400, 15
ALERT_WING = ("gateway/alerts", "gateway/alerting", "gateway/commands")
LONGEST_IN_ALERT_WING = 300
MOST_OVER_ONE = {
    "calendars": 0,
    "dialects": 15,
    "evidence": 0,
    "history": 0,
    "homeassistant": 0,
    "influx": 0,
    "kinds": 0,
    "live": 0,
    "mqtt": 0,
    "notify": 0,
    "policy": 0,
    "store": 17,
    "uplink": 0,
}  # may only fall
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def depth(node: ast.AST) -> int:
    """How many blocks stand in one another. `elif` is no deeper than its `if`; what is defined inside counts itself."""
    return max((_depth_below(node, child) for child in statements(node)), default=0)


def _depth_below(parent: ast.AST, child: ast.AST) -> int:
    if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
        return 0
    is_elif = isinstance(parent, ast.If) and isinstance(child, ast.If) and parent.orelse == [child]
    return depth(child) + (isinstance(child, BLOCKS) and not is_elif)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """The statements right below, with what catches and matches. No expression holds any."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        yield from getattr(node, name, ())


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Every statement of a file."""
    found: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    for node in found:
        found += statements(node)
    return found


def named(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("x = 1", 0),
        ("if a:\n x\nelif b:\n y\nelse:\n z", 1),
        ("if a:\n x\nelse:\n if b:\n  y\n z", 2),
        ("for a in b:\n try:\n  with c:\n   x\n except E:\n  if d:\n   y", 3),
        ("while a:\n match b:\n  case 1:\n   if c:\n    x", 3),
        ("if a:\n def inner():\n  for b in c:\n   x", 1),
    ],
)
def test_nesting_is_counted_in_blocks(text: str, blocks: int) -> None:
    assert depth(ast.parse(text)) == blocks


def test_no_function_nests_deeper_than_three_blocks() -> None:
    functions = [(path, node) for path in FILES for node in nodes(path) if isinstance(node, FUNCTIONS)]
    assert len(functions) > 2_000  # it looked at them
    assert [named(path, node) for path, node in functions if depth(node) > DEEPEST] == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}


def test_the_alert_wing_has_no_long_file_and_no_class_of_more_than_fifteen_methods() -> None:
    files = [path for room in ALERT_WING for path in sorted((ROOT / room).rglob("*.py"))]
    classes = [(path, node) for path in files for node in nodes(path) if isinstance(node, ast.ClassDef)]
    assert len(classes) > 30  # it looked at them
    crowded = [
        (path, node) for path, node in classes if sum(isinstance(one, FUNCTIONS) for one in node.body) > MOST_METHODS
    ]
    assert [named(path, node) for path, node in crowded] == []
    long = [path for path in files if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_IN_ALERT_WING]
    assert long == []


def loops_over_one(path: Path) -> int:
    """How many loops call what they take `one`, whatever it is."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    targets = (node.target for node in tree if isinstance(node, (ast.For, ast.comprehension)))
    return sum(isinstance(target, ast.Name) and target.id == "one" for target in targets)


@pytest.mark.parametrize(("room", "most"), MOST_OVER_ONE.items())
def test_what_is_looped_over_is_called_as_the_thing_it_is(room: str, most: int) -> None:
    files = sorted((ROOT / "gateway" / room).rglob("*.py"))
    assert files
    assert sum(map(loops_over_one, files)) <= most
