"""What comes while the number of shards changes is one side's, in whatever order each side hears it.

The shards that end and the sessions of those that begin hear the same messages, but a broker need not bring them in
one order: NATS and Artemis have a queue for each topic filter, and the nodes of RabbitMQ each an order of their own. So
messages are compared by content and counted. Until the cut the ending shards take all, and the beginning sessions drop
all. After it the ending ones take only what was dropped already, and the beginning ones drop only what was taken; all
else waits for the shards that begin.
"""

import threading
from collections import Counter, deque
from collections.abc import Collection, Sequence

from gateway.base.clock import monotonic_s
from gateway.model import DUP, QOS1, RETAINED
from gateway.mqtt.reader import Frame

LATE_S = 5.0
"""So much later one side may hear a message than the other; what only one side has heard by then had waited for it."""
QUIET_S = 3.0
GRACE_S = 10.0
LOST_S = 60.0
"""What was dropped, and does not come to an ending shard for so long, does not come any more."""

HeardCounts = dict[str, Counter[int]]
"""By session: a topic may come to several of a side, and each counts for itself."""

Lately = tuple[float, int, bool]
"""When, what, and whether of a station that both sides listen to."""


class Parting:
    """Any thread. `takes` is asked by the ending sessions, `drops` by the beginning ones."""

    def __init__(self, stations: Collection[str] | None = None) -> None:
        """`stations`: those that both sides listen to; None: all."""
        self._stations = None if stations is None else {station.encode() for station in stations}
        self._lock = threading.Lock()
        self._taken: HeardCounts = {}
        self._dropped: HeardCounts = {}
        self._lately_taken: deque[Lately] = deque()
        self._lately_dropped: deque[Lately] = deque()
        self._owed: dict[int, float] = {}  # what was dropped and is still to be taken, and since when
        self._ahead: set[int] = set()  # what was taken and is still to be dropped
        self._alone: set[bytes] = set()
        self.lost = 0
        self._waited_at = monotonic_s()  # when something last came that had waited for the ending ones
        self._cut_at: float | None = None

    def leave_alone(self, stations: Collection[str]) -> None:
        """No ending shard hears anything of these, so all of it is the beginning ones'."""
        with self._lock:
            self._alone = {station.encode() for station in stations}

    # ---- the two sides ----

    def takes(self, session: str, frames: Sequence[Frame]) -> list[bool]:
        """Which of them this ending shard is to take; the others it must not acknowledge."""
        with self._lock:
            mine = self._taken.setdefault(session, Counter())
            return [self._takes(mine, frame) for frame in frames]

    def _takes(self, mine: Counter[int], frame: Frame) -> bool:
        topic, payload, flags = frame
        cut = self._cut_at is not None
        if flags & RETAINED or not flags & QOS1:
            return not cut
        key = hash((topic, payload))
        if (cut or flags & DUP) and mine[key] >= _most(self._dropped, key):
            return not cut  # sent again, it counts once
        mine[key] += 1
        if not self._is_owed(key):
            self._owed.pop(key, None)
        if not cut:
            self._lately_taken.append((monotonic_s(), key, self._is_of_both(topic)))
        return True

    def drops(self, session: str, frames: Sequence[Frame]) -> list[bool]:
        """Which of them this beginning session is to drop; the others wait for its shard, and are not acknowledged."""
        with self._lock:
            mine = self._dropped.setdefault(session, Counter())
            return [self._drops(mine, frame) for frame in frames]

    def _drops(self, mine: Counter[int], frame: Frame) -> bool:
        topic, payload, flags = frame
        cut = self._cut_at is not None
        if flags & RETAINED:  # it comes anew to whoever asks
            return True
        if _station(topic) in self._alone:
            return False
        if not flags & QOS1:
            return not cut
        key = hash((topic, payload))
        if (cut or flags & DUP) and mine[key] >= _most(self._taken, key):
            return not cut
        mine[key] += 1
        if not self._is_ahead(key):
            self._ahead.discard(key)
        if not cut:
            self._lately_dropped.append((monotonic_s(), key, self._is_of_both(topic)))
        return True

    # ---- how far it is ----

    def caught_up(self) -> bool:
        """Whether the ending shards have all that waited for them before the beginning sessions were there."""
        with self._lock:
            moment = monotonic_s()
            for at, key, of_both in _older(self._lately_taken, moment - LATE_S):
                if of_both and self._is_ahead(key):
                    self._waited_at = max(self._waited_at, at)
            for at, key, of_both in _older(self._lately_dropped, moment - LATE_S):
                if of_both and self._is_owed(key):
                    self._owed[key] = at
            self._give_up(moment)
            return not self._owed and moment - self._waited_at > LATE_S + QUIET_S

    def begin(self, least_s: float = 0.0) -> None:
        """The beginning sessions are there, and the ending ones listen, who may have to wait so long for something."""
        with self._lock:
            self._waited_at = monotonic_s() + least_s

    def cut(self) -> None:
        with self._lock:
            self._cut_at = moment = monotonic_s()
            self._owed |= {key: moment for _, key, _ in self._lately_dropped if self._is_owed(key)}
            self._ahead = {key for _, key, _ in self._lately_taken if self._is_ahead(key)}

    @property
    def parted(self) -> bool:
        """Whether every message is one side's. `lost`: how many the beginning ones dropped that no ending one got."""
        with self._lock:
            moment = monotonic_s()
            if self._cut_at is None:
                return False
            self._give_up(moment)
            return not self._owed and (not self._ahead or moment - self._cut_at > GRACE_S)

    def _give_up(self, moment: float) -> None:
        lost = [key for key, since in self._owed.items() if moment - since > LOST_S]
        self.lost += len(lost)
        for key in lost:
            del self._owed[key]

    def _is_of_both(self, topic: bytes) -> bool:
        return topic.startswith(b"yz/") and (self._stations is None or _station(topic) in self._stations)

    def _is_owed(self, key: int) -> bool:
        return _most(self._dropped, key) > _most(self._taken, key)

    def _is_ahead(self, key: int) -> bool:
        return _most(self._taken, key) > _most(self._dropped, key)


def _station(topic: bytes) -> bytes:
    """In `yz/{station}/…` and `yz-cmd/{station}/…`."""
    return topic.split(b"/", 2)[1] if topic.startswith((b"yz/", b"yz-cmd/")) else b""


def _most(heard: HeardCounts, key: int) -> int:
    return max((counted[key] for counted in heard.values()), default=0)


def _older(lately: deque[Lately], moment: float) -> list[Lately]:
    """Taken out of it: what came before."""
    older = []
    while lately and lately[0][0] < moment:
        older.append(lately.popleft())
    return older
