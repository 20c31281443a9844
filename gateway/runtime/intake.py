"""The one thread that owns the connection and the live state: messages in, deadlines, acks and documents out."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from gateway.alerting import Alerting, Beside, Ourselves
from gateway.base.clock import SteadyClock, monotonic_s
from gateway.calendars.wanted import AreaKey
from gateway.core.flood import Flood
from gateway.core.outcome import Frame, Outcome
from gateway.core.pipeline import INTERNAL_ERROR, Pipeline
from gateway.homeassistant.announcer import Announcer
from gateway.live import Device, Station, document
from gateway.live.state import TRY_AGAIN_MS
from gateway.live.station_document import Document
from gateway.model import Message, Millis
from gateway.mqtt import Session
from gateway.mqtt.reader import Arrivals
from gateway.policy.activities import Agenda
from gateway.runtime.between import BetweenTurns, Work
from gateway.runtime.careful import CarefulStart
from gateway.runtime.confirming import Confirming
from gateway.runtime.limits import IntakeLimits
from gateway.runtime.memory import Memory
from gateway.runtime.pace import DocumentPace
from gateway.runtime.starts import Starts
from gateway.runtime.status import CommitTimes
from gateway.runtime.watermarks import Watermarks, of_boxes
from gateway.runtime.writer import Commit, Writer

log = logging.getLogger(__name__)

DEADLINES_A_TURN = 500  # nor when they are all renewed, or all fall silent, at once
LONGEST_WAIT_S = 0.5
SETTLE_S = 1.5  # twice at most, and the whole end may take 5


class Intake(threading.Thread):
    """`listeners` get every document made, on this thread; they must return at once."""

    def __init__(
        self, session: Session, pipeline: Pipeline, writer: Writer, memory: Memory, alerting: Alerting,
        limits: IntakeLimits,
        report: Callable[[str], tuple[str, bytes]], starts: Starts,
    ) -> None:  # fmt: skip
        super().__init__(name="intake")
        self.flood = Flood(0, 0, {}, lambda _topic: [], None)
        self.session, self.pipeline, self.writer, self.memory, self.limits = session, pipeline, writer, memory, limits
        self.alerting = alerting
        self.announcer: Announcer | None = None
        self.beside: Callable[[], Beside] = lambda: (None, (), None)
        self.confirming = Confirming(session.publish_many)
        self.listeners: list[Callable[[Sequence[Document]], None]] = []
        self.failed: BaseException | None = None
        self.stored = self.documents = 0
        self.on_durable: Callable[[Outcome], None] = lambda _outcome: None
        self.commits = CommitTimes()
        self.clock_jumps = self.turns = 0
        self._report = report
        self._careful = CarefulStart(starts, pipeline)
        self._clock = SteadyClock()
        self._stopping = threading.Event()
        self._busy: Commit | None = None
        self._filters = pipeline.foreign.filters
        self._mids: list[int] = []
        self._waiting_bytes = 0
        self._full_since: float | None = None
        self._watermarks = Watermarks(limits.ack_interval_s)
        self._commands: deque[tuple[str, bytes, bool]] = deque()
        self.between = BetweenTurns()
        self.on_connected: list[Callable[[], None]] = []
        self._parts_due: list[int] = []
        self._agendas: deque[Mapping[AreaKey, Agenda]] = deque()
        self._programmes: dict[AreaKey, Agenda] = {}  # not yet taken in
        self._programmes_at: Millis = 0
        self._mishaps = pipeline.live.mishaps
        self._pace = DocumentPace(pipeline.live, limits.document_interval_ms)
        self._part_at = self._report_at = 0.0
        self._said: tuple[object, ...] = ()  # of what `_state` is made
        self._state = Ourselves()
        session.on_connect = self._connected

    @property
    def backlog(self) -> int:
        """Messages received and not yet durable."""
        busy = self._busy
        return len(self.pipeline.outcome.batch) + (len(busy.outcome.batch) if busy is not None else 0)

    def command(self, topic: str, payload: bytes, *, by_broker: bool = False) -> None:
        """Take what staff of this process change; `by_broker`, as others hear it there, too. Any thread may call it."""
        self._commands.append((topic, payload, by_broker))
        self.session.wake()

    def keep_parts(self, parts: Sequence[int]) -> None:
        """Have these parts of the live state kept with the next commit. Belongs to the intake thread, like the next."""
        self._parts_due += parts

    def tell_watermarks(self, devices: Sequence[Device]) -> None:
        """Those of devices that come back."""
        self._watermarks.again(devices, monotonic_s())

    def listens_to(self, filters: frozenset[str]) -> None:
        """What foreign devices speak on, which is subscribed to."""
        self._filters = filters

    def programme(self, changed: Mapping[AreaKey, Agenda]) -> None:
        """Take changed calendars of areas; any thread may call it."""
        self._agendas.append(changed)
        self.session.wake()

    def between_turns(self, work: Work) -> "Future[None]":
        """See `BetweenTurns.ask`. Until then, which takes a commit or two, nothing more is read. Any thread may ask."""
        done = self.between.ask(work)
        self.session.wake()
        return done

    def end(self) -> None:
        self._stopping.set()
        self.session.wake()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn(self._patience())
            self._finish()
        except BaseException as error:
            self.failed = error
            log.critical("thread intake died: %r", error, exc_info=error)

    # ---- one turn ----

    def _turn(self, wait_s: float) -> None:
        waits = bool(self.between)
        self.turns += 1
        arrivals = self.session.poll(wait_s, reading=self._full_since is None and not waits)
        now, jump = self._clock.read()
        if jump:
            self.clock_jumps += 1
            log.warning("the machine's clock was set by %+.1f s", jump / 1000)
            self.pipeline.live.shift(jump, now)
        if self._careful.singly:
            self._take_one(arrivals, now)
        elif arrivals is not None:
            self._take_in(arrivals.frames, arrivals.epoch, arrivals.mids, now)
        if not waits:
            self._take_what_is_due(now)
        self._collect(now)
        with self._mishaps.contained("alerts"):
            self.alerting.tick(now, self._ourselves())
        if waits:
            self._change(now)
        self.confirming.tell()
        if self._busy is None:
            self._hand_over(now)
        self._guard_inbox()
        self._publish(now, messages_wait=arrivals is not None)
        if not self._careful.settled:
            with self._mishaps.contained("keeping that this start went well"):
                self._careful.settle(monotonic_s(), subscribed=self.session.subscribed)

    def _take_what_is_due(self, now: Millis) -> None:
        while self._commands:
            topic, payload, by_broker = self._commands.popleft()
            if by_broker:
                self.session.publish(topic, payload)
            else:
                self.pipeline.handle(Message(topic.encode(), payload, now), now)
        self._take_agendas(now)
        with self._mishaps.contained("deadlines"):
            self.pipeline.tick(now, DEADLINES_A_TURN)

    def _change(self, now: Millis) -> None:
        """What was asked for between two turns, once all that came is durable and acknowledged."""
        self.between.refuse(self.writer.trouble)
        if self._busy is None and not self._mids and not self.pipeline.pending:
            self.between.work(now)

    def _take_one(self, arrivals: Arrivals | None, now: Millis) -> None:
        """The next message, once all that follows from the one before is done."""
        if arrivals is not None:
            self._careful.put(arrivals)
        if self._busy is not None:
            if self.writer.trouble is not None:
                self._careful.acquit()
            return
        some = self._careful.next()
        if some is not None:
            self._take_in(*some, now)

    def _take_in(self, frames: list[Frame], epoch: int, mids: list[int], now: Millis) -> None:
        """Messages that came, acknowledged once all of them are durable."""
        if epoch == self.session.epoch:
            self._mids += mids
        frames = self._careful.without_those_that_ended_us(frames, now)
        let_in = self.flood.let_in(frames, now)
        self._waiting_bytes += sum([len(frame[1]) for frame in let_in])
        self.pipeline.handle_all(let_in, now)
        if self.announcer is not None:
            with self._mishaps.contained("what Home Assistant said"):
                self.announcer.heard(frames)
        if self.pipeline.foreign.filters is not self._filters:
            self._filters = self.pipeline.foreign.filters
            with self._mishaps.contained("subscribing to a device's new name"):
                self.session.subscribe(sorted(self._filters))

    def _take_agendas(self, now: Millis) -> None:
        """One that can't be taken in is tried again in a while."""
        while self._agendas:
            self._programmes |= self._agendas.popleft()
        if not self._programmes or now < self._programmes_at <= now + TRY_AGAIN_MS:
            return
        for (station, area), agenda in list(self._programmes.items()):
            with self._mishaps.contained(f"calendar of {station}/{area}", station):
                self.pipeline.live.programme(station, area, agenda, now)
                del self._programmes[station, area]
        self._programmes_at = now + TRY_AGAIN_MS if self._programmes else 0

    def _patience(self) -> float:
        """How long the next look at the socket may wait."""
        idle = self._busy is None
        if self.writer.done or (idle and (self.between or self._careful or self._owes(monotonic_s()))):
            return 0.0
        live, now = self.pipeline.live, self._clock.peek()
        until, deadline = self.alerting.quiet_until, live.next_deadline()
        if deadline is not None and deadline < until:
            until = deadline
        wait = min(LONGEST_WAIT_S, max(0.0, (until - now) / 1000))
        return min(wait, self._pace.wait_s(now)) if live.dirty else wait

    def _owes(self, moment: float) -> bool:
        """Whether there is something to store, to acknowledge or to tell."""
        return bool(self._mids or self._parts_due) or self.pipeline.pending or self._watermarks.due(moment)

    def _hand_over(self, now: Millis) -> None:
        """Give the writer all that has gathered, with what follows from it once it is durable."""
        moment = monotonic_s()
        if not self._owes(moment):
            self._waiting_bytes = 0  # what came asked for nothing
            return
        outcome = self.pipeline.take()
        self._watermarks.heard(outcome.heard, moment)
        self._watermarks.again(outcome.returned, moment)
        watermarks: list[tuple[str, bytes]] = []
        with self._mishaps.contained("watermarks"):
            watermarks = self._watermarks.take(moment) + of_boxes(outcome.boxes)
        due, self._parts_due = self._parts_due, []
        parts: list[tuple[int, bytes]] = []
        with self._mishaps.contained("keeping parts of the live state"):
            parts = [(part, self.memory.dump(part, now)) for part in due]
        if moment >= self._part_at and self.memory.parts:
            with self._mishaps.contained("keeping a part of the live state"):
                parts += [self._next_part(moment, now)]
        job = Commit(outcome, now, self.session.epoch, self._mids, watermarks, parts)
        self._mids, self._waiting_bytes = [], 0
        self._busy = job
        self.writer.put(job)

    def _next_part(self, moment: float, now: Millis) -> tuple[int, bytes]:
        if not self.memory.dirty:
            self.memory.dirty = set(range(len(self.memory.parts)))
        part = min(self.memory.dirty)
        self._part_at = moment + self.limits.snapshot_interval_s / len(self.memory.parts)
        return part, self.memory.dump(part, now)

    def _ourselves(self) -> Ourselves:
        session = self.session
        twin = f"another gateway uses the client id {session.client_id}" if session.takeover_suspected else None
        said = session.trouble, self.writer.trouble or self.writer.upkeep_trouble, twin, *self.beside()
        if said != self._said:
            self._said, self._state = said, Ourselves(*said)
        return self._state

    def _collect(self, now: Millis) -> None:
        """What the writer has made durable is acknowledged, in order of arrival."""
        while self.writer.done:
            job = self.writer.done.popleft()
            self._busy = None
            self.session.ack(job.epoch, job.mids)
            self.confirming.put(job.number, job.watermarks)
            self._watermarks.sent(monotonic_s())
            self.stored += len(job.outcome.batch)
            if job.set_aside:
                self.pipeline.quarantined[INTERNAL_ERROR] += len(job.set_aside)
            self.pipeline.learn(job.outcome.batch.found)
            self.commits.add(job.seconds)
            self.on_durable(job.outcome)
            with self._mishaps.contained("alerts that follow from messages"):
                self.alerting.follow(job.outcome, job.number, now)

    def _guard_inbox(self) -> None:
        """Too much waits for the disk: read no more, and if that does not pass soon, leave the broker, which keeps the
        rest for us, until half of it is written."""
        limits, moment = self.limits, monotonic_s()
        held = len(self.pipeline.outcome.batch) + len(self.pipeline.outcome.rejected)
        waiting = max(held, len(self._mids)) + len(self._careful)
        share = max(waiting / limits.inbox_messages, (self._waiting_bytes + self._careful.bytes) / limits.inbox_bytes)
        if share < 0.5:
            self._full_since = None
            if self.session.held:
                self.session.resume()
        elif share > 1 and self._full_since is None:
            self._full_since = moment
            self.pipeline.counters["overflows"] += 1
        overdue = self._full_since is not None and moment - self._full_since >= limits.inbox_patience_s
        if overdue and not self.session.held:
            log.warning("%d messages wait for the disk: leaving the broker until half of them are stored", waiting)
            self.session.hold()

    # ---- telling ----

    def _publish(self, now: Millis, *, messages_wait: bool) -> None:
        moment = monotonic_s()
        if not self.pipeline.live.dirty and moment < self._report_at:
            return
        with self._mishaps.contained("documents"):
            if self._pace.due(now, moment, messages_wait=messages_wait):
                stations = self._pace.take(now)
                made, failed = self._make(stations, now)
                with self._mishaps.contained("the pace of documents"):
                    self._pace.made(stations, now, moment, monotonic_s())
                for station in failed:
                    self.pipeline.live.tell_again(station, now)
                self._tell(made)
        if moment >= self._report_at and self.session.connected:
            self._report_at = moment + self.limits.report_interval_s
            with self._mishaps.contained("telling how the gateway is"):
                topic, payload = self._report("online")
                self.session.publish(topic, payload, retain=True)

    def _make(self, stations: Sequence[Station], now: Millis) -> tuple[list[Document], list[Station]]:
        """The documents, and the stations whose can't be made: the one before ends by its own `valid_until`."""
        made, failed = [], []
        for station in stations:
            try:
                made.append(document(station, now))
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._mishaps.note(f"document of {station.id}", error, station.id)
                failed.append(station)
        return made, failed

    def _tell(self, made: list[Document]) -> None:
        if not made:
            return
        self.session.publish_latest([(f"yz-live/{one.station}", one.body) for one in made])
        self.documents += len(made)
        for listener in self.listeners:
            with self._mishaps.contained("who follows documents"):
                listener(made)

    def _connected(self, _session_present: bool) -> None:
        """Everything retained is said again: the broker may have forgotten it, or never heard it.

        A broker that has just started tells of everybody's will: those who are there speak within the grace.
        """
        self.pipeline.live.grace_until = self._clock.peek() + self.limits.restart_grace_ms
        self._report_at = 0.0
        self._mids = []  # of the connection before: the broker delivers those messages again
        live = self.pipeline.live
        for station in live.stations.values():
            live.touch(station)
        with self._mishaps.contained("telling the open alerts"):
            self.alerting.publish_all()
        if self.announcer is not None:
            with self._mishaps.contained("announcing to Home Assistant"):
                self.announcer.announce()
        with self._mishaps.contained("watermarks"):
            self._watermarks.again(live.devices.values(), monotonic_s())
            self.pipeline.outcome.boxes.update(live.boxes.links())
        for greet in self.on_connected:
            with self._mishaps.contained("who waits for the broker"):
                greet()

    def _finish(self) -> None:
        """Commit and acknowledge what came, keep the live state whole, say goodbye."""
        now, _ = self._clock.read()
        self._settle(now)
        if self._busy is None:
            job = Commit(self.pipeline.take(), now, self.session.epoch, self._mids)
            self._watermarks.heard(job.outcome.heard, monotonic_s())
            with self._mishaps.contained("the last watermarks"):
                job.watermarks = self._watermarks.last(monotonic_s())
            with self._mishaps.contained("keeping the live state"):
                job.parts = [(part, self.memory.dump(part, now)) for part in range(len(self.memory.parts))]
            self._busy, self._mids = job, []
            self.writer.put(job)
            self._settle(now)
        with self._mishaps.contained("saying goodbye"):
            topic, payload = self._report("stopped")
            self.session.publish(topic, payload, retain=True)
        self.session.close()

    def _settle(self, now: Millis) -> None:
        """What the writer has is acknowledged; with a store in trouble it comes again after the next start instead."""
        end = monotonic_s() + SETTLE_S
        while self._busy is not None and self.writer.trouble is None and self.writer.is_alive() and monotonic_s() < end:
            self.session.poll(0.02)
            self._collect(now)
