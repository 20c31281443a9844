"""Lanes for dangers: one thread for each channel that tells of them and of nothing else.

So neither a storm of other messages, nor their caps, nor another channel that hangs holds up a word of fire.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.alerting.outbox import SteadyOutbox
from gateway.alerts.kinds import is_danger
from gateway.alerts.places import Places
from gateway.alerts.words import Alert, Delivery
from gateway.base.mishaps import Mishaps
from gateway.model import Millis
from gateway.notify.post import FIRST_PAUSE_MS, Outlet, Post
from gateway.notify.worker import NotifyWorker

NO_CAP = 1_000_000


@dataclass(frozen=True, slots=True)
class LaneBox:
    """What one lane owes. Nothing is counted against a cap, and what stands open is repeated by the post for all."""

    outbox: SteadyOutbox
    channel: str

    def due(self, now: Millis) -> list[Delivery]:
        return self.outbox.due(now, dangers_of=self.channel)

    def next_due(self, now: Millis) -> Millis | None:
        return self.outbox.next_due(now)

    def sent_at(self, channel: str, since: Millis) -> list[Millis]:  # noqa: ARG002
        return []

    def standing(self, channel: str) -> list[Alert]:  # noqa: ARG002
        return []


@dataclass(frozen=True, slots=True)
class _Lane:
    post: Post
    worker: NotifyWorker
    outbox: SteadyOutbox

    def closed(self) -> bool:
        """Whether its thread is over; then nothing of it is open any more."""
        if self.worker.ident is not None and self.worker.is_alive():
            return False
        self.outbox.close()
        return True


class Lanes:
    """A channel that fails is asked again every five seconds."""

    def __init__(
        self,
        folder: Path,
        record: Callable[[Sequence[Delivery]], bool],
        now: Callable[[], Millis],
        link: Callable[[Delivery], str | None],
        mishaps: Mishaps,
    ) -> None:
        self._folder, self._record, self._now, self._link, self._mishaps = folder, record, now, link, mishaps
        self._lanes: dict[str, _Lane] = {}
        self._ending: list[_Lane] = []
        self._started = False

    def configure(self, outlets: Mapping[str, Mapping[str, Outlet]], places: Places) -> None:
        """These channels tell of dangers from now on, each by outlets of its own, for a sender belongs to one thread. A
        lane that goes ends after what it is sending.
        """
        lanes = {}
        for channel, own in outlets.items():
            uncapped = {name: replace(outlet, cap_per_hour=NO_CAP, repeat_ms=None) for name, outlet in own.items()}
            lane = self._lanes.get(channel)
            if lane is None:
                lane = self._lane(channel, uncapped, places)
            else:
                lane.post.configure(uncapped, places)
            lanes[channel] = lane
        gone = [lane for channel, lane in self._lanes.items() if channel not in lanes]
        self._lanes = lanes
        for lane in gone:
            lane.worker.ask_to_end()
        self._ending = [lane for lane in (*self._ending, *gone) if not lane.closed()]

    def _lane(self, channel: str, outlets: Mapping[str, Outlet], places: Places) -> _Lane:
        outbox = SteadyOutbox(self._folder)
        post = Post(
            LaneBox(outbox, channel), self._record, outlets, places, self._now, self._link,
            mishaps=self._mishaps, longest_pause_ms=FIRST_PAUSE_MS,
        )  # fmt: skip
        worker = NotifyWorker(post, self._now, mishaps=self._mishaps, name=f"notify-{channel}")
        if self._started:
            worker.start()
        return _Lane(post, worker, outbox)

    @property
    def posts(self) -> Mapping[str, Post]:
        return {channel: lane.post for channel, lane in self._lanes.items()}

    def start(self) -> None:
        self._started = True
        for lane in self._lanes.values():
            lane.worker.start()

    def stop(self, timeout_s: float) -> bool:
        """False if a provider still has one of them waiting."""
        lanes = [*self._lanes.values(), *self._ending]
        started = [lane.worker for lane in lanes if lane.worker.ident is not None]
        for worker in started:
            worker.ask_to_end()
        ended = [worker.end(timeout_s) for worker in started]
        closed = [lane.closed() for lane in lanes]
        return all(ended) and all(closed)

    @property
    def dead(self) -> str | None:
        """The name of a thread that ended without being told to."""
        return next((lane.worker.name for lane in self._lanes.values() if lane.worker.failed is not None), None)

    def wake(self, owed: Sequence[Delivery]) -> None:
        """Wake the lanes of these deliveries, which were stored. Any thread."""
        for channel in {delivery.channel for delivery in owed if is_danger(delivery.alert)}:
            lane = self._lanes.get(channel)
            if lane is not None:
                lane.worker.wake()

    def tell(self, owed: Sequence[Delivery]) -> list[Delivery]:
        """Send those of them that are dangers, although they could not be stored; what is left for others."""
        left = []
        for delivery in owed:
            lane = self._lanes.get(delivery.channel) if is_danger(delivery.alert) else None
            if lane is None:
                left.append(delivery)
            else:
                lane.post.tell([delivery])
        return left

    def failing(self, now: Millis) -> dict[str, tuple[str, bool]]:
        """Channels that did not take their last word of a danger, or lost one."""
        return {name: why for lane in self._lanes.values() for name, why in lane.post.failing(now).items()}
