"""Rows are written and read by the names of their columns, so that a migration may add one or move them."""

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest

from gateway.store.files import connect
from gateway.store.salvage import salvage

ROOT = Path(__file__).parents[3]
SOURCES = [*(ROOT / "gateway/store").glob("*.py"), *(ROOT / "firmware_bridge").glob("spool*.py")]
NAMELESS = (
    re.compile(r"INTO [\w{}]+(?:\s|\"|')*(?:VALUES|SELECT)", re.IGNORECASE),
    re.compile(r"SELECT \*", re.IGNORECASE),
    re.compile(r"\b(?:row|values)\[[1-9]"),
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_statement_names_its_columns(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [match.group() for pattern in NAMELESS for match in pattern.finditer(text)] == []


def test_a_statement_without_names_would_be_found() -> None:
    for text in ('"INSERT INTO hour VALUES (?)"', '"INSERT INTO name"\n    " SELECT a"', "SELECT * FROM x", "row[7]"):
        assert any(pattern.search(text) for pattern in NAMELESS)


def test_what_a_damaged_file_of_an_older_version_holds_is_taken_over_by_name(tmp_path: Path) -> None:
    """Other columns in another order: one that is there no more is left out, one that is new is empty."""
    with contextlib.closing(connect(tmp_path / "old.db", "core")) as db:
        db.execute("DROP TABLE used_link")
        db.execute("CREATE TABLE used_link (gone TEXT, expires_at INTEGER NOT NULL, id TEXT PRIMARY KEY) WITHOUT ROWID")
        db.execute("INSERT INTO used_link (gone, expires_at, id) VALUES ('x', 7, 'link')")
        db.execute("ALTER TABLE audit DROP COLUMN detail")
        db.execute("INSERT INTO audit (at, who, what, target) VALUES (1, 'li', 'close', 'a1')")
    salvage(tmp_path / "old.db", tmp_path / "new.db", "core")
    with contextlib.closing(sqlite3.connect(tmp_path / "new.db")) as db:
        assert db.execute("SELECT id, expires_at FROM used_link").fetchall() == [("link", 7)]
        assert db.execute("SELECT at, who, what, target, detail FROM audit").fetchall() == [
            (1, "li", "close", "a1", None)
        ]
