"""docs/words.md: one meaning for each word, and what it names in the code exists once."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.docs.reading import ROOT, named_first, rows, ticked, tree

TOPS = ("config", "deploy", "gateway", "firmware_bridge", "api")


@cache
def classes() -> list[tuple[str, Path]]:
    """Every public class of a module, with its file."""
    return list(_classes())


def _classes() -> Iterator[tuple[str, Path]]:
    for path in (path for top in TOPS for path in (ROOT / top).rglob("*.py") if not path.name.startswith("_t")):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and node.name[0] != "_":
                yield node.name, path


def test_no_class_of_one_room_is_called_as_a_class_of_another() -> None:
    rooms: dict[str, set[str]] = defaultdict(set)
    for name, path in classes():
        rooms[name].add(str(path.parent.relative_to(ROOT)))
    assert {name: sorted(where) for name, where in rooms.items() if len(where) > 1} == {}


def aliases() -> Iterator[tuple[str, Path]]:
    """Every name in capitals and small letters that a module gives to a type: `Role = Literal[...]`."""
    for path in (path for top in TOPS for path in (ROOT / top).rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            names = (target.id for target in targets if isinstance(target, ast.Name))
            yield from ((name, path) for name in names if name[0].isupper() and not name.isupper())


def test_no_class_is_called_as_a_type_of_another_room() -> None:
    rooms = {name: path.parent for name, path in classes()}
    clashes = [
        f"{path.relative_to(ROOT)} {name}" for name, path in aliases() if rooms.get(name, path.parent) != path.parent
    ]
    assert clashes == []


def test_each_word_has_one_meaning() -> None:
    words = named_first("words.md", "word")
    assert len(words) == len(set(words))
    assert len(words) >= 40


def test_what_a_word_is_in_the_code_exists() -> None:
    known = {name for name, _ in classes()}
    named = {name for row in rows("words.md", "word") for name in ticked(row[2]) if name[:1].isupper()}
    assert named
    assert named <= known
