"""What the settings say about a place in the configuration: whether a list stands there, and what names its items."""

from dataclasses import dataclass
from typing import Any, get_args, get_origin

from config.edit.items import NAMES
from config.edit.words import Parts
from config.load import fields_of, section_in
from config.schema import Settings


@dataclass(frozen=True, slots=True)
class SettingShape:
    """`name`: the key that names an item of the list, None where the position does."""

    is_list: bool = False
    name: str | None = None


def shape_at(path: Parts) -> SettingShape:
    """What stands at the path, as far as the settings know it."""
    annotation: Any = Settings
    for part in path:
        annotation = _inside(annotation, part)
    inner = section_in(annotation)
    if not _is_list(annotation):
        return SettingShape()
    fields = fields_of(inner) if inner is not None else {}
    return SettingShape(is_list=True, name=next((name for name in NAMES if name in fields), None))


def _inside(annotation: Any, part: str) -> Any:
    """What stands below: the field of a section, the item of a list, the value of a mapping."""
    if _is_list(annotation):
        return section_in(annotation)
    inner = section_in(annotation)
    if inner is None or get_origin(annotation) is dict:
        return inner
    fields = fields_of(inner)
    return fields[part].annotation if part in fields else None


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) is dict:
        return False
    return get_origin(annotation) is tuple or any(map(_is_list, get_args(annotation)))
