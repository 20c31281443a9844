"""What a change of the configuration is: an operation, a place by JSON Pointer, a value."""

from dataclasses import dataclass, replace
from typing import Any, Literal

Op = Literal["add", "replace", "remove"]
Parts = tuple[str, ...]
"""A place: keys of mappings, ids (or positions) of list items."""


class EditError(ValueError):
    """`what` is wrong with a change at the pointer, and its `mend`. Nothing was changed."""

    def __init__(self, pointer: str, what: str, mend: str) -> None:
        super().__init__(f"{pointer or 'the whole'}: {what}; {mend}")
        self.pointer, self.what, self.mend = pointer, what, mend


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """`value` is plain data as JSON has it; `file` is where something new shall stand, by its name in the folder."""

    op: Op
    path: Parts
    value: Any = None
    file: str | None = None

    @property
    def pointer(self) -> str:
        return pointer(self.path)

    def at(self, path: Parts) -> "ConfigChange":
        return replace(self, path=path)

    def error(self, what: str, mend: str) -> EditError:
        return EditError(self.pointer, what, mend)


def parts_of(text: str) -> Parts:
    """The parts of a JSON Pointer (RFC 6901). EditError when it is none; the whole (an empty one) can't be changed."""
    if not text.startswith("/"):
        raise EditError(text[:200], "is no path", "write it like /stations/yanshan/areas/lounge")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def pointer(path: Parts) -> str:
    """The JSON Pointer of the parts."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
