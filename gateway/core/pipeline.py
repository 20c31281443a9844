"""Messages in, an `Outcome` out: what to store, what changed, what was refused. No I/O, no clock, no threads.

The order of it all, and the promise that a message costs itself only. What is done with one stands in `usual` (the hot
path), `unusual`, `commands` and `refusals`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from gateway import wire
from gateway.core.before import is_command
from gateway.core.commands import Commands
from gateway.core.context import Context
from gateway.core.flood import Flood
from gateway.core.foreign import Foreign
from gateway.core.outcome import Frame, Outcome
from gateway.core.refusals import Refusals
from gateway.core.unusual import Unusual
from gateway.core.usual import Usual
from gateway.evidence.checks import StoredCheck
from gateway.live import Device, Live
from gateway.model import DUP, RETAINED, Batch, Message, Millis, Rejected

INTERNAL_ERROR = "internal_error"  # the reason in quarantine


Unseen = Callable[[bytes, bytes, Millis], bool | None]
"""(topic, payload, receipt) of a stored message: None to have it handled, else it is set aside; True: bare."""


def all_seen(_topic: bytes, _payload: bytes, _received: Millis) -> bool | None:
    return None


class Pipeline:
    """Owns the live state. `counters` are plain totals: received, stored, duplicate, ignored_fields, …; `quarantined`
    counts what was refused by reason.
    """

    def __init__(self, live: Live, foreign: Foreign | None = None) -> None:
        self._context = context = Context(live, foreign or Foreign({}))
        self.live, self.foreign = live, context.foreign
        self.counters: Counter[str] = live.counters
        self.quarantined = context.quarantined
        self.commands = Commands(context)
        self._refusals = Refusals(context)
        unusual = Unusual(context, self.commands, self._refusals)
        self._from_boxes = unusual.from_boxes
        self._usual = Usual(context, unusual)
        self.reports_again: list[StoredCheck] = []  # of the journal, which the store may not know for itself

    def flood(self, per_s: int, burst: int) -> Flood:
        """What keeps one device from costing all others, as the state was taken up."""
        heard = [device.seen_at for device in self.live.devices.values() if device.seen_at is not None]
        flood = Flood(per_s, burst, self._context.by_topic, self._context.speakers, max(heard, default=None))
        flood.trusts = self.live.boxes.trusts
        return flood

    def name_words(self) -> None:
        """Have the words named that devices say and nobody knows: each once in the log."""
        for what, count in self.live.counters.words.items():
            self.foreign.remarks.total(what, count, "is a word that we don't know: shown as unknown")

    @property
    def outcome(self) -> Outcome:
        """What has come together since `take`."""
        return self._context.outcome

    def take(self) -> Outcome:
        """The outcome so far; a new one begins."""
        done, self._context.outcome = self._context.outcome, Outcome()
        done.changes, self.live.changes = self.live.changes, []
        done.openings = self.live.openings.take()
        done.ended = self.live.activities.take()
        done.news, self.live.news = self.live.news, set()
        done.checked, self.live.rounds.news = self.live.rounds.news, set()
        return done

    @property
    def pending(self) -> bool:
        live = self.live
        come = live.changes or live.openings.changes or live.activities.ended or live.news or live.rounds.news
        return bool(self.outcome or come)

    def handle(self, message: Message, now: Millis) -> None:
        """One message; see `handle_all`."""
        flags = (RETAINED if message.retained else 0) | (DUP if message.dup else 0)
        self.handle_all([(message.topic, message.payload, flags)], now)

    def tick(self, now: Millis, most: int = 10_000) -> None:
        self.live.tick(now, most)
        if self.commands.errands.busy:
            self.commands.errands.tick(now)

    def handle_all(self, frames: Iterable[Frame], now: Millis) -> None:
        """Take them in order of arrival, all received at `now`.

        Whatever is raised over one of them costs that one: it is set aside, and what it touched is as before. One that
        fails among others is tried once more, alone; but a command reaches others too, who undo nothing.
        """
        frames = list(frames)
        self.counters["received"] += len(frames)
        while frames:
            frames = self._take(frames, now)

    def _take(self, frames: list[Frame], now: Millis) -> list[Frame]:
        """All up to the first that fails; those after it are left."""
        left = iter(frames)
        try:
            self._usual.take(frames, left, now)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._usual.undo()
            rest = list(left)
            failed = frames[max(len(frames) - len(rest) - 1, 0)]  # the first, if none was begun
            if len(frames) == 1 or is_command(failed[0]):
                self._set_aside(failed, error, now)
            elif self._carefully(failed, now):
                self.live.mishaps.note("a message among others; alone it did not fail", error)
            return rest if len(rest) < len(frames) else rest[1:]
        return []

    def _carefully(self, frame: Frame, now: Millis) -> bool:
        """One message alone; whether it was taken."""
        try:
            self._usual.take([frame], iter((frame,)), now)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._usual.undo()
            self._set_aside(frame, error, now)
            return False
        return True

    def _set_aside(self, frame: Frame, error: Exception, now: Millis) -> None:
        """A fault of ours over this message: it is kept with its reason, told, and the next one is taken."""
        topic = frame[0]
        name = wire.station_in(topic)
        self.live.mishaps.note(f"message on {topic[:200]!r}", error, name if name in self.live.stations else None)
        self.set_aside(frame, now)

    def set_aside(self, frame: Frame, now: Millis, *, bare: bool = False) -> None:
        """Keep a message in quarantine as one that we fail over, without handling it. `bare`: no byte of it is looked
        at, so none is kept.
        """
        topic, payload, flags = frame
        length, before = len(self.outcome.rejected), dict(self.quarantined)
        try:
            if not bare:
                self._refusals.refuse(topic, payload, flags, now, INTERNAL_ERROR)
                return
        except Exception as again:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self.live.mishaps.note("setting a message aside", again)
            del self.outcome.rejected[length:]
            self.quarantined.clear()
            self.quarantined.update(before)
        # Nobody can tell whether it holds an identity number, so only that it came is kept.
        self.quarantined[INTERNAL_ERROR] += 1
        self.outcome.rejected.append(Rejected(b"?", b"", now, INTERNAL_ERROR))

    def follow(self, came: Iterable[Device], went: Iterable[Device]) -> None:
        """The configuration has other devices now."""
        by_topic = self._context.by_topic
        for device in went:
            del by_topic[device.topic]
        for device in came:
            by_topic[device.topic] = device

    # ---- the store ----

    def learn(self, numbers: Iterable[tuple[bytes, int]]) -> None:
        """What the journal had to look up, for the next time."""
        for topic, number in numbers:
            device = self._context.by_topic.get(topic)
            if device is not None:
                device.number = number

    def replay(
        self,
        number: int,
        batch: Batch,
        known: Mapping[Device, int],
        *,
        careful: bool = False,
        unseen: Unseen = all_seen,
    ) -> tuple[int, list[Rejected]]:
        """Take stored messages again, those that a device's kept state does not hold yet. Returns how many, and those
        that were set aside. `unseen`: asked before each, see there.

        A fault of ours over one is raised: then what it touched is not to be trusted, and all is to be taken up anew,
        `careful`, so that it costs that message only.
        """
        with self._context.recording():
            return self._replay(number, batch, known, careful=careful, unseen=unseen)

    def _replay(
        self, number: int, batch: Batch, known: Mapping[Device, int], *, careful: bool, unseen: Unseen
    ) -> tuple[int, list[Rejected]]:
        count, boxes_upto = 0, self.live.boxes.kept_upto
        for topic, payload, received, flags in zip(
            batch.topics, batch.payloads, batch.received, batch.flags, strict=True
        ):
            frame = topic, payload, flags & RETAINED
            try:
                if number > boxes_upto:
                    self._from_boxes.cover(topic, payload)
                if not self._is_wanted(topic, number, known):
                    continue
                count += 1
                aside = unseen(topic, payload, received)
                if aside is not None:
                    self.set_aside(frame, received, bare=aside)
                    continue
                self._again(frame, received, careful=careful)
            except Exception as error:
                if not careful:
                    raise
                self._set_aside(frame, error, received)
        taken = self.take()
        kept = [rejected for rejected in taken.rejected if rejected.reason == INTERNAL_ERROR]
        self.reports_again += taken.reports
        self.counters.clear()
        self.quarantined.clear()
        return count, kept

    def _is_wanted(self, topic: bytes, number: int, known: Mapping[Device, int]) -> bool:
        if topic.endswith(b"/check"):
            return True
        device = self.live.devices.get(wire.parse_topic(topic)[:2])
        return device is not None and known.get(device, 0) < number

    def _again(self, frame: Frame, received: Millis, *, careful: bool) -> None:
        """One message of the journal."""
        self.live.tick(received)
        if careful:
            self._carefully(frame, received)
        else:
            self._usual.take([frame], iter((frame,)), received)

    def readmit(self, rejected: Rejected) -> None:
        """A message in quarantine came before: its device need not send it again."""
        with self.live.mishaps.contained("a message in quarantine"):
            self._refusals.readmit(rejected)

    def from_recording(self) -> None:
        """From now on messages come from a recording, where checks by people stand as the journal has them."""
        self._context.recorded = True

    def know_reports(self, ids: Mapping[str, Millis]) -> None:
        """Which checks came before, and when they were made."""
        self._context.reports = dict(ids)

    def owe_reports(self) -> None:
        """Have those that the journal told once more be kept with the next outcome."""
        self.outcome.reports.extend(self.reports_again)
        self.reports_again = []

    def owe(self, aside: Iterable[Rejected]) -> None:
        """Have these go to quarantine with the next outcome."""
        for rejected in aside:
            self.outcome.rejected.append(rejected)
            self.quarantined[rejected.reason] += 1
