"""What ships keeps the shape that docs/design.md promises."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.reading import ROOT, tree

ROOMS = ("api", "config", "firmware_bridge", "gateway")
DEEPEST, LONGEST_FILE, MOST_METHODS = 3, 400, 15
ALERT_WING = ("gateway/alerts", "gateway/alerting", "gateway/commands")
LONGEST_IN_ALERT_WING = 300
NAMED = ("api", "config", "deploy", "firmware_bridge", "gateway", "tests")
NAMES_OF_NOTHING = {"each", "found", "one"}
MAY_BIND = re.compile(rf"\b({'|'.join(sorted(NAMES_OF_NOTHING))})\b")  # most files need no parsing
LONGEST_FUNCTION = {"api": 80, "config": 40, "firmware_bridge": 75, "gateway": 65}  # lines; may only fall
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BINDINGS = (
    *FUNCTIONS, ast.Name, ast.arg, ast.alias, ast.ExceptHandler, ast.MatchAs, ast.MatchStar,
)  # fmt: skip
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
    known: list[ast.AST] = [tree(path)]
    for node in known:
        known += statements(node)
    return known


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


@pytest.mark.parametrize(("room", "most"), LONGEST_FUNCTION.items())
def test_no_function_grows_longer_than_the_longest_that_there_is(room: str, most: int) -> None:
    files = [path for path in FILES if path.relative_to(ROOT).parts[0] == room]
    functions = [(path, node) for path in files for node in nodes(path) if isinstance(node, FUNCTIONS)]
    assert len(functions) > 100  # it looked at them
    assert [named(path, node) for path, node in functions if (node.end_lineno or 0) - node.lineno >= most] == []


def test_the_alert_wing_has_no_long_file_and_no_class_of_more_than_fifteen_methods() -> None:
    files = [path for room in ALERT_WING for path in sorted((ROOT / room).rglob("*.py"))]
    classes = [(path, node) for path in files for node in nodes(path) if isinstance(node, ast.ClassDef)]
    assert len(classes) > 30  # it looked at them
    crowded = [
        (path, node)
        for path, node in classes
        if sum(isinstance(child, FUNCTIONS) for child in node.body) > MOST_METHODS
    ]
    assert [named(path, node) for path, node in crowded] == []
    long = [path for path in files if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_IN_ALERT_WING]
    assert long == []


def names_of_nothing(module: ast.Module) -> list[int]:
    """The lines that call what they take, make or loop over `one`, `each` or `found`, whatever it is."""
    binding = (node for node in ast.walk(module) if isinstance(node, BINDINGS) and NAMES_OF_NOTHING & bound_by(node))
    return sorted(node.lineno for node in binding)


def bound_by(node: ast.AST) -> set[str]:
    """The name that the node itself gives to something."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            return {name}
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.alias(asname=str(name)):
            return {name}
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return {name}
    return set()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one = 1\nfound: int = 2\nthing.one = other(one=1)", [1, 2]),
        ("for one in a: pass\nfor x, (*_, one) in b: pass", [1, 2]),
        ("a = [b(each) for\n each in c]\nd = (found := e)", [2, 3]),
        ("def f(one, /, *, found=1): pass\ng = lambda one: one", [1, 1, 2]),
        ("def found(): pass\nasync def one(): pass\nimport x as one", [1, 2, 3]),
        ("with a as one: pass\ntry: pass\nexcept E as found: pass", [1, 3]),
        ("match a:\n case [one, *found]: pass", [2, 2]),
        ("only = nobody.found(everyone)", []),
    ],
)
def test_a_name_is_bound_in_whatever_way(text: str, lines: list[int]) -> None:
    assert names_of_nothing(ast.parse(text)) == lines


@pytest.mark.parametrize("room", NAMED)
def test_a_variable_is_called_as_the_thing_it_holds(room: str) -> None:
    files = [path for path in sorted((ROOT / room).rglob("*.py")) if ".venv" not in path.parts]  # of foreign programs
    assert files
    suspects = [path for path in files if MAY_BIND.search(path.read_text(encoding="utf-8"))]
    told = [f"{path.relative_to(ROOT)}:{line}" for path in suspects for line in names_of_nothing(tree(path))]
    assert told == []
