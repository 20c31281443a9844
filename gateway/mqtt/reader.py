"""What both receive paths have in common: the words of an arrival."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Frame = tuple[bytes, bytes, int]  # topic, payload, flags: RETAINED | QOS1 | AGAIN | DUP


@dataclass(slots=True)
class Arrivals:
    """What one look at the socket brought. `mids` are the ids to acknowledge, in order of arrival."""

    frames: list[Frame] = field(default_factory=list)
    mids: list[int] = field(default_factory=list)
    epoch: int = 0


class FrameReader(Protocol):
    """A receive path over one paho client."""

    def read(self, *, little: bool = False) -> Arrivals | None:
        """All that one look brings; `little`: of a look that brings few messages."""
        ...

    def ack(self, mids: Sequence[int]) -> None: ...
    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None: ...
    def publish_latest(self, messages: Iterable[tuple[str, bytes]]) -> None: ...
    def confirmed(self, mid: int) -> bool:
        """True when paho tells that a message of `publish_latest` has arrived."""
        ...

    def reset(self) -> None:
        """A new connection is about to be made: what was half read, or waited to be sent, is forgotten."""
        ...

    def jammed(self, moment: float) -> bool:
        """Whether the broker confirms nothing any more, so that what waits would wait for ever."""
        ...

    def opened(self, window: int) -> None:
        """The broker has taken us; it wants no more than `window` messages unconfirmed."""
        ...
