"""How items of lists are addressed: by what names them where they have a name, else by their position."""

from collections.abc import Iterable
from typing import Any

NAMES = ("id", "device")
"""The keys that name an item; devices of a bus have no `id`."""


def name_of(item: Any) -> str | None:
    """What names the item, as text; None where nothing does."""
    if isinstance(item, dict):
        for key in NAMES:
            if type(item.get(key)) in (str, int) and item[key] != "":
                return str(item[key])
    return None


def position(items: Iterable[Any], part: str) -> int | None:
    """Which item is meant. In a list with named items only names count: a position could hit a neighbour."""
    names = [name_of(item) for item in items]
    if any(name is not None for name in names):
        return names.index(part) if part in names else None
    index = index_of(part)
    return index if index is not None and index < len(names) else None


def index_of(part: str) -> int | None:
    """The number that the part is, written as JSON Pointer writes it; None where it is none."""
    good = part.isascii() and part.isdecimal() and len(part) < 9 and (part == "0" or part[0] != "0")
    return int(part) if good else None
