"""What came is given to the writer, one commit at a time; once it is durable it is acknowledged, and followed up.

Belongs to the intake thread. Moments are of the steady clock, in seconds.
"""

from collections.abc import Callable, Iterable, Sequence

from gateway.alerting import Alerting
from gateway.base.clock import monotonic_s
from gateway.core.outcome import Outcome
from gateway.core.pipeline import INTERNAL_ERROR, Pipeline
from gateway.live import Device
from gateway.model import Millis
from gateway.mqtt import Session
from gateway.runtime.confirming import Confirming
from gateway.runtime.limits import IntakeLimits
from gateway.runtime.memory import Memory
from gateway.runtime.status import CommitTimes
from gateway.runtime.watermarks import Watermarks, of_boxes
from gateway.runtime.writer import Commit, Writer


class Committing:
    """`busy`: the commit that the writer has. `mids`: what is to be acknowledged for all that came after it."""

    def __init__(
        self, session: Session, pipeline: Pipeline, writer: Writer, memory: Memory, alerting: Alerting,
        limits: IntakeLimits,
    ) -> None:  # fmt: skip
        self.session = session
        self.busy: Commit | None = None
        self.mids: list[int] = []
        self.stored = 0
        self.times = CommitTimes()
        self.confirming = Confirming(session.publish_many)
        self.watermarks = Watermarks(limits.ack_interval_s)
        self.on_durable: Callable[[Outcome], None] = lambda _outcome: None
        self._pipeline, self._writer, self._memory, self._alerting = pipeline, writer, memory, alerting
        self._mishaps = pipeline.live.mishaps
        self._snapshot_interval_s, self._snapshot_messages = limits.snapshot_interval_s, limits.snapshot_messages
        self._parts_due: list[int] = []
        self._part_at, self._part_due = 0.0, 0  # the next one: at this time, or when so many messages are stored

    @property
    def backlog(self) -> int:
        """Messages received and not yet durable. Any thread may ask."""
        busy = self.busy
        return len(self._pipeline.outcome.batch) + (len(busy.outcome.batch) if busy is not None else 0)

    @property
    def rests(self) -> bool:
        """Whether all that came is durable and acknowledged."""
        return self.busy is None and not self.mids and not self._pipeline.pending

    def keep_parts(self, parts: Sequence[int]) -> None:
        """Have these parts of the live state kept with the next commit."""
        self._parts_due += parts

    def connected(self, devices: Iterable[Device]) -> None:
        """A new connection: the broker sends again what was not acknowledged, and devices may not have heard theirs."""
        self.mids = []
        with self._mishaps.contained("watermarks"):
            self.watermarks.again(devices, monotonic_s())
            self._pipeline.outcome.boxes.update(self._pipeline.live.boxes.links())

    def owes(self, moment: float) -> bool:
        """Whether there is something to store, to acknowledge or to tell."""
        return bool(self.mids or self._parts_due) or self._pipeline.pending or self.watermarks.due(moment)

    def hand_over(self, now: Millis) -> None:
        """Give the writer all that has gathered, with what follows from it once it is durable."""
        moment = monotonic_s()
        if not self.owes(moment):
            return
        outcome = self._pipeline.take()
        self.watermarks.heard(outcome.heard, moment)
        self.watermarks.again(outcome.returned, moment)
        watermarks: list[tuple[str, bytes]] = []
        with self._mishaps.contained("watermarks"):
            watermarks = self.watermarks.take(moment) + of_boxes(outcome.boxes)
        due, self._parts_due = self._parts_due, []
        parts: list[tuple[int, bytes]] = []
        with self._mishaps.contained("keeping parts of the live state"):
            parts = [(part, self._memory.dump(part, now)) for part in due]
        if (moment >= self._part_at or self.stored >= self._part_due) and self._memory.parts:
            with self._mishaps.contained("keeping a part of the live state"):
                parts += [self._next_part(moment, now)]
        self._put(Commit(outcome, now, self.session.epoch, self.mids, watermarks, parts))

    def _next_part(self, moment: float, now: Millis) -> tuple[int, bytes]:
        memory = self._memory
        if not memory.dirty:
            memory.dirty = set(range(len(memory.parts)))
        part = min(memory.dirty)
        self._part_at = moment + self._snapshot_interval_s / len(memory.parts)
        self._part_due = self.stored + self._snapshot_messages
        return part, memory.dump(part, now)

    def hand_over_last(self, now: Millis) -> None:
        """All that came, every watermark that is owed, and the whole live state."""
        commit = Commit(self._pipeline.take(), now, self.session.epoch, self.mids)
        self.watermarks.heard(commit.outcome.heard, monotonic_s())
        with self._mishaps.contained("the last watermarks"):
            commit.watermarks = self.watermarks.last(monotonic_s())
        with self._mishaps.contained("keeping the live state"):
            commit.parts = [(part, self._memory.dump(part, now)) for part in range(len(self._memory.parts))]
        self._put(commit)

    def _put(self, commit: Commit) -> None:
        self.busy, self.mids = commit, []
        self._writer.put(commit)

    def collect(self, now: Millis) -> None:
        """What the writer has made durable is acknowledged, in order of arrival."""
        while self._writer.done:
            commit = self._writer.done.popleft()
            self.busy = None
            self.session.ack(commit.epoch, commit.mids)
            self.confirming.put(commit.number, commit.watermarks)
            self.watermarks.sent(monotonic_s())
            self.stored += len(commit.outcome.batch)
            if commit.set_aside:
                self._pipeline.quarantined[INTERNAL_ERROR] += len(commit.set_aside)
            self._pipeline.learn(commit.outcome.batch.looked_up)
            self.times.add(commit.seconds)
            self.on_durable(commit.outcome)
            with self._mishaps.contained("alerts that follow from messages"):
                self._alerting.follow(commit.outcome, commit.number, now)
