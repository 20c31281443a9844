"""A gateway under a virtual clock: what it leaves in a store is what it would have left had that time gone by.

The real core, alert side, store and roll-ups, without broker, threads and channels. The demo's past is made by it.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

from config.schema import Settings
from gateway.alerting import Alerting, Ourselves
from gateway.alerting.deeds import Deed
from gateway.alerts.words import AlertEvent
from gateway.base.local_time import HOUR_MS
from gateway.commands import SeenNonces, sign
from gateway.core.outcome import Frame, Outcome
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.model import Millis
from gateway.policy.activities import Agenda
from gateway.policy.hours import Openings
from gateway.runtime.entrance_checks import EntranceChecks
from gateway.runtime.memory import Memory
from gateway.runtime.parts import rollups_of
from gateway.runtime.restoring import restore
from gateway.store.cards import CardRetention
from gateway.store.jobs import Done, Job, Keep, KeepAlerts, KeepEnded, KeepOpenings, KeepReports
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.sqlite import SqliteStore


class VirtualGateway:
    """Use: `take` what comes, `do` what people do, `turn` every minute or so, and `end`.

    `settings` hold the stations it looks after; `key` signs commands. What follows from a message is decided at its
    own time, what follows from nothing at the next turn.
    """

    def __init__(self, settings: Settings, folder: Path, start: Millis, key: bytes, *, again: bool = False) -> None:
        """`again`: the folder holds what one left that ended just now, perhaps under another configuration."""
        self.now, self._key = start, key
        self.live = live = build(settings, settings.stations, Openings(settings), start)
        self.pipeline = Pipeline(live)
        self.store = SqliteStore(folder, start, profile="made_again", ballast_mib=0)
        if again:
            restore(self.pipeline, self.store, start)
        self.alerting = Alerting(
            settings, live, self.store, gateway=settings.gateway.id, write=self._write, wake=lambda: None,
            publish=lambda _topic, _payload: None, healthy=lambda: True, now=lambda: self.now,
        )  # fmt: skip
        commands = self.pipeline.commands
        commands.trust(key, SeenNonces())
        commands.on_staff, commands.on_done = self.alerting.desk.command, self.alerting.desk.note
        self.alerting.desk.deeds.on_verified = commands.reports.verified
        self._reader = SqliteReader(folder)
        self._rollups = rollups_of(settings, settings.stations, live, folder, self._reader, start)
        rolled = RollupReader(folder, self._reader)
        entrances = EntranceChecks(self._rollups.places, rolled, self.alerting.watch.entrance, start)
        cards = CardRetention(self.store, settings.store.retention.door_events_days)
        self._chores: tuple[Callable[[Millis], bool], ...] = (self._rollups.tidy, entrances.tidy, cards.tidy)
        self._memory, self._number, self._chores_at = Memory(live), 0, start + HOUR_MS
        self.ourselves = Ourselves()
        self.alerting.begin(start)

    def take(self, frames: Iterable[Frame], at: Millis) -> None:
        """Messages that are received at `at`, which never goes back."""
        self._pass(at)
        self.pipeline.handle_all(frames, at)

    def _pass(self, now: Millis) -> None:
        """Every deadline fires at its own moment."""
        self.now = now
        while (deadline := self.live.next_deadline()) is not None and deadline <= now:
            self.pipeline.tick(deadline)

    def command(self, topic: str, text: bytes) -> None:
        """Sign and carry out a command, now."""
        self.take([(topic.encode(), sign(self._key, topic, text), 0)], self.now)

    def do(self, deed: Deed) -> Future[list[AlertEvent]]:
        """Have the deed carried out at the next turn."""
        return self.alerting.desk.do(deed)

    def programme(self, station: str, area: str, agenda: Agenda) -> None:
        self.live.programme(station, area, agenda, self.now)

    def next_due(self) -> Millis | None:
        """When something follows though nothing comes; None for never."""
        times = self.live.next_deadline(), self.alerting.next_deadline()
        return min((at for at in times if at is not None), default=None)

    def turn(self, now: Millis) -> Outcome | None:
        """Store what came, and let follow what follows from it. The outcome, where there was any."""
        self._pass(now)
        outcome = None
        if self.pipeline.pending:
            outcome = self.pipeline.take()
            self._keep(outcome)
            self.alerting.follow(outcome, self._number, now)
        self.alerting.tick(now, self.ourselves)
        if now >= self._chores_at:
            self._chores_at = now + HOUR_MS
            for chore in self._chores:
                while chore(now):
                    pass
        return outcome

    def _keep(self, outcome: Outcome) -> None:
        store = self.store
        self._number = store.commit(outcome.batch, outcome.changes, outcome.rejected, self.now)
        self.pipeline.learn(outcome.batch.looked_up)
        jobs: list[Job] = [KeepReports(outcome.reports)] if outcome.reports else []
        jobs += [KeepOpenings(outcome.openings)] if outcome.openings else []
        jobs += [KeepEnded(outcome.ended)] if outcome.ended else []
        jobs += [Keep(name, value) for name, value in outcome.kept.items()]
        if jobs:
            store.write(jobs)

    def _write(self, jobs: Sequence[Job], done: Done | None = None, *, patient: bool = True) -> None:  # noqa: ARG002
        if any(
            job != KeepAlerts(upto=self.alerting.dispatch.upto) for job in jobs
        ):  # the cursor alone is kept at the end
            self.store.write(jobs)
        if done is not None:
            done(None)

    def end(self, now: Millis, *, tidy: bool) -> None:
        """Keep the live state as a gateway that ends. `tidy`: roll up and pack all of it, too."""
        self.turn(now)
        memory = self._memory
        parts = [(part, memory.dump(part, now)) for part in range(len(memory.parts))]
        with closing(self.store), closing(self._reader), closing(self._rollups):
            self.store.checkpoint_all(parts, self.store.last_id)
            self.store.drop_parts(len(parts))
            self.store.write([Keep("layout", memory.layout), KeepAlerts(upto=self.store.last_id)])
            for chore in (self._rollups.tidy, self.store.tidy) if tidy else ():
                while chore(now):
                    pass
            self.alerting.stop()
