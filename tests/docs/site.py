"""What the documentation site needs beyond docs/: pages that its menu does not name, links to what stands elsewhere."""

import re
from pathlib import Path
from typing import Any

REST = "Reference"
_OUT = re.compile(r"\[([^\]]*)\]\((?:\.\./)+([^)#]+)[^)]*\)")


def on_config(config: Any) -> Any:
    """Every page that the menu leaves out stands in its last section, by name."""
    named = set(re.findall(r"[\w/-]+\.md", str(config.nav)))
    folder = Path(config.docs_dir)
    pages = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.md"))
    rest = next(section for section in config.nav if REST in section)
    rest[REST] = [page for page in pages if page not in named]
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """A link out of docs/ leads to the front page where it is the README, else it names the file."""
    depth = page.file.src_uri.count("/")
    home = "../" * depth + "index.md"

    def inside(found: re.Match[str]) -> str:
        if found[0].count("../") <= depth:
            return found[0]
        return f"[{found[1]}]({home})" if found[2] == "README.md" else f"{found[1]} (`{found[2]}`)"

    return _OUT.sub(inside, markdown)
