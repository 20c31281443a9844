"""Sessions at a change of the number of shards: those of the shards that end, and those of the shards that begin.

A broker brings what it gets into one order, and each session hears it in that order. A marker parts it: what comes
before is taken by the session that ends, what comes after waits in the one that begins.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from gateway.base.clock import monotonic_s
from gateway.model import QOS1
from gateway.mqtt.client import Broker
from gateway.mqtt.reader import Arrivals, Frame
from gateway.mqtt.session import Session

log = logging.getLogger(__name__)

PROBE, CUT = b"probe", b"cut"
POLL_S = 0.05
LOOKS = 5


class EndingSession(Session):
    """Takes what waits for a shard that ends, up to the cut, and asks for nothing. Belongs to its intake; the state may
    be asked for by any thread.

    `was_there`: whether the broker had the session; None before it has said so. `heard`: a probe has come, so
    everything before it has. `reached`: nothing more is taken. `owed`: how many are taken and not yet acknowledged.
    """

    def __init__(self, broker: Broker, client_id: str, marker: str, **terms: Any) -> None:
        """`terms` as of a Session."""
        super().__init__(broker, client_id, **terms)
        self._marker = marker.encode()
        self.was_there: bool | None = None
        self.heard = self.reached = False
        self.owed = 0
        self._quiet_since, self._looks = monotonic_s(), 0  # and how often it was looked since

    def quiet_for(self, seconds: float) -> bool:
        """Whether it was looked again and again for so long, and nothing came."""
        return self._looks >= LOOKS and monotonic_s() - self._quiet_since > seconds

    def subscribe(self, filters: Sequence[str]) -> None:
        """It listens to what it has listened to, as long as it is there."""

    def poll(self, timeout_s: float, *, reading: bool = True, little: bool = False) -> Arrivals | None:
        arrivals = super().poll(timeout_s, reading=reading, little=little)
        if arrivals is None or self.reached:
            self._looks += self.connected
            return None  # not acknowledged, so it ends with the session: the next shard has it
        self._quiet_since, self._looks = monotonic_s(), 0
        frames = arrivals.frames
        at = _cut_in(frames, self._marker)
        if at is not None:
            arrivals.frames, arrivals.mids = frames[:at], arrivals.mids[: _mids_in(frames[:at])]
        self.owed += len(arrivals.mids)
        self.heard = self.heard or any(topic == self._marker for topic, _, _ in frames)
        self.reached = at is not None
        return arrivals

    def ack(self, epoch: int, mids: Sequence[int]) -> None:
        super().ack(epoch, mids)
        if epoch == self.epoch:
            self.owed -= len(mids)

    def give_up_waiting(self) -> None:
        """Take nothing more, though the cut has not come."""
        self.reached = True

    def _connected(self, _client: Any, _data: object, flags: Any, reason: Any, props: Any) -> None:
        super()._connected(_client, _data, flags, reason, props)
        if self.connected:
            self.was_there, self.owed = bool(flags.session_present), 0
            self._quiet_since, self._looks = monotonic_s(), 0
            self.reached = self.reached or not self.was_there


class BeginningSession:
    """Makes the session of a shard that is not there yet, and leaves it with the cut and what comes after it.

    One message at a time is under way, so what waits afterwards was never sent, and comes unmarked.
    """

    def __init__(self, broker: Broker, client_id: str, marker: str, filters: Sequence[str], **terms: Any) -> None:
        self._marker = marker.encode()
        self._session = Session(broker, client_id, filters=filters, receive_maximum=1, fast=False, **terms)
        self.heard = False  # a probe has come
        self.left = False

    @property
    def ready(self) -> bool:
        """What comes from now on is held for the shard."""
        session = self._session  # a topic that is refused is refused to the shard, too, which tells of it
        return session.subscribed or (session.connected and session.trouble is not None)

    def poll(self) -> None:
        """Drop what comes before the cut: the shard of before has it."""
        if self.left:
            return
        arrivals = self._session.poll(0.0)
        if arrivals is None:
            return
        self.heard = self.heard or any(topic == self._marker for topic, _, _ in arrivals.frames)
        at = _cut_in(arrivals.frames, self._marker)
        before = arrivals.frames if at is None else arrivals.frames[:at]
        self._session.ack(arrivals.epoch, arrivals.mids[: _mids_in(before)])
        if at is not None:
            self.leave()

    def leave(self) -> None:
        """Let the broker hold what comes."""
        if not self.left:
            self.left = True
            self._session.close()


class MarkerSession:
    """Says on the marker's topic how far the change is."""

    def __init__(self, broker: Broker, client_id: str, marker: str) -> None:
        self._marker = marker
        self.session = Session(broker, client_id, keep=False)
        self._said_at = 0.0

    def say(self, word: bytes) -> bool:
        """False while there is no connection."""
        return self.session.publish(self._marker, word) is not None

    def poll(self) -> None:
        self.session.poll(POLL_S)

    def probe(self, every_s: float = 0.5) -> None:
        if monotonic_s() - self._said_at >= every_s and self.say(PROBE):
            self._said_at = monotonic_s()

    def clear(self, topic: str) -> None:
        """What is retained there holds no more."""
        self.session.publish(topic, b"", retain=True)


def end_session(broker: Broker, client_id: str, wait: Callable[[Callable[[], bool]], None]) -> None:
    """Have the broker keep nothing for this client id. `wait` returns when what it is given is true."""
    session = Session(broker, client_id, keep=False)

    def entered() -> bool:
        session.poll(POLL_S)
        return session.connected

    try:
        wait(entered)
    finally:
        session.close()


def _cut_in(frames: Sequence[Frame], marker: bytes) -> int | None:
    """Where the cut stands among them."""
    return next((at for at, frame in enumerate(frames) if frame[:2] == (marker, CUT)), None)


def _mids_in(frames: Sequence[Frame]) -> int:
    """How many of them are to be acknowledged."""
    return sum(1 for _, _, flags in frames if flags & QOS1)
