"""A mistake in a configuration: where it is, what is wrong and how to mend it."""

from dataclasses import dataclass

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class ConfigMistake:
    """One mistake. `line` counts from 1; `key_path` is dotted, list items by position from 0, empty for the whole."""

    file: str
    line: int
    key_path: str
    what: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.key_path}: " if self.key_path else ""
        return f"{self.file}:{self.line}: {where}{self.what}; {self.mend}"


class ConfigErrors(Exception):  # noqa: N818 (it holds many)
    """Every mistake of a configuration, in the order of its files and lines."""

    def __init__(self, mistakes: list[ConfigMistake]) -> None:
        self.mistakes = sorted(set(mistakes))
        super().__init__("\n".join(map(str, self.mistakes)))


def dotted(path: KeyPath) -> str:
    """`stations.0.areas.1.id` for the path's parts."""
    return ".".join(map(str, path))
