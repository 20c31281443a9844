"""What follows of alert events: they are stored with what is owed to whom, published, and told to channels and screens.

The writer's thread stores; the notify thread sends; `keep` and `publish_all` belong to the intake thread.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from config.schema import Settings
from gateway.alerting.configured import Reconfigured, base_url, dead_man_of, lanes_of, outlets_of, routes_of
from gateway.alerting.lanes import Lanes
from gateway.alerting.outbox import SteadyOutbox
from gateway.alerting.telling import Telling
from gateway.alerts.orders import OrderEvent
from gateway.alerts.places import Places
from gateway.alerts.routes import deliveries
from gateway.alerts.shelf import Muted, Shelf
from gateway.alerts.words import Alert, AlertEvent, Delivery
from gateway.base.mishaps import Mishaps
from gateway.model import Millis
from gateway.notify import links
from gateway.notify.post import Post
from gateway.notify.worker import NotifyWorker
from gateway.store.base import Store
from gateway.store.jobs import (
    OPENINGS_KEPT_MS,
    REPORTS_KEPT_MS,
    ForgetAlerts,
    ForgetEnded,
    ForgetOpenings,
    ForgetReports,
    Job,
    KeepAlerts,
    KeepOrder,
    SettleDeliveries,
    WriteJobs,
)

CURSOR_EVERY_MS = 60_000
CATCH_UP_EVERY_MS = 10_000
RECORD_WAIT_S = 5.0
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class _Owed:
    """What has happened and is to be kept; `asked` waits for it."""

    events: Sequence[AlertEvent]
    steps: Sequence[OrderEvent]
    more: Sequence[Job]
    asked: "Future[list[AlertEvent]] | None"


class Dispatch:
    """`write` has the writer's thread do jobs, between commits and in order; `publish(topic, payload)` retains;
    `healthy` says whether the dead man's switch may be held. `listeners` hear each event.

    `upto` is the last batch that alerts have followed: it is stored with the events, or once a minute without any.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        mishaps: Mishaps,
        *,
        write: WriteJobs,
        publish: Callable[[str, bytes], None],
        healthy: Callable[[], bool],
        now: Callable[[], Millis],
    ) -> None:
        """ValueError when a channel's address or secret can't be read."""
        self._mishaps, self._write, self._healthy = mishaps, write, healthy
        self._outbox = SteadyOutbox(store.folder, [channel.id for channel in settings.alerts.channels])
        self._places, self._routes = Places.of(settings), routes_of(settings)
        self._telling = Telling(publish, mishaps)
        self.listeners = self._telling.listeners
        self._shelf = Shelf()
        self.told_elsewhere: Callable[[Alert], bool] = lambda _alert: False
        self.link_key = links.key_in(settings.store.path)  # not the shard's own: the page of a link serves all shards
        self._link_ms, self._base = settings.alerts.link_hours * 3_600_000, base_url(settings)
        self._keep_ms = settings.store.retention.alerts_days * DAY_MS
        self.upto = self._kept_upto = 0
        self._cursor_at = self._forget_at = self._catch_up_at = 0
        self._unkept: list[_Owed] = []
        self.at_once = False  # the store is in trouble: channels are told before it is durable
        alerts = settings.alerts
        self.post = Post(
            self._outbox, self._record, outlets_of(settings), self._places, now, self._link,
            alerts.digest_min * 60_000, mishaps,
        )  # fmt: skip
        self._worker = NotifyWorker(self.post, now, dead_man_of(settings, healthy), mishaps)
        self.lanes = Lanes(store.folder, self._record, now, self._link, mishaps)
        self.lanes.configure(lanes_of(settings), self._places)

    def configure(self, change: Reconfigured) -> None:
        """Take up whom to tell what, and how, from now on. Belongs to the intake thread.

        Channels are made anew each time: their secrets may be others though the configuration says the same.
        """
        settings, alerts = change.settings, change.settings.alerts
        self._places, self._routes = change.places, change.routes
        self._link_ms, self._base = alerts.link_hours * 3_600_000, base_url(settings)
        self._outbox.configure(change.lanes)
        self.post.configure(change.outlets, change.places, alerts.digest_min * 60_000)
        self.lanes.configure(change.lanes, change.places)
        self._worker.configure(dead_man_of(settings, self._healthy))

    def resume(self, closed: Iterable[Alert], upto: int, muted: Iterable[Muted] = ()) -> None:
        """After a start: alerts that were closed lately, newest first, the batch that was followed last, and what staff
        muted, the oldest first."""
        self._telling.resume(closed)
        self._shelf.resume(muted)
        self.upto = self._kept_upto = upto

    def start(self) -> None:
        self._worker.start()
        self.lanes.start()

    def stop(self, timeout_s: float) -> bool:
        """False if a provider still has the notify thread waiting; what it was sending will be sent again."""
        ended = self._worker.ident is None or self._worker.end(timeout_s)
        if ended:
            self._outbox.close()
        return self.lanes.stop(timeout_s) and ended

    @property
    def dead(self) -> str | None:
        """The name of a notify thread that ended without being told to."""
        return self._worker.name if self._worker.failed is not None else self.lanes.dead

    def failing(self, now: Millis) -> dict[str, tuple[str, bool]]:
        """Channels that don't deliver: (why, whether a message is lost). Any thread."""
        return self.lanes.failing(now) | self.post.failing(now)

    def keep(
        self,
        events: Sequence[AlertEvent],
        steps: Sequence[OrderEvent] = (),
        more: Sequence[Job] = (),
        asked: "Future[list[AlertEvent]] | None" = None,
    ) -> None:
        """Store it all in one transaction, tell who asked and who listens, wake the notify thread."""
        if not (events or steps or more):
            if asked is not None:
                asked.set_result([])
            return
        owe = _Owed(events, steps, more, asked)
        try:
            self._store_all(owe)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note("keeping what happened to alerts", error)
            self._unkept.append(owe)
        self._telling.tell(events)

    def _store_all(self, owe: _Owed) -> None:
        asked, events = owe.asked, owe.events
        kept = [KeepAlerts([event], self._owed(event)) for event in events]
        owed = [delivery for job in kept for delivery in job.deliveries]

        def stored(error: Exception | None) -> None:
            if asked is not None and error is None:
                asked.set_result(list(events))
            elif asked is not None:
                asked.set_exception(error)
            self._worker.wake()
            self.lanes.wake(owed)

        if self.at_once and owed:
            self.post.tell(self.lanes.tell(owed))
            self._worker.wake()
            self.lanes.wake(owed)
        self._write([*kept, KeepAlerts(upto=self.upto), *map(KeepOrder, owe.steps), *owe.more], stored)
        self._kept_upto = self.upto

    def catch_up(self, now: Millis) -> None:
        """What could not be kept or told is tried once more."""
        if not (self._unkept or self._telling) or now < self._catch_up_at <= now + CATCH_UP_EVERY_MS:
            return
        self._catch_up_at = now + CATCH_UP_EVERY_MS
        unkept, self._unkept = self._unkept, []
        for owe in unkept:
            try:
                self._store_all(owe)
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._mishaps.note("keeping what happened to alerts", error)
                if owe.asked is not None:
                    owe.asked.set_exception(error)
        self._telling.again()

    def publish_all(self, alerts: Iterable[Alert]) -> None:
        """Tell the broker all of it again, which may have forgotten or missed it. `alerts`: those that are open."""
        self._telling.everything(alerts)

    def upkeep(self, now: Millis) -> None:
        """The cursor, where nothing else has stored it; what is too old."""
        jobs: list[Job] = []
        if now >= self._cursor_at and self.upto > self._kept_upto:
            self._cursor_at, self._kept_upto = now + CURSOR_EVERY_MS, self.upto
            jobs.append(KeepAlerts(upto=self.upto))
        if now >= self._forget_at:
            self._forget_at = now + DAY_MS
            jobs += [ForgetAlerts(now - self._keep_ms), ForgetOpenings(now - OPENINGS_KEPT_MS)]
            jobs += [ForgetReports(now - REPORTS_KEPT_MS), ForgetEnded(now - OPENINGS_KEPT_MS)]
        if jobs:
            self._write(jobs)

    def _owed(self, event: AlertEvent) -> list[Delivery]:
        self._shelf.take(event)
        if self._shelf.holds(event.alert) or self.told_elsewhere(event.alert):
            return []
        return deliveries(event, self._routes, self._places, self._mishaps.note)

    def _link(self, delivery: Delivery) -> str | None:
        """Where a message leads to: None where nobody knows our address, and for what is over."""
        if self._base is None or delivery.action == "closed":
            return None
        token = links.token(self.link_key, delivery.alert.id, delivery.id, delivery.at + self._link_ms)
        return f"{self._base}/a/{token}"

    def _record(self, done: Sequence[Delivery]) -> bool:
        """For the notify thread: make results durable; False if the store can't at the moment."""
        stored, failed = threading.Event(), list[Exception]()

        def ended(error: Exception | None) -> None:
            if error is not None:
                failed.append(error)
            stored.set()

        self._write([SettleDeliveries(done)], ended, patient=False)
        return stored.wait(RECORD_WAIT_S) and not failed
