"""The pages use nothing that the oldest browsers we name lack, and what speaks to older ones is as old as they."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "api" / "pages" / "static"
# Younger than Chrome 111, Safari 16.4 or Firefox 121.
TOO_YOUNG = {
    ".js": r"\b(?:Map|Object)\.groupBy\b|withResolvers|Array\.fromAsync|\.(?:union|intersection|difference)\(|"
    r"\bRegExp\.escape\b|Promise\.try\b|\bURL\.parse\b|showPopover|startViewTransition|\.isWellFormed\(",
    ".css": r"@starting-style|@scope|light-dark\(|field-sizing|anchor-name|:user-invalid|text-wrap|"
    r"interpolate-size|^\s*&|@position-try|animation-timeline",
}


@pytest.mark.parametrize("suffix", TOO_YOUNG)
def test_no_page_uses_what_the_oldest_browser_lacks(suffix: str) -> None:
    lacking = {
        path.name: hits
        for path in STATIC.rglob(f"*{suffix}")
        if (hits := re.findall(TOO_YOUNG[suffix], path.read_text("utf-8"), re.MULTILINE))
    }
    assert lacking == {}


def test_what_speaks_to_old_browsers_is_written_in_their_language() -> None:
    text = re.sub(r'"[^"]*"|//.*', "", (STATIC / "js" / "too-old.js").read_text("utf-8"))
    assert re.findall(r"=>|\b(?:let|const|class|async|import|export)\b|`|\?\.|\?\?|\.\.\.", text) == []


def test_the_first_state_is_drawn_by_rules_of_old_browsers_too() -> None:
    """Chrome 69 knows no :is() and no inset; a list with one unknown selector in it is dropped whole."""
    tokens = (STATIC / "css" / "tokens.css").read_text("utf-8")
    windows = [line for line in tokens.splitlines() if line.startswith(".win")]
    assert len(windows) > 8
    assert [line for line in windows if re.search(r":is\(|:where\(|:has\(", line)] == []
    assert "inset:" not in (STATIC / "css" / "phone.css").read_text("utf-8")
