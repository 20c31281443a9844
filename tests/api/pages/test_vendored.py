"""Files of others are what they were when we took them, and their licence stands beside them."""

import hashlib
from pathlib import Path

import pytest

VENDOR = Path(__file__).parents[2] / "vendor"


@pytest.mark.parametrize("folder", [path.parent for path in VENDOR.glob("*/SHA256SUMS")], ids=lambda path: path.name)
def test_vendored_files_are_unchanged_and_licensed(folder: Path) -> None:
    listed = {}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        listed[name] = digest
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert "LICENSE" in listed
    assert {name: digest for name, digest in digests.items() if name not in ("SHA256SUMS", "README.md")} == listed


def test_the_pages_serve_nothing_vendored() -> None:
    assert not list((Path(__file__).parents[3] / "api" / "pages" / "static").rglob("*.min.*"))
