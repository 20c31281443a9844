"""What a page loads, put together of its parts: one script of all its modules, one style sheet of several.

Where a request takes two seconds, each link from module to module costs two seconds, and a browser follows them
one by one. The modules under static/js stay the source, and are served as they are, too; they are joined when a
page is first asked for, because no machine that runs us needs a program for it. So they keep to one form: imports of
names from `./other.js`, exports where a thing is declared, no circle; what few people ask for comes later, by
`import("../js/other.js")`, an address that holds beside the bundle as beside the module. What does not is a
`BundleError`, seen by the first test that looks.
"""

import re
from collections.abc import Callable

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|class|const) ([\w$]+)", re.MULTILINE)
_TEXT = r'"[^"\\]*"'
_ROW = re.compile(rf'^("[^"\\]*"|\w+): \[({_TEXT}), ({_TEXT}), ({_TEXT})\],$', re.MULTILINE)
"""A row of a word list. Without its gaps, a page of 350 rows is 80 bytes smaller on the line."""
_BLOCK = re.compile(r"\) \{$", re.MULTILINE)  # where a block begins; no text of ours ends its line so
_EMPTY = re.compile(r"\n{2,}")
_OTHER = re.compile(r'^(?:import|export)\b(?!:).*|\bimport\((?!"\.\./js/[\w-]+\.js"\)).*', re.MULTILINE)

ReadSource = Callable[[str], str]
"""The text of the file of this name, as `js/draw.js`. KeyError: there is none."""


class BundleError(ValueError):
    """A module in a form that can't be joined: which, and what to write instead."""


def script(entry: str, source: ReadSource) -> str:
    """All modules that `js/{entry}.js` stands on, each once and after those that it needs, and it as the last."""
    parts: dict[str, str] = {}
    _add(entry, source, (), parts)
    return "\n".join(parts.values()) + "\n"


def style(names: str, source: ReadSource) -> str:
    """`tokens+desk` → css/tokens.css and css/desk.css, in this order."""
    return "\n".join(source(f"css/{name}.css") for name in names.split("+"))


def _add(name: str, source: ReadSource, above: tuple[str, ...], parts: dict[str, str]) -> None:
    if name in parts:
        return
    if name in above:
        raise BundleError(f"js/{name}.js: modules import each other in a circle, {' → '.join((*above, name))}")
    text = source(f"js/{name}.js")
    for _, other in _IMPORT.findall(text):
        _add(other, source, (*above, name), parts)
    parts[name] = _part(name, text)


def _part(name: str, text: str) -> str:
    """One module as a function of its own, so that its names stay its own, that returns what it exports."""
    exported = [export[1] for export in _EXPORT.findall(text)]
    body = _EMPTY.sub("\n", _EXPORT.sub(r"\1 \2", _IMPORT.sub(_taken, text))).strip()
    body = _BLOCK.sub("){", _ROW.sub(r"\1:[\2,\3,\4],", body))
    left = _OTHER.search(body)
    if left is not None:
        raise BundleError(
            f'js/{name}.js: {left[0][:60]!r}: write import {{ a }} from "./b.js"; and export const, function or class'
        )
    return f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _taken(match: re.Match[str]) -> str:
    names = re.sub(r"\s+as\s+", ": ", match[1].strip())
    return f"const {{ {names} }} = {_variable(match[2])};"


def _variable(name: str) -> str:
    return "module_" + name.replace("-", "_")
