"""The alert side of a running gateway: a follower that decides, a desk for people, a dispatch that stores and tells.

It follows what is durable: the runtime calls `follow` with each outcome after its commit. What it decides is stored by
the writer's thread with what it owes to whom, then the notify thread is woken. A crash in between repeats the work:
`begin` compares the store with what is true now, and takes the alarms behind its cursor again.
"""

from collections.abc import Callable, Iterable

from config.building import building
from config.schema import Settings
from gateway.alerting.configured import Reconfigured
from gateway.alerting.deeds import Deeds
from gateway.alerting.desk import StaffDesk
from gateway.alerting.dispatch import Dispatch
from gateway.alerting.follower import Follower
from gateway.alerting.orders import Orders, orders_for
from gateway.alerting.ourselves import Ourselves
from gateway.alerting.telling import KEPT_OVER
from gateway.alerts.kinds import KINDS
from gateway.alerts.orders import OrderEvent
from gateway.alerts.shelf import MUTED_MOST_MS
from gateway.alerts.words import SENSOR, AlertEvent
from gateway.core.outcome import Outcome
from gateway.live import Live
from gateway.live.replacing import Moved
from gateway.model import Millis
from gateway.store.alerts_reader import AlertReader
from gateway.store.base import Store
from gateway.store.jobs import WriteJobs

QUIET_MS = 1_000  # how long, at most, nobody looks whether something is due that no deadline tells


class Alerting:
    """Use: `begin` before messages come, `follow` and `tick` on the intake thread, `start`/`stop` the notify thread.
    Of its parts, `desk` takes what any thread asks, `dispatch` has the listeners, `watch` the screens.

    For `write`, `publish` and `healthy` see `Dispatch`, for `wake` see `StaffDesk`.
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
        self._mishaps = live.mishaps
        self._ourselves = Ourselves()
        self._quiet_until: Millis = 0  # until then nothing is due, unless somebody asks
        self._reader = AlertReader(store.folder)
        self._follower = Follower(settings, live, store, gateway)
        self.core, self.watch = self._follower.core, self._follower.watch
        self._orders = Orders(live, self.core.desk, self._reader.alert, self._reader.orders(state="done"))
        self.desk = StaffDesk(self.core, Deeds(self.core, live, self._reader), live.mishaps, wake)
        self.dispatch = Dispatch(
            settings, store, live.mishaps, write=write, publish=publish, healthy=healthy, now=now
        )  # fmt: skip

    @building()
    def begin(self, now: Millis) -> None:
        """After the live state was restored, before the first message."""
        upto = self._reader.cursor()
        muted = self._reader.muted(now - MUTED_MOST_MS)
        self.dispatch.resume(self._reader.alerts("closed", limit=KEPT_OVER), upto, muted)
        events = self._follower.begin(self._reader.unsettled(), self._reader.alert, upto, now)
        self.dispatch.keep(events, orders_for(events, now))

    def configure(self, change: Reconfigured, moved: Moved, now: Millis) -> None:
        """Another configuration holds, and the live state has followed it. What ends by it is told as it was told so
        far, and then the new rules hold. Belongs to the intake thread.
        """
        self._quiet_until = 0
        events = self._follower.configure(change, moved, now)
        self.dispatch.keep(events, orders_for(events, now))
        self.dispatch.configure(change)

    def follow(self, outcome: Outcome, number: int, now: Millis) -> None:
        """An outcome that is durable as batch `number`."""
        self.dispatch.upto = max(self.dispatch.upto, number)
        events = self._follower.follow(outcome, now)
        if events:
            self.dispatch.keep(events, orders_for(events, now))
        if not outcome.is_plain:
            self._quiet_until = min(self._quiet_until, self._due_at(now))

    def tick(self, now: Millis, ourselves: Ourselves) -> None:
        """Whatever is due by `now`, what staff asked, and how we are ourselves. Channels are asked once a second."""
        quiet = now < self._quiet_until <= now + QUIET_MS
        if quiet and (ourselves is self._ourselves or ourselves == self._ourselves) and not self._asked:
            return
        self._ourselves = ourselves
        dispatch, contained, steps = self.dispatch, self._mishaps.contained, list[OrderEvent]()
        with contained("catching up with what could not be kept or told"):
            dispatch.catch_up(now)
        dispatch.at_once = ourselves.store is not None
        events = self._follower.tick(now, ourselves, dispatch.failing)
        with contained("work orders"):
            steps = self._orders.look(now)
            events = [*events, *self._over_by(steps, now)]
        dispatch.keep(events, [*steps, *orders_for(events, now)])
        for (done, steps, jobs), asked in self.desk.answers(now):
            for step in steps:
                with contained(f"work order {step.order.id}", step.order.station):
                    self._orders.follow(step)
            dispatch.keep(done, steps, jobs, asked)
        with contained("upkeep of alerts"):
            dispatch.upkeep(now)
        self._quiet_until = self._due_at(now)

    @property
    def _asked(self) -> bool:
        """Whether somebody waits for an answer, or a fault of ours is to be told."""
        return self.desk.asked or self._mishaps.waiting

    def _due_at(self, now: Millis) -> Millis:
        due = self.next_deadline()
        return now + QUIET_MS if due is None else min(due, now + QUIET_MS)

    @property
    def quiet_until(self) -> Millis:
        """Before it `tick` has nothing to do, unless somebody asks or we are otherwise than last time."""
        return self._quiet_until

    def _over_by(self, steps: Iterable[OrderEvent], now: Millis) -> list[AlertEvent]:
        """What a visitor reported is over once the sensor has proved its order: it has no condition of its own."""
        events: list[AlertEvent] = []
        for step in steps:
            alert = self.core.desk.find(step.order.alert or "") if step.action == "closed" else None
            if alert is not None and KINDS[alert.kind].latched:
                events += self.core.desk.close(alert.id, SENSOR, now)
        return events

    def next_deadline(self) -> Millis | None:
        """When something is due, at the latest; None for never."""
        times = (self._follower.next_deadline(), self._orders.next_look())
        return min((at for at in times if at is not None), default=None)

    def publish_all(self) -> None:
        """Retain every open alert again and take back the last closed: the broker may have forgotten or missed it."""
        self.dispatch.publish_all(self.core.desk.open_alerts())

    def start(self) -> None:
        self.dispatch.start()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """False if a provider still has the notify thread waiting; what it was sending will be sent again."""
        ended = self.dispatch.stop(timeout_s)
        if ended:
            self._reader.close()
        return ended

    @property
    def dead(self) -> str | None:
        """The notify thread's name if it ended without being told to."""
        return self.dispatch.dead
