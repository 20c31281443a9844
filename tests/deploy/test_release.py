"""What may be released: one version everywhere, signed, from a clean tree, and the owner's words filled in."""

import subprocess
from pathlib import Path

import pytest

from deploy.package.release import OWNERS_WORDS, disagreeing, sums, untagged, untidy, untold, version_of

ROOT = Path(__file__).parents[2]
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-12-24\n\n### Added\n\n- All of it.\n"


def git(root: Path, *words: str) -> None:
    who = [
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@yizhan.test",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    ]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree that lacks its tag alone."""
    (tmp_path / "deploy/package").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.0.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "SECURITY.md").write_text("Write to security@example.org.\n")
    (tmp_path / "deploy/compose.yaml").write_text("services:\n  yizhan:\n    image: yizhan:1.0.0\n")
    (tmp_path / "deploy/package/control").write_text("Maintainer: Li <li@example.org>\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "--quiet", "-m", "All of it.")
    return tmp_path


def wrong(tree: Path) -> list[str]:
    return [*untold(tree), *disagreeing(tree, "1.0.0"), *untidy(tree), *untagged(tree, "1.0.0")]


def test_what_lacks_the_tag_alone_is_told_how_one_is_made(tree: Path) -> None:
    assert version_of(tree) == "1.0.0"
    assert wrong(tree) == ["the tag v1.0.0 is missing: git tag -s v1.0.0"]


def test_a_signed_tag_on_this_commit_lets_it_through(tree: Path) -> None:
    key = tree.parent / f"{tree.name}-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    git(tree, "-c", "gpg.format=ssh", "-c", f"user.signingkey={key}", "tag", "-s", "v1.0.0", "-m", "1.0.0")
    assert wrong(tree) == []
    git(tree, "commit", "--quiet", "--allow-empty", "-m", "More.")
    assert "not on this commit" in wrong(tree)[0]


@pytest.mark.parametrize("words", [("tag", "v1.0.0"), ("tag", "-a", "v1.0.0", "-m", "1.0.0")])
def test_a_tag_that_nobody_signed_does_not_count(tree: Path, words: tuple[str, ...]) -> None:
    git(tree, *words)
    assert wrong(tree) == ["the tag v1.0.0 is not signed: make it with git tag -s"]


def test_what_is_not_committed_is_named(tree: Path) -> None:
    (tree / "more.py").touch()
    assert "not committed: more.py" in wrong(tree)


@pytest.mark.parametrize(
    ("changelog", "words"),
    [
        (CHANGELOG.replace("## [Unreleased]\n", "## [Unreleased]\n\n- New.\n"), "[Unreleased] has lines"),
        (CHANGELOG.replace("1.0.0", "0.9.0"), "not ## [1.0.0] - YYYY-MM-DD"),
        (CHANGELOG.replace(" - 2026-12-24", ""), "not ## [1.0.0] - YYYY-MM-DD"),
        ("# Changelog\n", "not ## [1.0.0] - YYYY-MM-DD"),
    ],
)
def test_a_changelog_of_another_version_or_with_lines_of_none_is_told(tree: Path, changelog: str, words: str) -> None:
    (tree / "CHANGELOG.md").write_text(changelog)
    assert any(words in text for text in disagreeing(tree, "1.0.0"))


def test_a_compose_file_of_another_version_is_told(tree: Path) -> None:
    (tree / "deploy/compose.yaml").write_text("image: yizhan:0.9.0\n")
    assert disagreeing(tree, "1.0.0") == ["deploy/compose.yaml: write image: yizhan:1.0.0"]


def test_words_of_the_owners_that_are_missing_are_told_by_file_and_line(tree: Path) -> None:
    (tree / "deploy/package/control").write_text("Package: yizhan\nMaintainer: x <x@yizhan.invalid>\n")
    (told,) = untold(tree)
    assert told.startswith("deploy/package/control:2: x@yizhan.invalid stands for the maintainer's name")


def test_no_other_file_stands_with_a_word_of_the_owners() -> None:
    command = ["git", "grep", "-l", r"yizhan\.invalid", "--", ".", ":!tests"]
    files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert set(files) <= set(OWNERS_WORDS)


def test_the_sums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    for name in ("yizhan_1.0.0_amd64.deb", "yizhan_1.0.0_amd64.cdx.json", "yizhan_0.9.0_amd64.deb"):
        (tmp_path / name).write_text(name)
    listed = sums(tmp_path, "1.0.0")
    assert listed.read_text().count("\n") == 2
    subprocess.run(["sha256sum", "--check", "--quiet", listed.name], cwd=tmp_path, check=True)
