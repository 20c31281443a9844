"""What `field` and `fields` of a source ask for: paths into the payload and the signals they feed."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.dialects.base import BadSource, Source
from gateway.dialects.shared import values
from gateway.dialects.shared.facts import EVENTS, FACTS, MAIN, Name, name_reader, reader_of
from gateway.dialects.shared.paths import Path, parse
from gateway.dialects.shared.values import SignalReader
from gateway.model import KindName, Signal


class Pick(NamedTuple):
    """One configured path and the signal it feeds."""

    path: Path
    signal: str
    read: SignalReader


def picks_of(source: Source, kind: KindName, names: Iterable[Name]) -> tuple[Pick, ...]:
    """The configured picks, the main one first. `names` are the dialect's own fields. Raises BadSource."""
    known = {name.key: name for name in reversed(tuple(names)) if name.fact in FACTS[kind]}
    return (*_main(source, kind, known), *_others(source, kind, known))


def finished(source: Source, signal: str, read: SignalReader) -> SignalReader:
    """Configured words first, then the configured factor, then the dialect."""
    return values.translated(source.words(signal), values.scaled(source.scale.get(signal, 1.0), read))


def _main(source: Source, kind: KindName, known: Mapping[str, Name]) -> list[Pick]:
    if source.field is None:
        return []
    path = parse(source.field)
    name = known.get(path[-1]) if path else None
    if name is not None:
        signal = FACTS[kind][name.fact]
        return [Pick(path, signal, finished(source, signal, name_reader(kind, name)))]
    word, number = MAIN[kind]
    read = reader_of(kind, word)
    if number is None:
        return [Pick(path, word, finished(source, word, values.or_some(read) if word == "occupied" else read))]
    if word == "status" and any(key.isdecimal() for key in values.by_spelling(source.words(word))):
        return [Pick(path, word, values.translated(source.words(word), read))]  # numbers here are codes, not watts
    return [
        Pick(path, word, values.translated(source.words(word), values.unless_number(read))),
        Pick(path, number, finished(source, number, values.if_number(reader_of(kind, number)))),
    ]


def _others(source: Source, kind: KindName, known: Mapping[str, Name]) -> list[Pick]:
    picks = []
    for signal, written in source.fields.items():
        path = parse(written)
        if signal == "event":
            picks.append(Pick(path, signal, _event(source.words(signal))))
            continue
        if signal not in FACTS[kind].values():
            allowed = ", ".join([*dict.fromkeys(FACTS[kind].values()), "event"])
            raise BadSource(f"fields: a {kind} has no signal {signal!r}; use one of {allowed}")
        name = known.get(path[-1]) if path else None
        # A dialect that knows this field knows its sense too: Zigbee2MQTT's contact is true when closed.
        same = name is not None and FACTS[kind][name.fact] == signal
        read = name_reader(kind, name) if name is not None and same else reader_of(kind, signal)
        picks.append(Pick(path, signal, finished(source, signal, read)))
    return picks


def _event(words: Mapping[str, Signal]) -> SignalReader:
    """A word happens each time it is told; a flag (true, 1) comes with every message, and happens when it turns."""
    table = values.by_spelling(words)
    before: object = None

    def event(value: object) -> Signal | None:
        nonlocal before
        last, before = before, value
        if not isinstance(value, str) and value == last:
            return None
        meant = table.get(values.spelled(value))
        return meant if meant in EVENTS else None

    return event
