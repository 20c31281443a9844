"""What a change means, on plain data; the measure for what an edit of the text must have done."""

from typing import Any

from config.edit.items import index_of, position
from config.edit.words import ConfigChange, Parts

NOT_THERE = ("is not there", "read the configuration again")


def child(data: Any, part: str) -> Any:
    """What stands at the part. KeyError where nothing does."""
    if isinstance(data, dict) and part in data:
        return data[part]
    if isinstance(data, list):
        index = position(data, part)
        if index is not None:
            return data[index]
    raise KeyError(part)


def at(data: Any, path: Parts) -> Any:
    """What stands at the path. KeyError where nothing does."""
    for part in path:
        data = child(data, part)
    return data


def changed(data: Any, change: ConfigChange) -> Any:
    """The data after the change, with everything untouched shared. EditError where it fits nothing."""
    return _changed(data, change.path, change)


def _changed(data: Any, path: Parts, change: ConfigChange) -> Any:
    part, rest = path[0], path[1:]
    if not rest and change.op == "add":
        return _added(data, part, change)
    try:
        inner = child(data, part)
    except KeyError:
        raise change.error(*NOT_THERE) from None
    after = list(data) if isinstance(data, list) else dict(data)
    key: Any = position(data, part) if isinstance(data, list) else part
    if rest:
        after[key] = _changed(inner, rest, change)
    elif change.op == "remove":
        del after[key]
    else:
        after[key] = change.value
    return after


def _added(data: Any, part: str, change: ConfigChange) -> Any:
    if isinstance(data, dict):
        if part in data:
            raise change.error("is there already", "replace it")
        return {**data, part: change.value}
    if not isinstance(data, list):
        raise change.error("stands in a single value", "replace that value")
    index = insertion(data, part)
    return [*data[:index], change.value, *data[index:]]


def insertion(items: list[Any], part: str) -> int:
    """Where a new item goes: at the number, if the items have no names, else at the end."""
    index = index_of(part)
    named = position(items, "") is None and position(items, "0") is None and bool(items)
    return index if index is not None and not named and index < len(items) else len(items)


def same(left: Any, right: Any) -> bool:
    """Whether both are the same plain data: 1, 1.0 and true differ, the order of keys does not matter."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
