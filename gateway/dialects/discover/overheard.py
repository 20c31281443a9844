"""What is kept of one device that was overheard: its facts, and the newest message that told each of them."""

from dataclasses import dataclass, field
from typing import Final

from gateway.dialects.base import Overheard
from gateway.model import Millis

SAMPLE_BYTES: Final = 65_536  # the longest message that a dialect reads

Sample = tuple[str, bytes]
"""Topic and payload."""


@dataclass(slots=True)
class OverheardDevice:
    """One device. `samples` holds the newest message for each fact, in order of arrival, to try its lines on."""

    dialect: str
    heard: Overheard
    paths: dict[str, str]
    messages: int = 0
    heard_at: Millis = 0
    samples: dict[str, Sample] = field(default_factory=dict)
    crowded_out: bool = False  # there was no room for a message of it

    def learn(self, heard: Overheard, paths: dict[str, str]) -> None:
        """What it reports grows with each message."""
        known = self.heard
        facts = tuple(dict.fromkeys((*known.facts, *heard.facts)))
        self.heard = Overheard(heard.topic, facts, heard.name or known.name, heard.speaks_on or known.speaks_on)
        self.paths |= paths

    def keep(self, facts: tuple[str, ...], topic: str, payload: bytes, room: int) -> int:
        """Keep the message as the newest that tells `facts`, if `room` bytes hold it; how many bytes more it takes."""
        before = self._bytes()
        kept = {fact: sample for fact, sample in self.samples.items() if fact not in facts}
        kept |= dict.fromkeys(facts, (topic, payload))
        more = _bytes(kept) - before
        if len(payload) > SAMPLE_BYTES or more > room:
            self.crowded_out = True
            return 0
        self.samples = kept
        return more

    def messages_of(self, facts: tuple[str, ...]) -> list[Sample]:
        """The newest messages that told one of these facts; what describes the device comes first."""
        told = dict.fromkeys(sample for fact, sample in self.samples.items() if fact in facts)
        return sorted(told, key=lambda sample: sample[0] != self.heard.topic)

    def _bytes(self) -> int:
        return _bytes(self.samples)


def _bytes(samples: dict[str, Sample]) -> int:
    return sum(len(payload) for _, payload in set(samples.values()))
