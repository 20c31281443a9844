"""Random changes of real-looking files, and what must hold after each: shared by the quick test and the long one."""

import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import yaml

from config.edit import meaning
from config.edit.changing import changed
from config.edit.items import name_of
from config.edit.words import ConfigChange, Parts
from config.yaml_file import read_file
from config.yaml_source import ConfigSource

VECTORS = Path(__file__).parents[2] / "vectors" / "config"
TEXTS = [
    "雁山",
    "24/7",
    "yes",
    "1e5",
    "08:00",
    "a: b",
    "# no",
    "it's",
    '"q"',
    "多行\n文字",
    " x ",
    "",
    "null",
    "-",
    "{",
    "😀",
]
NAMED = ("stations", "areas", "resources", "channels", "checks", "buses")
"""Lists whose items have an id."""
Files = dict[str, bytes]


def vectors() -> dict[str, Files]:
    """Every vector: one file, or the files of a folder."""
    by_name = {}
    for path in sorted(VECTORS.iterdir()):
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        by_name[path.stem] = {file.name: file.read_bytes() for file in files}
    return by_name


def merged(files: Files) -> dict[str, Any]:
    return ConfigSource([read_file(Path(name), files[name]) for name in sorted(files)]).data


def places(data: Any, path: Parts = ()) -> list[Parts]:
    """The path of everything in the tree but the whole."""
    paths = [path] if path else []
    if isinstance(data, dict):
        for key, value in data.items():
            paths += places(value, (*path, key))
    elif isinstance(data, list):
        named = any(map(name_of, data))
        for index, item in enumerate(data):
            paths += places(item, (*path, (name_of(item) or "?") if named else str(index)))
    return [place for place in paths if "?" not in place and all(map(str.isprintable, place))]


def some_value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(7 if depth < 2 else 4)
    if kind < 2:
        return random.choice(TEXTS)
    if kind == 2:
        return random.choice([0, 7, -1, 2.5, 1e20, 1e-7])
    if kind == 3:
        return random.choice([True, False, None])
    if kind == 4:
        return [some_value(random, depth + 1) for _ in range(random.randrange(3))]
    return {
        random.choice(["zh", "en", "x y", "on", "备注", "a, b", "1", "null", "<<"]): some_value(random, depth + 1)
        for _ in range(random.randrange(3))
    }


def some_change(random: Random, data: dict[str, Any]) -> ConfigChange:
    """A change that fits the tree: anything out of it, another value for it, something new beside it."""
    every = places(data)
    op = random.choice(["add", "add", "replace", "remove"])
    if op != "add" and every:
        path = random.choice(every)
        value = _near(random, meaning.at(data, path)) if random.random() < 0.5 else some_value(random)
        named = isinstance(meaning.at(data, path[:-1]), list) and name_of(meaning.at(data, path)) is not None
        if named and op == "replace" and not isinstance(value, dict):
            value = {"kind": "seat"}
        return ConfigChange(op, path, None if op == "remove" else value)  # type: ignore[arg-type]
    above = random.choice([path for path in [(), *every] if isinstance(meaning.at(data, path), (dict, list))])
    inside = meaning.at(data, above)
    new = f"new-{random.randrange(10**9)}"
    if isinstance(inside, dict):
        return ConfigChange("add", (*above, new), some_value(random))
    if any(map(name_of, inside)) or above[-1] in NAMED:
        keys = [key for item in inside if isinstance(item, dict) for key in ("id", "device") if key in item]
        key = keys[0] if keys else "id"
        return ConfigChange("add", (*above, new), {key: new, "kind": "seat", "name": some_value(random)})
    return ConfigChange(
        "add", (*above, random.choice(["-", str(random.randrange(len(inside) + 1))])), some_value(random)
    )


def _near(random: Random, value: Any) -> Any:
    """A value that differs little."""
    if isinstance(value, dict) and value:
        key = random.choice([*value])
        near = {**value, "near": some_value(random)}
        near[key] = _near(random, value[key])
        return near
    if isinstance(value, list) and value:
        return [*value[:-1], _near(random, value[-1])]
    return some_value(random)


def comments(text: str) -> Counter[str]:
    """The comments: what stands between the tokens and is no space, comma or dash."""
    counts: Counter[str] = Counter()
    at = 0
    for token in [*yaml.scan(text, Loader=yaml.CSafeLoader), None]:
        gap = text[at : token.start_mark.index if token else len(text)]
        counts.update(comment.strip() for comment in re.findall(r"#[^\r\n]*", gap))
        at = max(at, token.end_mark.index) if token else at
    return counts


def hold(files: Files, change: ConfigChange) -> Files:
    """The files after the change, which means what it shall and loses no comment but with what it stood in."""
    after = changed(files, [change])
    assert meaning.same(merged(after), _wanted(merged(files), change)), change
    for name, content in after.items():
        if files.get(name) == content:
            continue
        before, now = files.get(name, b"").decode("utf-8-sig"), content.decode("utf-8-sig")
        lost = comments(before) - comments(now)
        allowed = comments(_written(before, change)) if change.op != "add" else Counter()
        assert not lost - allowed, (change, lost)
        assert not comments(now) - comments(before), change
        assert ("\r" in before) == ("\r" in now), change
        assert content.startswith(b"\xef\xbb\xbf") == files.get(name, b"").startswith(b"\xef\xbb\xbf")
    return after


def _wanted(data: dict[str, Any], change: ConfigChange) -> Any:
    try:
        old = meaning.at(data, change.path)
    except KeyError:
        old = None
    if (
        change.op == "replace"
        and isinstance(old, dict)
        and name_of(old) == change.path[-1]
        and name_of(change.value) is None
    ):
        key = "id" if "id" in old else "device"
        return meaning.changed(data, ConfigChange("replace", change.path, {key: old[key], **change.value}))
    return meaning.changed(data, change)


def _written(text: str, change: ConfigChange) -> str:
    """The lines in which a node stands in the text, by its composed tree."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    start = 0
    for part in change.path:
        step = _step(node, part)
        if step is None:
            return text  # a part of its place is counted over several files
        start, node = step
    begin = text.rfind("\n", 0, start) + 1
    return text[begin : _end(text, node)]


def _step(node: Any, part: str) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.index, value) for key, value in node.value if key.value == part), None)
    names = [
        next((value.value for key, value in item.value if key.value in ("id", "device")), None)
        if isinstance(item, yaml.MappingNode) else None for item in node.value
    ]  # fmt: skip
    if part in names:
        item = node.value[names.index(part)]
    elif part.isdecimal() and not any(names) and int(part) < len(node.value):
        item = node.value[int(part)]
    else:
        return None
    return item.start_mark.index, item


def _end(text: str, node: Any) -> int:
    """The end of the last line that the node is written in."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    line = text.find("\n", max(node.start_mark.index, node.end_mark.index - 1))
    return len(text) if line < 0 else line
