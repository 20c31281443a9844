"""docs/security.md names a test for each line, and each of these is there."""

import re

from tests.docs.reading import ROOT, text_of

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = NAMED.findall(text_of("security.md"))
    assert len(named) >= 25
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text("utf-8")
    ]
    assert missing == []


def test_every_line_of_the_threat_model_names_one() -> None:
    text = text_of("security.md").partition("## Lines")[2].partition("## What is not held here")[0]
    lines = [row for row in text.splitlines() if row.startswith("| ") and not row.startswith(("| threat", "| ---"))]
    assert [row for row in lines if not NAMED.search(row)] == []
