"""A new value for an old one as the smallest changes that lead there: what stays keeps its lines and comments."""

from collections.abc import Iterator
from typing import Any

from config.edit.items import NAMES, name_of
from config.edit.meaning import same
from config.edit.words import ConfigChange


def narrowed(old: Any, change: ConfigChange) -> Iterator[ConfigChange]:
    """The changes that make `change.value` of the old value at `change.path`; none where it is the same."""
    new = change.value
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() & new.keys():
        yield from _of_mapping(old, new, change)
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _of_list(old, new, change)
    else:
        yield change


def _below(change: ConfigChange, op: Any, part: str, value: Any = None) -> ConfigChange:
    return ConfigChange(op, (*change.path, part), value)


def _of_mapping(old: dict[str, Any], new: dict[str, Any], change: ConfigChange) -> Iterator[ConfigChange]:
    keys = sorted({**old, **new}, key=lambda key: (key in NAMES, key == NAMES[0]))  # a name last: paths lead by it
    for key in keys:
        if key not in old:
            yield _below(change, "add", key, new[key])
        elif key in new:
            yield from narrowed(old[key], _below(change, "replace", key, new[key]))
    yield from (_below(change, "remove", key) for key in keys if key not in new)


def _of_list(old: list[Any], new: list[Any], change: ConfigChange) -> Iterator[ConfigChange]:
    before, after = [name_of(item) for item in old], [name_of(item) for item in new]
    if not any(before) and not any(after):
        yield from _by_position(old, new, change)
        return
    kept = [name for name in before if name in after]
    plain = None not in before and None not in after and len({*before}) == len(old) and len({*after}) == len(new)
    if not plain or not kept or after[: len(kept)] != kept:
        yield change
        return
    values = dict(zip(after, new, strict=True))
    for item in old:
        if (name := name_of(item)) in values:
            yield from narrowed(item, _below(change, "replace", str(name), values[name]))
    yield from (_below(change, "add", str(name), values[name]) for name in after[len(kept) :])
    yield from (_below(change, "remove", str(name)) for name in before if name not in values)


def _by_position(old: list[Any], new: list[Any], change: ConfigChange) -> Iterator[ConfigChange]:
    if len(new) < len(old):
        first = next((i for i, value in enumerate(new) if not same(old[i], value)), len(new))
        gone = len(old) - len(new)
        if not same(old[first + gone :], new[first:]):
            yield change
            return
        yield from (_below(change, "remove", str(index)) for index in reversed(range(first, first + gone)))
        return
    for index, item in enumerate(old):
        yield from narrowed(item, _below(change, "replace", str(index), new[index]))
    yield from (_below(change, "add", "-", value) for value in new[len(old) :])
