"""What stands in docs/: tables, names in backquotes, links, headings."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (*sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("zh/*.md")), *sorted(DOCS.glob("en/*.md")), ROOT / "README.md")


@cache
def tree(path: Path) -> ast.Module:
    """A file of Python, read once for all who look at it."""
    return ast.parse(path.read_text(encoding="utf-8"))


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(page: str, first_column: str) -> list[list[str]]:
    """The rows of every table of the page whose first column has this heading; AssertionError for no such table."""
    header, table = None, []
    for line in text_of(page).splitlines():
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if header is None:
            header = cells
        elif header[0] == first_column and not set(line) <= set("|-: "):
            table.append(cells)
    assert table, f"docs/{page} has no table whose first column is {first_column!r}"
    return table


def ticked(text: str) -> list[str]:
    """What stands in backquotes, in order."""
    return re.findall(r"`([^`\n]+)`", text)


def named_first(page: str, first_column: str) -> list[str]:
    """The names in backquotes in the first column of the tables of this heading."""
    return [name for row in rows(page, first_column) for name in ticked(row[0])]


def anchors(page: Path) -> set[str]:
    """What `#…` may name on the page, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """File and anchor of each link to something of ours."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            name, _, anchor = target.partition("#")
            yield ((page.parent / name).resolve() if name else page), anchor
