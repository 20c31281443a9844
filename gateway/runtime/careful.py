"""Intake after starts that ended early: messages are handled singly, until each is durable, and marked meanwhile."""

import logging
from collections import deque
from collections.abc import Iterable

from gateway.core.outcome import Frame
from gateway.core.pipeline import Pipeline
from gateway.model import Millis
from gateway.mqtt.reader import Arrivals
from gateway.runtime.starts import SETTLED_S, Starts

log = logging.getLogger(__name__)

Some = tuple[list[Frame], int, list[int]]  # messages, the connection they came on, what is to be acknowledged for them


class CarefulStart:
    """Belongs to the intake thread. `bytes`: of all payloads that wait."""

    def __init__(self, starts: Starts, pipeline: Pipeline) -> None:
        self._starts, self._pipeline = starts, pipeline
        self._waiting: deque[Some] = deque()
        self._settles_at: float | None = None  # by the steady clock
        self.bytes = 0

    @property
    def singly(self) -> bool:
        """Whether messages wait here for their turn."""
        return self._starts.careful or bool(self._waiting)

    @property
    def settled(self) -> bool:
        return self._starts.settled

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, arrivals: Arrivals) -> None:
        """What one look at the socket brought; it is acknowledged with its last message."""
        last = len(arrivals.frames) - 1
        for place, frame in enumerate(arrivals.frames):
            self._waiting.append(([frame], arrivals.epoch, arrivals.mids if place == last else []))
            self.bytes += len(frame[1])

    def next(self) -> Some | None:
        """The next message, to be asked for once all that follows from the one before is done."""
        self._starts.clear()
        if not self._waiting:
            return None
        some = self._waiting.popleft()
        self.bytes -= len(some[0][0][1])
        return some

    def acquit(self) -> None:
        """It is the disk that the last message waits for: should the process end now, it was not the message."""
        self._starts.clear()

    def without_those_that_ended_us(self, frames: list[Frame], now: Millis) -> list[Frame]:
        """Those that may be handled; the others are set aside."""
        return list(self._admitted(frames, now)) if self._starts.watchful else frames

    def _admitted(self, frames: list[Frame], now: Millis) -> Iterable[Frame]:
        for frame in frames:
            bare = self._starts.unseen(frame[0], frame[1])
            if bare is None:
                yield frame
            else:
                log.warning("a message on %r, which ended the process before, is set aside unseen", frame[0][:200])
                self._pipeline.counters["received"] += 1
                self._pipeline.set_aside(frame, now, bare=bare)

    def settle(self, moment: float, *, subscribed: bool) -> None:
        """This start went well once messages have come for a while. OSError if that can't be kept."""
        if self._settles_at is None:
            self._settles_at = moment + SETTLED_S if subscribed else None
        elif moment >= self._settles_at and not self._waiting:
            self._settles_at = moment + SETTLED_S  # should it fail
            self._starts.settle()
