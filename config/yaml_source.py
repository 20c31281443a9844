"""The files of a configuration as one tree of plain values that can tell where each key stands."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from config.mistakes import ConfigMistake, KeyPath, dotted
from config.yaml_file import YamlFile, read_file


class FilePlace(NamedTuple):
    """Where a key stands."""

    file: str
    line: int


class ConfigSource:
    """Mappings of several files merge, lists are joined; `mistakes` holds what can't be read and what stands twice."""

    def __init__(self, files: Sequence[YamlFile]) -> None:
        self.data: dict[str, Any] = {}
        self.mistakes: list[ConfigMistake] = []
        self._files = files
        for file in files:
            for path, line, what, mend in file.oddities:
                here = dotted(_moved(path, self.data))
                self.mistakes.append(ConfigMistake(file.name, line, here, what, mend))
            self.data, clashes = _merged(self.data, file.data)
            for path in clashes:
                self._twice(file, path)

    def _twice(self, file: YamlFile, path: KeyPath) -> None:
        first = next((file, line) for file in self._files if (line := file.lines.get(path)) is not None)
        what = f"is already set in {first[0].name}:{first[1]}"
        self.mistakes.append(ConfigMistake(file.name, file.lines[path], dotted(path), what, "keep one of the two"))

    @cached_property
    def places(self) -> dict[KeyPath, FilePlace]:
        """The place of every key and list item."""
        places: dict[KeyPath, FilePlace] = {}
        before: dict[str, Any] = {}
        for file in self._files:
            for path, line in file.lines.items():
                places.setdefault(_moved(path, before), FilePlace(file.name, line))
            before, _ = _merged(before, file.data)
        return places

    def place(self, path: KeyPath) -> FilePlace:
        """The place of the key path, or of its nearest parent."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, FilePlace(self._files[0].name if self._files else "", 1))

    def blame(self, path: KeyPath, what: str, mend: str) -> None:
        """Notes a mistake at the key path."""
        place = self.place(path)
        self.mistakes.append(ConfigMistake(place.file, place.line, dotted(path), what, mend))


def _merged(base: dict[str, Any], more: dict[str, Any], path: KeyPath = ()) -> tuple[dict[str, Any], list[KeyPath]]:
    """Both as a new mapping, and the paths of single values that are set in both: the first holds."""
    merged, clashes = dict(base), list[KeyPath]()
    for key, value in more.items():
        before = merged.get(key)
        if key not in merged:
            merged[key] = value
        elif isinstance(before, dict) and isinstance(value, dict):
            merged[key], inner = _merged(before, value, (*path, key))
            clashes += inner
        elif isinstance(before, list) and isinstance(value, list):
            merged[key] = before + value
        else:
            clashes.append((*path, key))
    return merged, clashes


def _moved(path: KeyPath, before: Any) -> KeyPath:
    """Where a path of one file stands in the whole, after what the files before it hold."""
    moved: list[str | int] = []
    for part in path:
        if isinstance(part, int):
            part += len(before) if isinstance(before, list) else 0
            before = None  # items are not merged
        else:
            before = before.get(part) if isinstance(before, dict) else None
        moved.append(part)
    return tuple(moved)


def read_yaml(files: Sequence[Path], contents: Mapping[Path, bytes] = MappingProxyType({})) -> ConfigSource:
    """The files as one; `contents` stand for what is on the disk. What can't be read is among the mistakes."""
    return ConfigSource([read_file(path, contents.get(path)) for path in files])
