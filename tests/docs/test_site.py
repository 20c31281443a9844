"""The documentation site builds without a warning: every link and anchor leads somewhere, every page is in its menu."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.reading import DOCS, ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built_and_in_the_menu(site: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}
    assert pages <= {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    home = (site / "index.html").read_text("utf-8")
    assert {page for page in pages if f'href="{page}"' in home} >= pages - {"index.html"}


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in (site / "index.html", site / "zh" / "first-station.html"):
        assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="https?://[^"]*"', page.read_text("utf-8"))


def test_the_half_for_users_is_in_both_languages() -> None:
    for name in ("first-station.md", "manager.md"):
        assert (DOCS / "zh" / name).exists()
        assert (DOCS / "en" / name).exists()
