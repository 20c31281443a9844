"""A figure that is promised is kept by the code and told by the docs; one of them can't change alone."""

import dataclasses
import importlib
import re
from typing import Any

import pytest

from tests.docs.figures import CONTRACT, PROMISED, Promise
from tests.docs.reading import ROOT, text_of

SCRIPTS = ROOT / "api" / "pages" / "static" / "js"


def in_script(file: str, name: str) -> Any:
    (text,) = re.findall(rf"^const {name} = ([^;]+);", (SCRIPTS / file).read_text(encoding="utf-8"), re.MULTILINE)
    return text[1:-1] if text[0] in "\"'" else int(text.replace("_", ""))


def in_module(module: str, path: str) -> Any:
    value: Any = importlib.import_module(module)
    for name in path.split("."):
        if isinstance(value, type) and dataclasses.is_dataclass(value):
            value = next(field.default for field in dataclasses.fields(value) if field.name == name)
        else:
            value = getattr(value, name)
    return value


def kept(constants: dict[str, object]) -> dict[str, object]:
    """The same names, with what stands in the code."""
    where = {name: name.split(":") for name in constants}
    return {
        name: (in_script if file.endswith(".js") else in_module)(file, path) for name, (file, path) in where.items()
    }


@pytest.mark.parametrize("promise", PROMISED, ids=[f"{promised.page}: {promised.says}" for promised in PROMISED])
def test_a_figure_in_the_docs_stands_in_the_code(promise: Promise) -> None:
    assert promise.says in re.sub(r"\s+", " ", text_of(promise.page)), f"docs/{promise.page} says it no longer"
    assert kept(promise.constants) == promise.constants


@pytest.mark.parametrize("says", CONTRACT)
def test_a_figure_of_the_contract_stands_in_the_code(says: str) -> None:
    assert kept(CONTRACT[says]) == CONTRACT[says]
