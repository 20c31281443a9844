"""The post office: what the outbox owes → messages → what became of them. It owns retry, fallback, caps and digests.

A message counts as delivered only when its provider said so, and only that is recorded; a crash between the two sends
it again. A channel that fails is left alone for a while, and its fallback takes over meanwhile.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.alerts.places import Places
from gateway.alerts.words import Delivery, DeliveryState
from gateway.model import Millis
from gateway.notify.base import Message, Sender, SendError
from gateway.notify.texts import alert_message, digest_message

log = logging.getLogger(__name__)

FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 300_000
GIVE_UP_AFTER_MS = 3 * 86_400_000
HOUR_MS = 3_600_000
CHOKED = 3


class Outbox(Protocol):
    """What the store must answer."""

    def due(self, now: Millis) -> list[Delivery]: ...
    def next_due(self, now: Millis) -> Millis | None: ...
    def sent_at(self, channel: str, since: Millis) -> list[Millis]: ...


@dataclass(frozen=True, slots=True)
class Outlet:
    """A channel as the post office sees it. `fallback` takes over while it fails."""

    id: str
    sender: Sender
    lang: str = "zh"
    cap_per_hour: int = 20
    fallback: str | None = None


@dataclass(slots=True)
class _Health:
    failures: int = 0
    paused_until: Millis = 0


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
    ) -> None:
        self._outbox, self._record, self._outlets, self._places = outbox, record, outlets, places
        self._now, self._link, self._digest_ms = now, link, digest_ms
        self._health = {name: _Health() for name in outlets}
        self._unstored: dict[str, Delivery] = {}  # told although the store can't hold them
        self._unrecorded: dict[str, Delivery] = {}  # ended, and the store does not know it yet

    def tell(self, deliveries: Sequence[Delivery]) -> None:
        """Send these although they could not be stored, for the store itself is in trouble. Any thread."""
        self._unstored |= {one.id: one for one in deliveries}

    def run(self) -> Millis | None:
        """Send everything due; when to come again, None for not before it is woken."""
        now = self._now()
        waiting = {one.id: one for one in (*self._unstored.copy().values(), *self._outbox.due(now))}
        ended = {name: self._unrecorded[name] for name in waiting if name in self._unrecorded}
        if ended and self._record(list(ended.values())):
            for name in ended:
                del self._unrecorded[name]
        fresh = [one for name, one in waiting.items() if name not in ended and one.due <= now]
        wakes = [self._serve(self._outlets[name], queue) for name, queue in self._queues(fresh).items()]
        wakes.append(self._outbox.next_due(now))
        wakes.append(now + FIRST_PAUSE_MS if self._unrecorded or self._unstored else None)
        return min((wake for wake in wakes if wake is not None), default=None)

    def _queues(self, deliveries: Sequence[Delivery]) -> dict[str, list[Delivery]]:
        """By channel, in order; but a message that a provider chokes on must not hold up the others for ever."""
        queues: dict[str, list[Delivery]] = {}
        for one in sorted(deliveries, key=lambda one: (one.attempts >= CHOKED, one.at, one.id)):
            if one.action == "escalated" and one.alert.state != "open":
                self._finish([one], "dropped", error="acknowledged or over")
            elif one.channel not in self._outlets:
                self._finish([one], "dead", error=f"no channel {one.channel!r} is configured any more")
            else:
                queues.setdefault(one.channel, []).append(one)
        return queues

    def _serve(self, outlet: Outlet, queue: list[Delivery]) -> Millis | None:
        """Singly while the hour's cap lasts, the last of it for a digest; when to come again for what is left."""
        sent = self._outbox.sent_at(outlet.id, self._now() - HOUR_MS)
        left = outlet.cap_per_hour - len(sent)
        digest_at = sent[-1] + self._digest_ms if sent and left <= 0 else self._now()
        if left <= 0 and digest_at > self._now():
            return digest_at
        singles = queue if len(queue) <= left else queue[: max(0, left - 1)]
        for number, one in enumerate(singles):
            again = self._deliver(outlet, [one])
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
        for one in chain:
            if self._health[one.id].paused_until > now:
                continue
            try:
                self._send(one, parcel, now)
            except SendError as error:
                log.warning("alerts.channels.%s: not delivered: %s", one.id, error)
                errors.append(error)
            else:
                self._finish(parcel, "delivered", via=one.id)
                return None
        reason = "; ".join(map(str, errors)) or parcel[0].error or "the channel is paused after a failure"
        if len(errors) == len(chain) and all(error.permanent for error in errors):
            self._finish(parcel, "dead", error=reason)
            return None
        again = max(min(self._health[one.id].paused_until for one in chain), now + 1)
        old = [one for one in parcel if now - one.at > GIVE_UP_AFTER_MS]
        self._finish(old, "dead", error=reason)
        tried = bool(errors)
        self._postpone([one for one in parcel if one not in old], again, reason, tried=tried)
        return again

    def _chain(self, outlet: Outlet) -> Iterator[Outlet]:
        seen: set[str] = set()
        current: Outlet | None = outlet
        while current is not None and current.id not in seen:
            seen.add(current.id)
            yield current
            current = self._outlets.get(current.fallback or "")

    def _send(self, outlet: Outlet, parcel: list[Delivery], now: Millis) -> None:
        health = self._health[outlet.id]
        try:
            outlet.sender.send(self._message(outlet, parcel, now))
        except SendError as error:
            if not error.permanent:
                _pause(health, now, error.retry_after_s)
            raise
        except Exception as error:
            # A fault in a sender is a failed delivery like any other; it must not end the thread that tells all others.
            _pause(health, now, None)
            raise SendError(f"{type(error).__name__} in the sender") from error
        health.failures = 0

    def _message(self, outlet: Outlet, parcel: list[Delivery], now: Millis) -> Message:
        if len(parcel) > 1:
            return digest_message(parcel, self._places, outlet.lang, now)
        return alert_message(parcel[0], self._places, outlet.lang, now, self._link(parcel[0]))

    def _postpone(
        self, deliveries: list[Delivery], due: Millis, error: str | None = None, *, tried: bool = False
    ) -> None:
        later = [replace(one, due=due, attempts=one.attempts + tried, error=error or one.error) for one in deliveries]
        for one in later:
            if one.id in self._unstored:
                self._unstored[one.id] = one
        if later:
            self._record(later)

    def _finish(
        self, ended: list[Delivery], state: DeliveryState, via: str | None = None, error: str | None = None
    ) -> None:
        attempts = 1 if state in ("delivered", "dead") else 0
        ended = [
            replace(one, state=state, attempts=one.attempts + attempts, done_at=self._now(), via=via, error=error)
            for one in ended
        ]
        unstored = {one.id for one in ended if self._unstored.pop(one.id, None)}
        if ended and (not self._record(ended) or unstored):
            self._unrecorded |= {one.id: one for one in ended}


def _pause(health: _Health, now: Millis, retry_after_s: float | None) -> None:
    """Doubling from five seconds to five minutes, or as long as the provider asks."""
    backoff = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(health.failures, 10))
    health.failures += 1
    health.paused_until = now + (backoff if retry_after_s is None else max(1000, round(retry_after_s * 1000)))
