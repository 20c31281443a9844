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


class Lanes:
    """`outlets` are made for each lane anew, for a sender belongs to one thread. A channel that fails is asked again
    every five seconds."""

    def __init__(
        self,
        folder: Path,
        channels: Sequence[str],
        outlets: Callable[[], Mapping[str, Outlet]],
        record: Callable[[Sequence[Delivery]], bool],
        places: Places,
        now: Callable[[], Millis],
        link: Callable[[Delivery], str | None],
        mishaps: Mishaps,
    ) -> None:
        self.posts: dict[str, Post] = {}
        self._workers: dict[str, NotifyWorker] = {}
        self._outboxes: list[SteadyOutbox] = []
        for channel in channels:
            uncapped = {
                name: replace(outlet, cap_per_hour=NO_CAP, repeat_ms=None) for name, outlet in outlets().items()
            }
            outbox = SteadyOutbox(folder)
            self._outboxes.append(outbox)
            post = Post(
                LaneBox(outbox, channel), record, uncapped, places, now, link,
                mishaps=mishaps, longest_pause_ms=FIRST_PAUSE_MS,
            )  # fmt: skip
            self.posts[channel] = post
            self._workers[channel] = NotifyWorker(post, now, mishaps=mishaps, name=f"notify-{channel}")

    def start(self) -> None:
        for worker in self._workers.values():
            worker.start()

    def stop(self, timeout_s: float) -> bool:
        """False if a provider still has one of them waiting."""
        started = [worker for worker in self._workers.values() if worker.ident is not None]
        for worker in started:
            worker.end(0)
        ended = [worker.end(timeout_s) for worker in started]
        if not all(ended):
            return False
        for outbox in self._outboxes:
            outbox.close()
        return True

    @property
    def dead(self) -> str | None:
        """The name of a thread that ended without being told to."""
        return next((worker.name for worker in self._workers.values() if worker.failed is not None), None)

    def wake(self, owed: Sequence[Delivery]) -> None:
        """These were stored. Any thread."""
        for channel in {delivery.channel for delivery in owed if is_danger(delivery.alert)}:
            if channel in self._workers:
                self._workers[channel].wake()

    def tell(self, owed: Sequence[Delivery]) -> list[Delivery]:
        """Send those of them that are dangers, although they could not be stored; what is left for others."""
        left = []
        for delivery in owed:
            post = self.posts.get(delivery.channel) if is_danger(delivery.alert) else None
            if post is None:
                left.append(delivery)
            else:
                post.tell([delivery])
        return left

    def failing(self, now: Millis) -> dict[str, tuple[str, bool]]:
        """Channels that did not take their last word of a danger, or lost one."""
        return {name: why for post in self.posts.values() for name, why in post.failing(now).items()}
