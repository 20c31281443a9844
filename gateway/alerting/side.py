"""The alert side of a running gateway. Runs on the intake thread; staff and screens come from any thread.

It follows what is durable: the runtime calls `follow` with each outcome after its commit. What it decides is stored by
the writer's thread with what it owes to whom, then the notify thread is woken. A crash in between repeats the work:
`begin` compares the store with what is true now, and takes the alarms behind its cursor again.
"""

import logging
import shutil
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from config.building import building
from config.schema import Settings
from gateway.alerting.configured import base_url, bridges_of, outlets_of, policy_of, routes_of
from gateway.alerting.deeds import Deed, DeedError, Deeds, Done, decode
from gateway.alerting.facts import Ourselves, Watch
from gateway.alerting.missed import missed_alarms
from gateway.alerting.orders import Orders
from gateway.alerting.outbox import SteadyOutbox
from gateway.alerting.telling import KEPT_OVER, Telling
from gateway.alerts.core import Alerts
from gateway.alerts.facts import Fact, channel_failing
from gateway.alerts.orders import OrderEvent
from gateway.alerts.payload import OWN
from gateway.alerts.places import Places
from gateway.alerts.routes import deliveries
from gateway.alerts.words import AlertEvent, Delivery
from gateway.base.mishaps import Mishaps
from gateway.commands import CommandError
from gateway.core.outcome import Outcome
from gateway.live import Live
from gateway.model import Change, Millis, Resource
from gateway.notify import links
from gateway.notify.post import Post
from gateway.notify.worker import DeadMan, NotifyWorker
from gateway.policy.text import LONGEST_NAME, bounded
from gateway.store.alerts_reader import AlertReader
from gateway.store.base import Store, StoreError
from gateway.store.jobs import (
    OPENINGS_KEPT_MS,
    ForgetAlerts,
    ForgetOpenings,
    Job,
    KeepAlerts,
    KeepAudit,
    KeepOrder,
    SettleDeliveries,
    WriteJobs,
)

log = logging.getLogger(__name__)

CURSOR_EVERY_MS = 60_000
DISK_EVERY_MS = 10_000
RECORD_WAIT_S = 5.0
CATCH_UP_EVERY_MS = 10_000
DAY_MS = 86_400_000

# What is asked of the intake thread. LookupError or ValueError goes back to whoever asked.
Act = Callable[[Alerts, Millis], Done]


@dataclass(frozen=True, slots=True)
class _Owed:
    """What has happened and is to be kept; `asked` waits for it."""

    events: Sequence[AlertEvent]
    steps: Sequence[OrderEvent]
    more: Sequence[Job]
    asked: "Future[list[AlertEvent]] | None"


class Alerting:
    """Use: `begin` before messages come, `follow` and `tick` on the intake thread, `start`/`stop` the notify thread.

    `write` has the writer's thread do jobs, between commits and in order; `wake` has the intake thread turn soon;
    `publish(topic, payload)` retains; `healthy` says whether the dead man's switch may be held.
    """

    def __init__(
        self,
        settings: Settings,
        live: Live,
        store: Store,
        *,
        gateway: str,
        write: WriteJobs,
        wake: Callable[[], None],
        publish: Callable[[str, bytes], None],
        healthy: Callable[[], bool],
        now: Callable[[], Millis],
    ) -> None:
        """ValueError when a channel's address or secret can't be read."""
        self._mishaps: Mishaps = live.mishaps
        self._live, self._store, self._write, self._wake = live, store, write, wake
        self._reader, self._outbox = AlertReader(store.folder), SteadyOutbox(store.folder)  # one for each thread
        self._places, self._routes = Places.of(settings), routes_of(settings)
        self._facts = {
            (one.resource.station, one.resource.id): one
            for station in live.stations.values()
            for one in station.facts()
        }
        resources = [one.resource for one in self._facts.values()]
        self.core = Alerts(
            resources, self._last_heard, policy_of(settings), bridges_of(settings), self._worked_on, self._mishaps
        )
        self.orders = Orders(live, self.core.desk, self._reader.alert, self._reader.orders(state="done"))
        self.deeds = Deeds(self.core, live, self._reader)
        self.watch = Watch(settings, live, gateway)
        self._telling = Telling(publish, self._mishaps)
        self.listeners = self._telling.listeners
        self._keep_ms = settings.store.retention.alerts_days * DAY_MS
        self._asked: deque[tuple[Act, Future[list[AlertEvent]]]] = deque()
        self._number = self._kept_number = 0
        self._cursor_at = self._disk_at = self._forget_at = 0
        self._unkept: list[_Owed] = []
        self._catch_up_at: Millis = 0
        self._ourselves = Ourselves()
        self._failing: dict[str, tuple[str, bool]] = {}
        self.link_key = links.key_in(settings.store.path)  # not the shard's own: the page of a link serves all shards
        self._worker = self._notifier(settings, healthy, now)

    def _notifier(self, settings: Settings, healthy: Callable[[], bool], now: Callable[[], Millis]) -> NotifyWorker:
        alerts, base, mishaps = settings.alerts, base_url(settings), self._mishaps

        def link(delivery: Delivery) -> str | None:
            if base is None or delivery.action == "closed":
                return None
            expires_at = delivery.at + alerts.link_hours * 3_600_000
            return f"{base}/a/{links.token(self.link_key, delivery.alert.id, delivery.id, expires_at)}"

        outlets = outlets_of(settings)
        self.post = Post(
            self._outbox, self._record, outlets, self._places, now, link, alerts.digest_min * 60_000, mishaps
        )
        dead_man = None
        if alerts.dead_man_url is not None:
            dead_man = DeadMan(alerts.dead_man_url, alerts.dead_man_interval_s * 1000, healthy)
        return NotifyWorker(self.post, now, dead_man, mishaps)

    # ---- life ----

    @building()
    def begin(self, now: Millis) -> None:
        """After the live state was restored, before the first message."""
        self._telling.resume(self._reader.alerts("closed", limit=KEPT_OVER))
        known = self._reader.unsettled()
        contained, events, facts = self._mishaps.contained, list[AlertEvent](), list[Fact]()
        with contained("taking up the open alerts"):
            self.core.restore(known)
        with contained("taking up what was watched"):
            self.watch.resume(known)
        self._failing = {alert.subject: ("", True) for alert in known if alert.kind == "channel_failing"}
        states = [
            Change(facts.resource, facts.since or now, facts.axes, facts.axes, "start", facts.known.trouble)
            for station in self._live.stations.values()
            for facts in station.facts()
        ]
        with contained("alerts that follow from the state at start"):
            events += self.core.prime(states, now)
        self._number = self._kept_number = self._reader.cursor()
        with contained("alarms that came after alerts last followed the journal"):
            facts += missed_alarms(self._store, self._live, self._reader.alert, self._number)
        with contained("looking at signals for alerts"):
            facts += self.watch.look(now)
        with contained("what was seen before the start"):
            events += self.core.on_facts(facts, now)
        self._keep(events)

    def start(self) -> None:
        self._worker.start()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """False if a provider still has the notify thread waiting; what it was sending will be sent again."""
        ended = self._worker.ident is None or self._worker.end(timeout_s)
        if ended:
            self._reader.close()
            self._outbox.close()
        return ended

    @property
    def dead(self) -> str | None:
        """The notify thread's name if it ended without being told to."""
        return self._worker.name if self._worker.failed is not None else None

    # ---- the intake thread ----

    def follow(self, outcome: Outcome, number: int, now: Millis) -> None:
        """An outcome that is durable as batch `number`."""
        self._number = max(self._number, number)
        contained, events, facts = self._mishaps.contained, list[AlertEvent](), list[Fact]()
        with contained("what changes say about alerts"):
            events += self.core.on_changes(outcome.changes, now)
        with contained("what messages say about alerts"):
            facts = self.watch.follow(outcome, now)
        with contained("what messages say about alerts"):
            events += self.core.on_facts(facts, now)
        self._keep(events)

    def tick(self, now: Millis, ourselves: Ourselves) -> None:
        """Whatever is due by `now`, what staff asked, and how we are ourselves."""
        contained, events, facts, steps = self._mishaps.contained, list[AlertEvent](), list[Fact](), list[OrderEvent]()
        with contained("catching up with what could not be kept or told"):
            self._catch_up(now)
        for station, error in self._mishaps.take():
            with contained("telling of a fault of ours"):
                self.watch.mishap(station, error, now)
        with contained("looking at signals for alerts"):
            facts = self.watch.look(now)
        with contained("looking at ourselves"):
            facts += self._own_state(now, ourselves)
        with contained("looking at channels"):
            facts += self._channels(now)
        self._ourselves = ourselves
        with contained("what is seen of alerts"):
            events += self.core.on_facts(facts, now)
        with contained("what is due of alerts"):
            events += self.core.tick(now)
        with contained("work orders"):
            steps = self.orders.look(now)
        self._keep(events, steps)
        while self._asked:
            self._answer(*self._asked.popleft(), now)
        with contained("upkeep of alerts"):
            self._upkeep(now)

    def _own_state(self, now: Millis, ourselves: Ourselves) -> list[Fact]:
        if now >= self._disk_at:
            self._disk_at = now + DISK_EVERY_MS
            free = shutil.disk_usage(self._store.folder).free >> 20
            return self.watch.ourselves(replace(ourselves, disk_free_mib=free), now)
        return self.watch.ourselves(ourselves, now) if ourselves != self._ourselves else []

    def _channels(self, now: Millis) -> list[Fact]:
        """Which channels deliver and which do not, where that has changed."""
        failing = self.post.failing(now)
        changed = [name for name in sorted({*failing, *self._failing}) if failing.get(name) != self._failing.get(name)]
        found = [channel_failing(name, now, failing.get(name)) for name in changed]
        self._failing = failing
        return found

    def next_deadline(self) -> Millis | None:
        """When `tick` has something to do, at the latest."""
        times = (self.core.next_deadline(), self.watch.next_look(), self.orders.next_look())
        return min((at for at in times if at is not None), default=None)

    def publish_all(self) -> None:
        """Tell the broker all of it again, which may have forgotten or missed it."""
        self._telling.everything(self.core.desk.open_alerts())

    # ---- any thread ----

    def ask(self, act: Act) -> "Future[list[AlertEvent]]":
        """Have `act` carried out by the intake thread; its future is done when all of it is durable."""
        future: Future[list[AlertEvent]] = Future()
        self._asked.append((act, future))
        self._wake()
        return future

    def do(self, deed: Deed) -> "Future[list[AlertEvent]]":
        """Have a deed carried out; see `ask`."""
        return self.ask(lambda _core, now: self.deeds.carry_out(deed, now))

    def command(self, station: str, text: bytes) -> None:
        """A deed from `yz-cmd/{station}/staff`, signed. CommandError when it is none; a log line when it fails."""
        try:
            deed = decode(text)
        except DeedError as error:
            raise CommandError(str(error), "unreadable") from None
        if (deed.station or OWN) != station:
            raise CommandError(f"a deed for {deed.station!r} on the topic of {station!r}", "other_station")
        self.do(deed).add_done_callback(_log_refusal)

    def note(self, by: str, what: str, target: str, detail: str) -> None:
        """A line in the audit trail for what was carried out elsewhere; any thread may call it."""
        who = bounded(by, LONGEST_NAME)
        self.ask(lambda _core, now: ([], [], [KeepAudit(now, who, what, target, detail)]))

    # ---- inside ----

    def _last_heard(self, station: str, device: str) -> Millis | None:
        found = self._live.devices.get((station, device))
        return found.seen_at if found is not None else None

    def _worked_on(self, resource: Resource) -> bool:
        effect = self._facts[resource.station, resource.id].effect
        return effect is not None and effect.maintenance

    def _answer(self, act: Act, future: "Future[list[AlertEvent]]", now: Millis) -> None:
        if not future.set_running_or_notify_cancel():
            return  # whoever asked has gone
        before = self.core.apart.before(None)
        try:
            events, steps, more = act(self.core, now)
        except (LookupError, ValueError, StoreError) as error:
            # A closed alert, a step that does not fit, a store that can't be read: whoever asked is told.
            future.set_exception(error)
            return
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            # A fault of ours. It ends what was asked, not the thread that everybody's messages need.
            before.restore()
            self._mishaps.note("what staff or a visitor asked for", error)
            future.set_exception(error)
            return
        for step in steps:
            with self._mishaps.contained(f"work order {step.order.id}", step.order.station):
                self.orders.follow(step)
        self._keep(events, steps, more, future)

    def _keep(
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

    def _store_all(self, owe: "_Owed") -> None:
        asked, events = owe.asked, owe.events
        kept = [KeepAlerts([event], self._owed(event)) for event in events]
        owed = [delivery for job in kept for delivery in job.deliveries]

        def stored(error: Exception | None) -> None:
            if asked is not None and error is None:
                asked.set_result(list(events))
            elif asked is not None:
                asked.set_exception(error)
            self._worker.wake()

        if self._ourselves.store is not None and owed:
            self.post.tell(owed)
            self._worker.wake()
        self._write([*kept, KeepAlerts(upto=self._number), *map(KeepOrder, owe.steps), *owe.more], stored)
        self._kept_number = self._number

    def _catch_up(self, now: Millis) -> None:
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

    def _owed(self, event: AlertEvent) -> list[Delivery]:
        return deliveries(event, self._routes, self._places, self._mishaps.note)

    def _record(self, done: Sequence[Delivery]) -> bool:
        """For the notify thread: make results durable; False if the store can't at the moment."""
        stored, failed = threading.Event(), list[Exception]()

        def ended(error: Exception | None) -> None:
            if error is not None:
                failed.append(error)
            stored.set()

        self._write([SettleDeliveries(done)], ended, patient=False)
        return stored.wait(RECORD_WAIT_S) and not failed

    def _upkeep(self, now: Millis) -> None:
        jobs: list[Job] = []
        if now >= self._cursor_at and self._number > self._kept_number:
            self._cursor_at, self._kept_number = now + CURSOR_EVERY_MS, self._number
            jobs.append(KeepAlerts(upto=self._number))
        if now >= self._forget_at:
            self._forget_at = now + DAY_MS
            jobs += [ForgetAlerts(now - self._keep_ms), ForgetOpenings(now - OPENINGS_KEPT_MS)]
        if jobs:
            self._write(jobs)


def _log_refusal(done: "Future[list[AlertEvent]]") -> None:
    error = done.exception()
    if error is not None:
        log.warning("command refused: %s", error)
