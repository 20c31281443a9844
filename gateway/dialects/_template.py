"""Copy this file to `gateway/dialects/NAME.py`, change every line, and run `python -m config.schema_json`.

Say here whose payloads these are and where they are documented, what `topic` of a source is, and what is missing
(sequence, time, a last will). Its vectors are documented messages with what they mean:
tests/vectors/dialects/NAME.yaml, which every test of dialects reads. docs/dialects.md says what to write and what is
believed.
"""

from typing import Final

from gateway.dialects.base import NO_HEADER, Decoded, Overheard, Source, read_object
from gateway.dialects.shared import values
from gateway.dialects.shared.availability import is_online
from gateway.dialects.shared.facts import Name
from gateway.dialects.shared.meaning import Meaning, ReadSignals
from gateway.model import Millis, Resource

TOPICS: Final = ("toy/",)
OWN_WILL: Final = True

# The device's word, the fact that it tells (gateway/dialects/shared/facts.py), and how the value is read.
NAMES: Final = (
    Name("motion", "presence", values.present),
    Name("watts", "power_w", values.power_w),
    Name("battery", "battery_pct", values.battery_pct),
)


class Toy:
    """`toy/NAME` carries JSON, `toy/NAME/online` the last will."""

    __slots__ = ("_meaning", "_rules", "_state", "_will", "filters")
    valid_for_ms = None  # a device that says how long its values hold has a property here

    def __init__(self, source: Source, resource: Resource) -> None:
        self._meaning = Meaning(source, resource, NAMES)
        self._rules = self._meaning.rules(NAMES)
        self._state, self._will = source.topic, f"{source.topic}/online"
        self.filters = (self._state, self._will)

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`. Raises Unreadable, nothing else, whatever the payload is."""
        if topic == self._will:
            return self._meaning.availability(is_online(payload), NO_HEADER)
        if topic != self._state:
            return None
        body, signals = read_object(payload), ReadSignals()
        ignored = self._meaning.read(self._rules, body, signals)
        self._meaning.take(body, signals)
        return self._meaning.decoded(NO_HEADER, signals, ignored)


bind = Toy


def hear(topic: str, payload: bytes) -> Overheard | None:
    """For `yizhan discover`: what a message tells somebody who only listens; None if it is none of this dialect."""
    if not topic.startswith(TOPICS) or topic.count("/") != 1:
        return None
    body = read_object(payload)
    return Overheard(topic, tuple(name.fact for name in NAMES if name.key in body), topic.partition("/")[2])
