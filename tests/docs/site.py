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

    def inside(link: re.Match[str]) -> str:
        if link[0].count("../") <= depth:
            return link[0]
        return f"[{link[1]}]({home})" if link[2] == "README.md" else f"{link[1]} (`{link[2]}`)"

    return _OUT.sub(inside, markdown)
