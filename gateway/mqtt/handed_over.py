"""Sessions at a change of the number of shards: those of the shards that end, and those of the shards that begin.

Both hear what devices say meanwhile; a `Parting` tells of each message whose it is.
"""

from collections.abc import Callable, Sequence
from typing import Any

from gateway.base.clock import monotonic_s
from gateway.model import QOS1
from gateway.mqtt.client import Broker
from gateway.mqtt.parting import Parting
from gateway.mqtt.reader import Arrivals, Frame
from gateway.mqtt.session import Session

POLL_S = 0.05
LOOKS = 5
AT_ONCE = 20
"""What a session of a shard that begins has unacknowledged at most, where the broker minds it (MQTT 5)."""


class EndingSession(Session):
    """Takes what waits for a shard that ends, as far as it is its own, and asks for nothing. Belongs to its intake; the
    state may be asked for by any thread.

    `was_there`: whether the broker had the session; None before it has said so. `owed`: how many are taken and not yet
    acknowledged.
    """

    def __init__(self, broker: Broker, client_id: str, parting: Parting, **terms: Any) -> None:
        """`terms` as of a Session."""
        super().__init__(broker, client_id, **terms)
        self._parting = parting
        self.was_there: bool | None = None
        self.owed = 0
        self._quiet_since, self._looks = monotonic_s(), 0  # and how often it was looked since

    def quiet_for(self, seconds: float) -> bool:
        """Whether it was looked again and again for so long, and nothing came."""
        return self._looks >= LOOKS and monotonic_s() - self._quiet_since > seconds

    def subscribe(self, filters: Sequence[str]) -> None:
        """It listens to what it has listened to, as long as it is there."""

    def poll(self, timeout_s: float, *, reading: bool = True, little: bool = False) -> Arrivals | None:
        arrivals = super().poll(timeout_s, reading=reading, little=little)
        if arrivals is None:
            self._looks += self.connected
            return None
        self._quiet_since, self._looks = monotonic_s(), 0
        ours = self._parting.takes(self.client_id, arrivals.frames)
        if not all(ours):  # the others are not acknowledged, so they end with the session
            arrivals.frames, arrivals.mids = _of(arrivals, ours)
        self.owed += len(arrivals.mids)
        return arrivals if arrivals.frames else None

    def ack(self, epoch: int, mids: Sequence[int]) -> None:
        super().ack(epoch, mids)
        if epoch == self.epoch:
            self.owed -= len(mids)

    def _connected(self, _client: Any, _data: object, flags: Any, reason: Any, props: Any) -> None:
        super()._connected(_client, _data, flags, reason, props)
        if self.connected:
            self.was_there, self.owed = bool(flags.session_present), 0
            self._quiet_since, self._looks = monotonic_s(), 0


class BeginningSession:
    """Makes the session of a shard that is not there yet, and leaves it with what is that shard's.

    Few messages at a time are under way, so most of what waits afterwards was never sent, and comes unmarked.
    """

    def __init__(self, broker: Broker, client_id: str, parting: Parting, filters: Sequence[str], **terms: Any) -> None:
        self._parting = parting
        self._session = Session(broker, client_id, filters=filters, receive_maximum=AT_ONCE, fast=False, **terms)
        self.left = False

    @property
    def ready(self) -> bool:
        """What comes from now on is held for the shard."""
        session = self._session  # a topic that is refused is refused to the shard, too, which tells of it
        return session.subscribed or (session.connected and session.trouble is not None)

    def poll(self) -> None:
        """Drop what is the ending shards'."""
        if self.left:
            return
        arrivals = self._session.poll(0.0)
        if arrivals is not None:
            theirs = self._parting.drops(self._session.client_id, arrivals.frames)
            _, mids = _of(arrivals, theirs)
            self._session.ack(arrivals.epoch, mids)

    def leave(self) -> None:
        """Let the broker hold what comes."""
        if not self.left:
            self.left = True
            self._session.close()


class ClearingSession:
    """Clears what is retained and holds no more."""

    def __init__(self, broker: Broker, client_id: str) -> None:
        self.session = Session(broker, client_id, keep=False)

    def poll(self) -> None:
        self.session.poll(POLL_S)

    def clear(self, topic: str) -> None:
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


def _of(arrivals: Arrivals, chosen: Sequence[bool]) -> tuple[list[Frame], list[int]]:
    """The chosen messages, and what is to be acknowledged for them."""
    frames, mids, left = [], [], iter(arrivals.mids)
    for frame, is_chosen in zip(arrivals.frames, chosen, strict=True):
        mid = next(left) if frame[2] & QOS1 else None
        if is_chosen:
            frames.append(frame)
            mids += [] if mid is None else [mid]
    return frames, mids
