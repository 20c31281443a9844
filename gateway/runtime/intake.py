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
from gateway.core.outcome import Frame
from gateway.core.pipeline import Pipeline
from gateway.homeassistant.announcer import Announcer
from gateway.live import Device
from gateway.model import Message, Millis
from gateway.mqtt import Session
from gateway.mqtt.reader import Arrivals
from gateway.policy.activities import Agenda
from gateway.runtime.agendas import AgendaInbox
from gateway.runtime.between import BetweenTurns, Work
from gateway.runtime.careful import CarefulStart
from gateway.runtime.committing import Committing
from gateway.runtime.documents import DocumentPublisher
from gateway.runtime.inbox import Inbox
from gateway.runtime.limits import IntakeLimits
from gateway.runtime.memory import Memory
from gateway.runtime.starts import Starts
from gateway.runtime.writer import Writer

log = logging.getLogger(__name__)

DEADLINES_A_TURN = 500  # nor when they are all renewed, or all fall silent, at once
LONGEST_WAIT_S = 0.5
SETTLE_S = 1.5  # twice at most, and the whole end may take 5


class Intake(threading.Thread):
    """Each turn: one look at the connection, then whatever is due, by its parts in their order."""

    def __init__(
        self, session: Session, pipeline: Pipeline, writer: Writer, memory: Memory, alerting: Alerting,
        limits: IntakeLimits,
        report: Callable[[str], tuple[str, bytes]], starts: Starts,
    ) -> None:  # fmt: skip
        super().__init__(name="intake")
        self.flood = Flood(0, 0, {}, lambda _topic: [], None)
        self.session, self.pipeline, self.writer, self.alerting = session, pipeline, writer, alerting
        self.committing = Committing(session, pipeline, writer, memory, alerting, limits)
        self.documents = DocumentPublisher(session, pipeline.live, limits.document_interval_ms)
        self.inbox = Inbox(session, pipeline.counters, limits)
        self.between = BetweenTurns()
        self.announcer: Announcer | None = None
        self.beside: Callable[[], Beside] = lambda: (None, (), None, ())
        self.on_connected: list[Callable[[], None]] = []
        self.failed: BaseException | None = None
        self.clock_jumps = self.turns = 0
        self._report, self._limits = report, limits
        self._careful = CarefulStart(starts, pipeline)
        self._agendas = AgendaInbox(pipeline.live)
        self._clock = SteadyClock()
        self._stopping = threading.Event()
        self._filters = pipeline.foreign.filters
        self._commands: deque[tuple[str, bytes, bool]] = deque()
        self._mishaps = pipeline.live.mishaps
        self._report_at = 0.0
        self._said: tuple[object, ...] = ()  # of what `_state` is made
        self._state = Ourselves()
        session.on_connect = self._connected

    @property
    def stored(self) -> int:
        """Messages made durable. Any thread may ask, as for `backlog`."""
        return self.committing.stored

    @property
    def backlog(self) -> int:
        """Messages received and not yet durable."""
        return self.committing.backlog

    def command(self, topic: str, payload: bytes, *, by_broker: bool = False) -> None:
        """Take what staff of this process change; `by_broker`, as others hear it there, too. Any thread may call it."""
        self._commands.append((topic, payload, by_broker))
        self.session.wake()

    def tell_watermarks(self, devices: Sequence[Device]) -> None:
        """Those of devices that come back. Belongs to the intake thread, like the next."""
        self.committing.watermarks.again(devices, monotonic_s())

    def listens_to(self, filters: frozenset[str]) -> None:
        """What foreign devices speak on, which is subscribed to."""
        self._filters = filters

    def programme(self, changed: Mapping[AreaKey, Agenda]) -> None:
        """Take changed calendars of areas; any thread may call it."""
        self._agendas.put(changed)
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
        reading = not (self.inbox.full or waits or self._careful)
        arrivals = self.session.poll(wait_s, reading=reading, little=self._careful.singly)
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
        committing = self.committing
        committing.collect(now)
        with self._mishaps.contained("alerts"):
            self.alerting.tick(now, self._ourselves())
        if waits:
            self._change(now)
        committing.confirming.tell()
        if committing.busy is None:
            committing.hand_over(now)
            self.inbox.bytes = 0
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
        self._agendas.take_in(now)
        with self._mishaps.contained("deadlines"):
            self.pipeline.tick(now, DEADLINES_A_TURN)

    def _change(self, now: Millis) -> None:
        """What was asked for between two turns, once all that came is durable and acknowledged."""
        self.between.refuse(self.writer.trouble)
        if self.committing.rests:
            self.between.work(now)

    def _take_one(self, arrivals: Arrivals | None, now: Millis) -> None:
        """The next message, once all that follows from the one before is done."""
        if arrivals is not None:
            self._careful.put(arrivals)
        if self.committing.busy is not None:
            if self.writer.trouble is not None:
                self._careful.acquit()
            return
        some = self._careful.next()
        if some is not None:
            self._take_in(*some, now)

    def _take_in(self, frames: list[Frame], epoch: int, mids: list[int], now: Millis) -> None:
        """Messages that came, acknowledged once all of them are durable."""
        if epoch == self.session.epoch:
            self.committing.mids += mids
        frames = self._careful.without_those_that_ended_us(frames, now)
        let_in = self.flood.let_in(frames, now)
        self.inbox.bytes += sum([len(frame[1]) for frame in let_in])
        self.pipeline.handle_all(let_in, now)
        if self.announcer is not None:
            with self._mishaps.contained("what Home Assistant said"):
                self.announcer.heard(frames)
        if self.pipeline.foreign.filters is not self._filters:
            self._filters = self.pipeline.foreign.filters
            with self._mishaps.contained("subscribing to a device's new name"):
                self.session.subscribe(sorted(self._filters))

    def _patience(self) -> float:
        """How long the next look at the socket may wait."""
        committing = self.committing
        idle = committing.busy is None
        if self.writer.done or (idle and (self.between or self._careful or committing.owes(monotonic_s()))):
            return 0.0
        live, now = self.pipeline.live, self._clock.peek()
        until, deadline = self.alerting.quiet_until, live.next_deadline()
        if deadline is not None and deadline < until:
            until = deadline
        wait = min(LONGEST_WAIT_S, max(0.0, (until - now) / 1000))
        return min(wait, self.documents.pace.wait_s(now)) if live.dirty else wait

    def _ourselves(self) -> Ourselves:
        session = self.session
        twin = f"another gateway uses the client id {session.client_id}" if session.takeover_suspected else None
        said = session.trouble, self.writer.trouble or self.writer.upkeep_trouble, twin, *self.beside()
        if said != self._said:
            self._said, self._state = said, Ourselves(*said)
        return self._state

    def _guard_inbox(self) -> None:
        outcome, careful = self.pipeline.outcome, self._careful
        held = len(outcome.batch) + len(outcome.rejected)
        waiting = max(held, len(self.committing.mids)) + len(careful)
        self.inbox.guard(waiting, self.inbox.bytes + careful.bytes, monotonic_s())

    def _publish(self, now: Millis, *, messages_wait: bool) -> None:
        """Documents, and from time to time how we are."""
        moment = monotonic_s()
        if self.pipeline.live.dirty:
            with self._mishaps.contained("documents"):
                self.documents.publish(now, moment, messages_wait=messages_wait)
        if moment >= self._report_at and self.session.connected:
            self._report_at = moment + self._limits.report_interval_s
            with self._mishaps.contained("telling how the gateway is"):
                topic, payload = self._report("online")
                self.session.publish(topic, payload, retain=True)

    # ---- begin and end ----

    def _connected(self, _session_present: bool) -> None:
        """Everything retained is said again: the broker may have forgotten it, or never heard it.

        A broker that has just started tells of everybody's will: those who are there speak within the grace.
        """
        live = self.pipeline.live
        live.grace_until = self._clock.peek() + self._limits.restart_grace_ms
        self._report_at = 0.0
        for station in live.stations.values():
            live.touch(station)
        with self._mishaps.contained("telling the open alerts"):
            self.alerting.publish_all()
        if self.announcer is not None:
            with self._mishaps.contained("announcing to Home Assistant"):
                self.announcer.announce()
        self.committing.connected(live.devices.values())
        for greet in self.on_connected:
            with self._mishaps.contained("who waits for the broker"):
                greet()

    def _finish(self) -> None:
        """Commit and acknowledge what came, keep the live state whole, say goodbye."""
        now, _ = self._clock.read()
        self._settle(now)
        if self.committing.busy is None:
            self.committing.hand_over_last(now)
            self._settle(now)
        with self._mishaps.contained("saying goodbye"):
            topic, payload = self._report("stopped")
            self.session.publish(topic, payload, retain=True)
        self.session.close()

    def _settle(self, now: Millis) -> None:
        """What the writer has is acknowledged; with a store in trouble it comes again after the next start instead."""
        end, writer = monotonic_s() + SETTLE_S, self.writer
        while self.committing.busy is not None and writer.trouble is None and writer.is_alive() and monotonic_s() < end:
            self.session.poll(0.02)
            self.committing.collect(now)
