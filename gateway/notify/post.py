"""The post office: what the outbox owes → messages → what became of them. It owns retry, fallback, caps and digests.

A message counts as delivered only when its provider said so, and only that is recorded; a crash between the two sends
it again. A channel that fails is left alone for a while, and its fallback takes over meanwhile. Whatever a receiver
answers, and whatever a sender of ours makes of it, is a failure of that one delivery.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from gateway.alerts.places import Places
from gateway.alerts.words import Alert, Delivery, DeliveryState
from gateway.base.mishaps import Mishaps
from gateway.model import Millis
from gateway.notify.base import Sender, SendError, StaffMessage
from gateway.notify.texts import alert_message, digest_message, standing_message

log = logging.getLogger(__name__)

FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 300_000
AFTER_A_FAULT_MS = 10_000
LONGEST_WISH_MS = 3_600_000  # what a provider may ask for: an alert of yesterday helps nobody
FAULTS_MOST = 10  # attempts of a message on which our own sender breaks; the same words will break it again
GIVE_UP_AFTER_MS = 3 * 86_400_000
HOUR_MS = 3_600_000
CHOKED = 3


class Outbox(Protocol):
    """What the store must answer."""

    def due(self, now: Millis) -> list[Delivery]: ...
    def next_due(self, now: Millis) -> Millis | None: ...
    def sent_at(self, channel: str, since: Millis) -> list[Millis]: ...
    def standing(self, channel: str) -> list[Alert]: ...


@dataclass(frozen=True, slots=True)
class Outlet:
    """A channel as the post office sees it. `fallback` takes over while it fails; what stands open is said again each
    `repeat_ms`, None for never."""

    id: str
    sender: Sender
    lang: str = "zh"
    cap_per_hour: int = 20
    fallback: str | None = None
    repeat_ms: Millis | None = None


@dataclass(slots=True)
class _Health:
    """`trouble`: why the last message was not taken, None after one that was."""

    failures: int = 0
    paused_until: Millis = 0
    repeat_at: Millis = 0
    trouble: str | None = None


class _SenderFaultError(SendError):
    """A sender of ours broke on a message."""


class Post:
    """`run()` sends what is due. `record` makes results durable and says whether it could; it may block."""

    def __init__(
        self,
        outbox: Outbox,
        record: Callable[[Sequence[Delivery]], bool],
        outlets: Mapping[str, Outlet],
        places: Places,
        now: Callable[[], Millis],
        link: Callable[[Delivery], str | None] = lambda _: None,
        digest_ms: Millis = 900_000,
        mishaps: Mishaps | None = None,
        longest_pause_ms: Millis = LONGEST_PAUSE_MS,
    ) -> None:
        """`longest_pause_ms`: for no longer is a channel that failed left alone, whatever its provider asks, where that
        is less than usual."""
        self._longest_pause_ms = longest_pause_ms
        self._outbox, self._record, self._outlets, self._places = outbox, record, outlets, places
        self._now, self._link, self._digest_ms = now, link, digest_ms
        self._mishaps = mishaps or Mishaps()
        self._health = {name: _Health() for name in outlets}
        self._lost: dict[str, tuple[Millis, str]] = {}  # the last dead letter of each channel
        self._unstored: dict[str, Delivery] = {}  # told although the store can't hold them
        self._unrecorded: dict[str, Delivery] = {}  # ended, and the store does not know it yet

    def configure(self, outlets: Mapping[str, Outlet], places: Places, digest_ms: Millis | None = None) -> None:
        """From the next turn on. What is known of a channel that stays is known. Any thread."""
        self._health = {**self._health, **{name: _Health() for name in outlets if name not in self._health}}
        self._outlets, self._places = outlets, places
        if digest_ms is not None:
            self._digest_ms = digest_ms

    def tell(self, deliveries: Sequence[Delivery]) -> None:
        """Send these although they could not be stored, for the store itself is in trouble. Any thread."""
        self._unstored |= {delivery.id: delivery for delivery in deliveries}

    def run(self) -> Millis | None:
        """Send everything due; when to come again, None for not before it is woken."""
        now = self._now()
        waiting = {delivery.id: delivery for delivery in (*self._unstored.copy().values(), *self._outbox.due(now))}
        ended = {name: self._unrecorded[name] for name in waiting if name in self._unrecorded}
        if ended and self._record(list(ended.values())):
            for name in ended:
                del self._unrecorded[name]
        fresh = [delivery for name, delivery in waiting.items() if name not in ended and delivery.due <= now]
        queues, failed = self._queues(fresh)
        wakes: list[Millis | None] = [now + AFTER_A_FAULT_MS] if failed else []
        for name, queue in queues.items():
            wakes.append(self._contained(name, partial(self._serve, self._outlets[name], queue)))
        for name, outlet in self._outlets.items():
            if outlet.repeat_ms is not None:
                wakes.append(self._contained(name, partial(self._repeat, outlet)))
        wakes.append(self._outbox.next_due(now))
        wakes.append(now + FIRST_PAUSE_MS if self._unrecorded or self._unstored else None)
        return min((wake for wake in wakes if wake is not None), default=None)

    def _contained(self, name: str, work: Callable[[], Millis | None]) -> Millis | None:
        """What it raises costs this channel this turn; when to come again."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note(f"alerts.channels.{name}, which is tried again", error)
            return self._now() + AFTER_A_FAULT_MS

    def _queues(self, deliveries: Sequence[Delivery]) -> tuple[dict[str, list[Delivery]], bool]:
        """By channel, in order; but a message that a provider chokes on must not hold up the others for ever.

        Also whether one of them failed, and stays due.
        """
        queues: dict[str, list[Delivery]] = {}
        failed = False
        for delivery in sorted(
            deliveries, key=lambda delivery: (delivery.attempts >= CHOKED, delivery.at, delivery.id)
        ):
            try:
                if delivery.action == "escalated" and delivery.alert.state != "open":
                    self._finish([delivery], "dropped", error="acknowledged or over")
                elif delivery.channel not in self._outlets:
                    self._finish([delivery], "dead", error=f"no channel {delivery.channel!r} is configured any more")
                else:
                    queues.setdefault(delivery.channel, []).append(delivery)
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._mishaps.note(f"delivery {delivery.id}, which is tried again", error, delivery.alert.station)
                failed = True
        return queues, failed

    def _serve(self, outlet: Outlet, queue: list[Delivery]) -> Millis | None:
        """Singly while the hour's cap lasts, the last of it for a digest; when to come again for what is left."""
        sent = self._outbox.sent_at(outlet.id, self._now() - HOUR_MS)
        left = outlet.cap_per_hour - len(sent)
        digest_at = sent[-1] + self._digest_ms if sent and left <= 0 else self._now()
        if left <= 0 and digest_at > self._now():
            return digest_at
        singles = queue if len(queue) <= left else queue[: max(0, left - 1)]
        for number, delivery in enumerate(singles):
            again = self._deliver(outlet, [delivery])
            if again is not None:
                self._postpone(singles[number + 1 :] + queue[len(singles) :], again)
                return again
        rest = queue[len(singles) :]
        return self._deliver(outlet, rest) if rest else None

    def _deliver(self, outlet: Outlet, parcel: list[Delivery]) -> Millis | None:
        """Try the channel, then its fallbacks. None when that settled it, else when any of them may be tried again."""
        now = self._now()
        chain = list(self._chain(outlet))
        errors: list[SendError] = []
        for channel in chain:
            if self._health[channel.id].paused_until > now:
                continue
            try:
                self._send(channel, partial(self._message, channel, parcel, now), now)
            except SendError as error:
                log.warning("alerts.channels.%s: not delivered: %s", channel.id, error)
                errors.append(error)
            else:
                self._finish(parcel, "delivered", via=channel.id)
                return None
        reason = "; ".join(map(str, errors)) or parcel[0].error or "the channel is paused after a failure"
        if len(errors) == len(chain) and all(error.permanent for error in errors):
            self._finish(parcel, "dead", error=reason)
            return None
        again = max(min(self._health[channel.id].paused_until for channel in chain), now + 1)
        breaks = len(errors) == len(chain) and all(
            isinstance(error, _SenderFaultError) or error.permanent for error in errors
        )
        old = [
            delivery
            for delivery in parcel
            if now - delivery.at > GIVE_UP_AFTER_MS or (breaks and delivery.attempts + 1 >= FAULTS_MOST)
        ]
        self._finish(old, "dead", error=reason)
        tried = bool(errors)
        self._postpone([delivery for delivery in parcel if delivery not in old], again, reason, tried=tried)
        return again

    def _repeat(self, outlet: Outlet) -> Millis | None:
        """Say what stands open again if it is time; when to come again, None while nothing does."""
        now, health = self._now(), self._health[outlet.id]
        due = max(health.repeat_at, health.paused_until)
        alerts = self._outbox.standing(outlet.id)
        if not alerts or now < due:
            return due if alerts else None
        health.repeat_at = now + (outlet.repeat_ms or 0)
        try:
            self._send(outlet, lambda: standing_message(outlet.id, alerts, self._places, outlet.lang, now), now)
        except SendError as error:
            log.warning("alerts.channels.%s: open alerts not repeated: %s", outlet.id, error)
        return max(health.repeat_at, health.paused_until)

    def _chain(self, outlet: Outlet) -> Iterator[Outlet]:
        seen: set[str] = set()
        current: Outlet | None = outlet
        while current is not None and current.id not in seen:
            seen.add(current.id)
            yield current
            current = self._outlets.get(current.fallback or "")

    def _send(self, outlet: Outlet, message: Callable[[], StaffMessage], now: Millis) -> None:
        health = self._health[outlet.id]
        try:
            outlet.sender.send(message())
        except SendError as error:
            health.trouble = str(error)
            if not error.permanent:
                self._pause(health, now, error.retry_after_s)
            raise
        except Exception as error:
            # A fault in a sender is a failed delivery like any other; it must not end the thread that tells all others.
            fault = _SenderFaultError(f"{type(error).__name__} in the sender: {error}")
            self._mishaps.note(f"alerts.channels.{outlet.id}: its sender", error)
            health.trouble = str(fault)
            self._pause(health, now, None)
            raise fault from error
        health.failures, health.trouble = 0, None

    def failing(self, now: Millis) -> dict[str, tuple[str, bool]]:
        """Channels whose last message was not taken, or that lost one within the hour: (why, lost). Any thread."""
        health = [
            (name, channel_health.trouble) for name, channel_health in self._health.items() if name in self._outlets
        ]
        failing = {name: (trouble, False) for name, trouble in health if trouble is not None}
        lost = {name: (why, True) for name, (at, why) in self._lost.copy().items() if now - at < HOUR_MS}
        return failing | lost

    def _message(self, outlet: Outlet, parcel: list[Delivery], now: Millis) -> StaffMessage:
        if len(parcel) > 1:
            return digest_message(parcel, self._places, outlet.lang, now)
        return alert_message(parcel[0], self._places, outlet.lang, now, self._link(parcel[0]))

    def _postpone(
        self, deliveries: list[Delivery], due: Millis, error: str | None = None, *, tried: bool = False
    ) -> None:
        later = [
            replace(delivery, due=due, attempts=delivery.attempts + tried, error=error or delivery.error)
            for delivery in deliveries
        ]
        for delivery in later:
            if delivery.id in self._unstored:
                self._unstored[delivery.id] = delivery
        if later:
            self._record(later)

    def _finish(
        self, ended: list[Delivery], state: DeliveryState, via: str | None = None, error: str | None = None
    ) -> None:
        attempts = 1 if state in ("delivered", "dead") else 0
        if state == "dead":
            self._lost |= {delivery.channel: (self._now(), error or "") for delivery in ended}
        ended = [
            replace(
                delivery, state=state, attempts=delivery.attempts + attempts, done_at=self._now(), via=via, error=error
            )
            for delivery in ended
        ]
        self._unrecorded |= {delivery.id: delivery for delivery in ended}  # first: what was sent must not be sent again
        unstored = {delivery.id for delivery in ended if self._unstored.pop(delivery.id, None)}
        if ended and self._record(ended) and not unstored:
            for delivery in ended:
                del self._unrecorded[delivery.id]

    def _pause(self, health: _Health, now: Millis, retry_after_s: float | None) -> None:
        """Doubling from five seconds to five minutes, or as long as the provider asks, be that an hour at most."""
        longest = self._longest_pause_ms
        backoff = min(longest, FIRST_PAUSE_MS << min(health.failures, 10))
        health.failures += 1
        most = LONGEST_WISH_MS if longest == LONGEST_PAUSE_MS else longest
        wish_ms = 0.0 if retry_after_s is None else min(retry_after_s * 1000, most)
        health.paused_until = now + (round(wish_ms) if wish_ms >= FIRST_PAUSE_MS else backoff)
