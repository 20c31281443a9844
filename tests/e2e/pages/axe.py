"""What axe-core finds on a page at rest: between the colours of two states a contrast may be too low."""

from pathlib import Path
from typing import Any

from tests.e2e.pages.chromium import Page

AXE = (Path(__file__).parents[2] / "vendor" / "axe-core" / "axe.min.js").read_text("utf-8")
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"
AT_REST = """document.fonts.status === 'loaded' && !document.getAnimations().some((one) =>
  one instanceof CSSTransition && one.playState === 'running')"""
TELL = "(v) => [v.id, v.nodes[0].html.slice(0, 160), v.nodes[0].failureSummary]"


def violations(page: Page) -> list[Any]:
    """Of WCAG 2.2 AA: rule, element and what is wrong with it."""
    page.wait(AT_REST)
    page.run(AXE + ";0")
    told: list[Any] = page.run(f"axe.run(document, {RULES}).then((told) => told.violations.map({TELL}))")
    return told
