"""In which order tests run beside each other."""

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby, islice
from typing import TypeVar

Item = TypeVar("Item")


def dealt(
    items: Sequence[Item], workers: int, *, key: Callable[[Item], Hashable], waits: Callable[[Item], bool]
) -> list[Item]:
    """The same items in an order for workers that each begin with an equal part of it and then take from the others.

    Files (`key`) in which a test waits (`waits`) go to the shortest part and stand first in it; all others fill the
    parts up to the same length, in the order in which they were.
    """
    files = [list(file) for _, file in groupby(items, key)]
    parts: list[list[Item]] = [[] for _ in range(workers)]
    for file in files:
        if any(map(waits, file)):
            min(parts, key=len).extend(file)
    left = iter([item for file in files if not any(map(waits, file)) for item in file])
    for number, part in enumerate(parts):
        length = len(items) * (number + 1) // workers - len(items) * number // workers
        part.extend(islice(left, max(0, length - len(part))))
    parts[-1].extend(left)
    return [item for part in parts for item in part]
