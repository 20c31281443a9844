"""Which of the messages that come after a broken connection had come before.

A broker sends again exactly what was not acknowledged, and only that is known for certain here. Its own mark (DUP) says
that it sent the message before, not that it reached us; the embedded broker sets none, and gives new message ids. So
content is counted: for each message that came and was not acknowledged, one equal message is the same again; an equal
one more is news. What was acknowledged in the last moment may come again too, and then counts twice.
"""

from collections import Counter, deque

from gateway.model import AGAIN, DUP, QOS1
from gateway.mqtt.reader import Arrivals, Frame


class Again:
    """For one kept session, over its connections. Acknowledgements come in order of arrival."""

    def __init__(self) -> None:
        self._taken: deque[tuple[list[Frame], int]] = deque()  # and how many of them are to be acknowledged
        self._acknowledged = 0  # of the first of them
        self._expected: Counter[tuple[bytes, bytes]] = Counter()
        self._looking = False  # not on the first connection: what another process took is not known here

    def mark(self, arrivals: Arrivals) -> None:
        """Set AGAIN and DUP on what certainly came before, and DUP on nothing else."""
        if self._looking:
            arrivals.frames = [self._marked(frame) if frame[2] & QOS1 else frame for frame in arrivals.frames]
        if arrivals.mids:
            self._taken.append((arrivals.frames, len(arrivals.mids)))

    def _marked(self, frame: Frame) -> Frame:
        topic, payload, flags = frame
        left = self._expected.pop((topic, payload), 0)
        if left:
            if left > 1:
                self._expected[topic, payload] = left - 1
            return topic, payload, flags | AGAIN | DUP
        self._looking = bool(self._expected) or bool(flags & DUP)
        return topic, payload, flags & ~DUP

    def acknowledged(self, count: int) -> None:
        self._acknowledged += count
        while self._taken and self._acknowledged >= self._taken[0][1]:
            self._acknowledged -= self._taken.popleft()[1]

    def reconnected(self, *, kept: bool) -> None:
        """`kept`: the broker knows the session, and so what it owes us."""
        came = [frame for frames, _ in self._taken for frame in frames if frame[2] & QOS1]
        if kept:
            self._expected.update((topic, payload) for topic, payload, _ in came[self._acknowledged :])
        else:
            self._expected.clear()
        self._taken.clear()
        self._acknowledged = 0
        self._looking = True
