"""Messages of ours that are larger than the broker takes: none is lost without a word."""

import logging
from collections.abc import Mapping

log = logging.getLogger(__name__)

HEAD_BYTES = 16  # at most, around topic and payload
KEPT = 100
"""Topics remembered; a flood of them costs itself."""


class Oversized:
    """`count` messages were left out; `sizes` are those of topics whose newest message was, in bytes."""

    def __init__(self) -> None:
        self.count = 0
        self.most = 0
        self.sizes: Mapping[str, int] = {}
        self._told = set[str]()

    def takes(self, topic: str, payload: bytes, most: int) -> bool:
        """Whether a broker that takes packets of `most` bytes takes this one. Each topic is told once in the log."""
        size = len(payload) + len(topic) + HEAD_BYTES
        if size > most:
            self._leave_out(topic, size, most)
        elif topic in self.sizes:
            self.sizes = {name: told for name, told in self.sizes.items() if name != topic}
        return size <= most

    def troubles(self) -> list[str]:
        """In words, the largest first. Any thread may ask."""
        largest = sorted(self.sizes.items(), key=lambda told: (-told[1], told[0]))
        return [_words(topic, size, self.most) for topic, size in largest]

    def left_out_of(self, head: str) -> dict[str, int]:
        """The topics below `head` whose message was too large: the rest of the topic → bytes. Any thread may ask."""
        return {topic[len(head) :]: size for topic, size in self.sizes.items() if topic.startswith(head)}

    def _leave_out(self, topic: str, size: int, most: int) -> None:
        self.count, self.most = self.count + 1, most
        if topic in self.sizes or len(self.sizes) < KEPT:
            self.sizes = {**self.sizes, topic: size}
        if topic not in self._told and len(self._told) < KEPT:
            self._told.add(topic)
            log.error("MQTT: %s", _words(topic, size, most))


def _words(topic: str, size: int, most: int) -> str:
    return (
        f"the message on {topic[:200]} has {size} bytes, more than the {most} that go through the broker, and is left"
        " out; raise its largest packet (mosquitto: max_packet_size; ours is 1 MiB), or part the station"
    )
