"""A set of changes made in the files of a configuration: all of them, or none.

Each change is cut into the text of the one file that it concerns, and what the text means afterwards is compared with
what it must mean. Comments, order, quotes, anchors and line ends elsewhere stay as they are, to the byte.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from config.edit import meaning
from config.edit.edited_text import IN_PLACE
from config.edit.items import NAMES, index_of, name_of, position
from config.edit.narrowing import narrowed
from config.edit.shape import shape_at
from config.edit.splice import spliced
from config.edit.words import ConfigChange, EditError, Parts
from config.edit.writing import unwritable
from config.yaml_file import YamlFile, read_file

BOM = b"\xef\xbb\xbf"
_FILE = re.compile(r"[\w\u4e00-\u9fff][\w.\u4e00-\u9fff-]{0,95}\.yaml", re.ASCII)

Files = Mapping[str, bytes]
"""The files of a configuration: name and content."""


class Fragment(NamedTuple):
    """What one file says at a path: `path` is that within the file."""

    file: str
    value: Any
    path: Parts

    def at(self, part: str, value: Any) -> "Fragment":
        return Fragment(self.file, value, (*self.path, part))


def changed(files: Files, changes: Iterable[ConfigChange], *, new_files: bool = True) -> dict[str, bytes]:
    """The files after the changes. `new_files`: whether one may be begun. EditError where one can't be made."""
    editing = _Editing(files, new_files=new_files)
    for change in changes:
        try:
            editing.make(change)
        except EditError as error:
            raise change.error(error.what, error.mend) from None
    return {name: editing.files[name] for name in sorted(editing.files)}


class _Editing:
    def __init__(self, files: Files, *, new_files: bool) -> None:
        self.files = dict(files)
        self._new_files = new_files
        self._read: dict[str, YamlFile] = {}

    def make(self, change: ConfigChange) -> None:
        why = unwritable(change.value) or unwritable(dict.fromkeys(change.path))
        if why is not None:
            raise change.error(why, "correct the value")
        if change.op == "add":
            self._add(change)
            return
        fragments = self._located(change.path)
        if not fragments:
            raise self._missing(change)
        if len(fragments) > 1:
            names = ", ".join(fragment.file for fragment in fragments)
            raise change.error(f"stands in several files ({names})", "change what is in it, one by one")
        here = fragments[0]
        if change.op == "remove":
            self._apply(here.file, change.at(here.path))
            return
        for small in narrowed(here.value, ConfigChange("replace", here.path, _named_as(here.value, change))):
            self._apply(here.file, small)

    def _located(self, path: Parts, file: str | None = None) -> list[Fragment]:
        """What stands at the path in each file, or in this one."""
        names = sorted(self.files) if file is None else [file] if file in self.files else []
        fragments = [Fragment(name, self._data(name), ()) for name in names]
        for part in path:
            fragments = _stepped(fragments, part)
        return fragments

    def _missing(self, change: ConfigChange) -> EditError:
        """What a change names is not there; where a file can't be read, that is why."""
        for name, read in self._read.items():
            self._readable(change, name, read)
        return change.error(*meaning.NOT_THERE)

    def _readable(self, change: ConfigChange, name: str, read: YamlFile) -> None:
        if any(not oddity.path for oddity in read.oddities):
            raise change.error(f"{name} can't be read: {read.oddities[0].what}", "mend it by hand")

    def _data(self, name: str) -> dict[str, Any]:
        if name not in self._read:
            self._read[name] = read_file(Path(name), self.files[name])
        return self._read[name].data

    # ── add ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, change: ConfigChange) -> None:
        change = self._not_there_yet(change)
        depth, file = len(change.path) - 1, change.file
        if file is not None and file not in self.files:
            self._begin(change, file)
        while not (fragments := self._located(change.path[:depth], file)):
            if shape_at(change.path[: depth - 1]).is_list:  # it would stand in an item that is not there
                if self._located(change.path[:depth]):
                    raise change.error("stands in another file", "leave `file` out")
                raise self._missing(change)
            change, depth = ConfigChange("add", change.path[:depth], _holding(change, depth)), depth - 1
        here, part = _chosen(change, fragments)
        if here.value is None and here.path:
            self._apply(here.file, ConfigChange("replace", here.path, _holding(change, depth)))
        elif isinstance(here.value, (dict, list)):
            self._apply(here.file, change.at((*here.path, part)))
        else:
            raise change.error("stands in a single value", "replace that value")

    def _not_there_yet(self, change: ConfigChange) -> ConfigChange:
        """The change with the name of the new item in it."""
        part, above = change.path[-1], self._located(change.path[:-1])
        for here in above:
            named = isinstance(here.value, list) and any(map(name_of, here.value))
            if (isinstance(here.value, dict) and part in here.value) or (
                named and position(here.value, part) is not None
            ):
                raise change.error(f"is there already, in {here.file}", "replace it, or take another name")
        shape = shape_at(change.path[:-1])
        lists = [here.value for here in above if isinstance(here.value, list)]
        if not (lists if above else shape.is_list):
            return change
        key = next((key for key in map(_key_of, (item for items in lists for item in items)) if key), shape.name)
        return _with_name(change, key)

    def _begin(self, change: ConfigChange, file: str) -> None:
        if not self._new_files:
            raise change.error(f"there is no file {file[:80]!r}", "leave `file` out: the configuration is one file")
        if not _FILE.fullmatch(file):
            raise change.error(f"{file[:80]!r} is no name for a file", "write it like yanshan.yaml, without a folder")
        self.files[file] = b""

    def _apply(self, name: str, change: ConfigChange) -> None:
        """Cut one change into the file, and see that it means that and nothing else."""
        content = self.files[name]
        before = self._read.get(name) or read_file(Path(name), content)
        self._readable(change, name, before)
        wanted = meaning.changed(before.data, change)
        mark = BOM if content.startswith(BOM) else b""
        try:
            text = spliced(content.decode("utf-8-sig"), change)
        except yaml.YAMLError:
            raise change.error(*IN_PLACE) from None
        written = mark + text.encode()
        after = read_file(Path(name), written)
        if not meaning.same(after.data, wanted) or len(after.oddities) > len(before.oddities):
            raise change.error(*IN_PLACE)
        self.files[name], self._read[name] = written, after


def _stepped(fragments: Sequence[Fragment], part: str) -> list[Fragment]:
    """One part further in each. The positions of a list go on from file to file."""
    stepped = [
        fragment.at(part, fragment.value[part])
        for fragment in fragments
        if isinstance(fragment.value, dict) and part in fragment.value
    ]
    lists = [fragment for fragment in fragments if isinstance(fragment.value, list)]
    if any(any(map(name_of, fragment.value)) for fragment in lists):
        for fragment in lists:
            index = position(fragment.value, part) if any(map(name_of, fragment.value)) else None
            if index is not None:
                stepped.append(fragment.at(part, fragment.value[index]))
        return stepped
    index = index_of(part)
    for fragment in lists:
        if index is not None and 0 <= index < len(fragment.value):
            stepped.append(fragment.at(str(index), fragment.value[index]))
        index = None if index is None else index - len(fragment.value)
    return stepped


def _key_of(item: Any) -> str | None:
    """The key by which an item is named."""
    return next((key for key in NAMES if key in item), None) if isinstance(item, dict) else None


def _with_name(change: ConfigChange, key: str | None) -> ConfigChange:
    """A new item of a list with its name in it. EditError where path and value disagree."""
    part, value = change.path[-1], change.value
    if key is None:
        if part != "-" and index_of(part) is None:
            raise change.error("names no place in this list", "end the path with a number, or with - for the end")
        return change
    if not isinstance(value, dict):
        raise change.error("an item of this list is a mapping", f"write it like {{{key}: {part}, …}}")
    name = name_of(value) if _key_of(value) == key or key in value else None
    if name is None:
        if part == "-":
            raise change.error(f"has no {key}", f"give it {key}:")
        return ConfigChange("add", change.path, {key: part, **value}, change.file)
    if str(value[key]) != part and part != "-":
        raise change.error(f"its {key} is {str(value[key])[:64]!r}", "end the path with the same")
    return change


def _named_as(old: Any, change: ConfigChange) -> Any:
    """The new value of an item; where it says no name it keeps the old one."""
    key, value = _key_of(old), change.value
    if key is not None and str(old[key]) == change.path[-1] and isinstance(value, dict) and key not in value:
        return {key: old[key], **value}
    return value


def _holding(change: ConfigChange, depth: int) -> Any:
    """What shall stand at the path so far, with the new thing in it."""
    return [change.value] if shape_at(change.path[:depth]).is_list else {change.path[depth]: change.value}


def _chosen(change: ConfigChange, fragments: Sequence[Fragment]) -> tuple[Fragment, str]:
    """In which file something new goes, and where in its list: behind what is like it, by default in the last file."""
    part = change.path[-1]
    lists = [fragment for fragment in fragments if isinstance(fragment.value, list)]
    if not lists:
        return fragments[-1 if len(change.path) > 1 else 0], part
    index = index_of(part) if not any(any(map(name_of, fragment.value)) for fragment in lists) else None
    last = next((fragment for fragment in reversed(lists) if fragment.value), lists[-1])
    if index is None:
        return last, part
    for fragment in lists:
        if index < len(fragment.value):
            return fragment, str(index)
        index -= len(fragment.value)
    if index:
        raise change.error("lies beyond the end of the list", "end the path with - for the end")
    return last, "-"
