"""What the pages know of the kinds of resource, as the module `js/kinds.js`: made from config/kinds, never written."""

import json
from collections.abc import Iterator

from config.kinds import SPECS, KindSpec, KindWords

NAME = "js/kinds.js"


def script() -> bytes:
    """`KINDS` by name, in their order, and `WORDS`: rows of simplified, traditional, English as in js/words.js."""
    kinds = {name: _facts(spec) for name, spec in SPECS.items()}
    return f"export const KINDS = {_text(kinds)};\nexport const WORDS = {_text(words())};\n".encode()


def words() -> dict[str, KindWords]:
    """`seat`, `seat.unit`, `charger:ebike`, `charger:ebike.short`: every word of every kind and type."""
    return {key: row for spec in SPECS.values() for key, row in _words(spec)}


def _words(spec: KindSpec) -> Iterator[tuple[str, KindWords]]:
    yield spec.name, spec.words
    for form, row in spec.says.items():
        yield f"{spec.name}.{form}", row
    for name, sort in spec.types.items():
        yield f"{spec.name}:{name}", sort.words
        if sort.short is not None:
            yield f"{spec.name}:{name}.short", sort.short
        if sort.thing is not None:
            yield f"{spec.name}:{name}.thing", sort.thing
        if sort.usable is not None:
            yield f"{spec.name}:{name}.usable", sort.usable


def _facts(spec: KindSpec) -> dict[str, object]:
    """`keys`: what is counted and named, in the order of pages; the last one is for what has no type."""
    keys = {
        f"{spec.name}:{name}": sort.icon for name, sort in sorted(spec.types.items(), key=lambda item: item[1].rank)
    }
    return {
        "keys": keys | {spec.name: spec.icon},
        "groups": spec.groups_on_pages,
        "units": spec.counted_in_units,
        "entrance": spec.entrance,
        "vital": spec.vital,
    }


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
