"""Whether this tree may be released, and the list of what was built. Tags are the owner's: none is made here.

`check` before anything is built: nothing uncommitted, one version in pyproject.toml, CHANGELOG.md, compose.yaml and the
tag, the tag signed and on this commit, and no word left that only the owner can fill in. `sums` afterwards.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWNERS_WORDS = {
    "SECURITY.md": "the address that vulnerabilities are reported to",
    "deploy/package/control": "the maintainer's name and address, and the homepage",
}
"""Where the owner's words belong. `.invalid` names no host on purpose (RFC 2606)."""
PLACEHOLDER = re.compile(r"[\w.@/:-]*\.invalid\b")
HEADING = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?", re.MULTILINE)
SIGNATURE = re.compile(r"^-----BEGIN (PGP|SSH) SIGNATURE-----$", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("check", "sums"))
    args = parser.parse_args()
    version = version_of(ROOT)
    if args.action == "sums":
        sys.stdout.write(f"{sums(ROOT / 'dist', version)}\n")
        return 0
    wrong = [*untold(ROOT), *disagreeing(ROOT, version), *untidy(ROOT), *untagged(ROOT, version)]
    for text in wrong:
        sys.stderr.write(f"{text}\n")
    sys.stderr.write(f"{version} is not released\n" if wrong else "")
    return 1 if wrong else 0


def version_of(root: Path) -> str:
    version: str = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return version


def untold(root: Path) -> list[str]:
    """What only the owner can fill in, with file and line."""
    problems = []
    for name, what in OWNERS_WORDS.items():
        for number, line in enumerate((root / name).read_text("utf-8").splitlines(), 1):
            if (match := PLACEHOLDER.search(line)) is not None:
                problems.append(f"{name}:{number}: {match[0]} stands for {what}: write yours")
    return problems


def disagreeing(root: Path, version: str) -> list[str]:
    """Where the version is another than that of pyproject.toml, and what of the changelog has none."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    headings = HEADING.findall(text)
    problems = []
    if headings and headings[0][0] == "Unreleased":
        after = text.split("## [Unreleased]", 1)[1].split("\n## ", 1)[0]
        if re.search(r"^- ", after, re.MULTILINE):
            problems.append(f"CHANGELOG.md: [Unreleased] has lines: put them below ## [{version}] - and the day")
        headings = headings[1:]
    if not headings or headings[0][0] != version or not headings[0][1]:
        problems.append(f"CHANGELOG.md: its newest version is not ## [{version}] - YYYY-MM-DD, as pyproject.toml says")
    image = f"image: yizhan:{version}\n"
    if image not in (root / "deploy/compose.yaml").read_text("utf-8"):
        problems.append(f"deploy/compose.yaml: write {image.strip()}")
    return problems


def untidy(root: Path) -> list[str]:
    names = [line[3:] for line in _git(root, "status", "--porcelain").splitlines()]
    return [f"not committed: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"] if names else []


def untagged(root: Path, version: str) -> list[str]:
    """Whether this commit has the version's tag, which somebody signed. Whose signature it is, `git tag -v` tells."""
    tag = f"v{version}"
    if tag not in _git(root, "tag", "--points-at", "HEAD").split():
        there = _git(root, "rev-list", "-n1", tag).strip()
        where = f"is on {there[:12]}, not on this commit" if there else f"is missing: git tag -s {tag}"
        return [f"the tag {tag} {where}"]
    if SIGNATURE.search(_git(root, "cat-file", "tag", tag)) is None:
        return [f"the tag {tag} is not signed: make it with git tag -s"]
    return []


def sums(dist: Path, version: str) -> Path:
    """`SHA256SUMS` of what was built of this version, as `sha256sum --check` reads it."""
    names = sorted(path for path in dist.glob(f"yizhan_{version}_*") if path.is_file())
    rows = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in names]
    target = dist / "SHA256SUMS"
    target.write_text("".join(rows), "utf-8")
    return target


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    sys.exit(main())
