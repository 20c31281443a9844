"""What checks the scripts comes as it was locked, from whatever registry a machine is set to."""

import json
from pathlib import Path

LOCK = json.loads((Path(__file__).parent / "package-lock.json").read_text(encoding="utf-8"))
PACKAGES = {name: package for name, package in LOCK["packages"].items() if name}


def test_every_package_is_locked_by_its_content() -> None:
    assert {"node_modules/typescript", "node_modules/@biomejs/biome"} <= PACKAGES.keys()
    assert [name for name, package in PACKAGES.items() if not package.get("integrity", "").startswith("sha512-")] == []


def test_the_lock_names_no_registry() -> None:
    assert [name for name, package in PACKAGES.items() if "resolved" in package] == []


def test_nothing_of_it_is_for_the_product() -> None:
    assert [name for name, package in PACKAGES.items() if not package.get("dev")] == []
