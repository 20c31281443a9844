"""Foreign MQTT dialects: other people's payloads, read into the house's own words. One file each, found by its name.

A dialect is one file here with `bind(source, resource) -> Decoder` and `hear(topic, payload) -> Overheard | None`. It
is imported when a configuration first names it. To add one, copy `_template.py`; `python -m config.schema_json`
afterwards tells editors of it. It may say besides:

- `TOPICS`: how topics begin on which nobody else speaks, so that no other dialect is guessed there;
- `OWN_WILL = True`: `offline` is the last will of the device's own connection; elsewhere a server judged;
- `READS_TS = True`: its decoder takes the source's `ts` itself.
"""

import re
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import cast

from config.modules import module_of, names_in
from gateway.dialects.base import BadSource, Decoded, Decoder, Overheard, Source, Unreadable, is_topic
from gateway.dialects.shared.availability import WithAvailability
from gateway.dialects.shared.stamped import Stamped
from gateway.model import Resource

__all__ = [
    "DIALECTS", "BadSource", "Decoded", "Decoder", "Overheard", "Source", "Unreadable", "bind", "ear", "has_own_will",
    "topics_of",
]  # fmt: skip

DIALECTS = names_in("gateway/dialects")

_OURS = re.compile(r"yz(-[a-z]+)?(/|\Z)")


def bind(source: Source, resource: Resource) -> Decoder:
    """The decoder that feeds `resource` from `source`. BadSource says what to write instead."""
    if source.dialect not in DIALECTS:
        raise BadSource(f"{source.dialect!r} is no dialect; use one of {', '.join(DIALECTS)}")
    for topic in (source.topic, source.availability_topic):
        if topic is not None and not is_topic(topic):
            raise BadSource(f"topic {topic!r}: write one device's own topic, without + and #")
        if topic is not None and _OURS.match(topic):
            raise BadSource(f"topic {topic!r} is one of ours: name its device instead, as in device: seat-01")
    module = _module(source.dialect)
    decoder = cast("Callable[[Source, Resource], Decoder]", module.bind)(source, resource)
    if source.ts is not None and not getattr(module, "READS_TS", False):
        decoder = Stamped(decoder, source.ts)
    if source.availability_topic:
        return WithAvailability(decoder, source.availability_topic, resource)
    return decoder


def ear(dialect: str) -> Callable[[str, bytes], Overheard | None]:
    """The dialect's `hear`: what one message tells somebody who only listens. KeyError for no dialect."""
    return cast("Callable[[str, bytes], Overheard | None]", _module(dialect).hear)


def has_own_will(dialect: str) -> bool:
    """Whether `offline` is the word of the device's own connection, not of a server between."""
    return bool(getattr(_module(dialect), "OWN_WILL", False))


def topics_of(dialect: str) -> tuple[str, ...]:
    """How topics begin on which nobody else speaks."""
    return tuple(getattr(_module(dialect), "TOPICS", ()))


def _module(dialect: str) -> ModuleType:
    if dialect not in DIALECTS:
        raise KeyError(dialect)
    return import_module(f"{__name__}.{module_of(dialect)}")
