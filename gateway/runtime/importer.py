"""What `yizhan export` wrote, back into a store that nobody else has open. A message that is there is left as it is.

Into a store that was never used it goes through the real core, so that history and the live state follow from it as
they did the first time. A store that has a past takes them as history only: they are exported, copied to InfluxDB and
replayed like the others, but change nothing that was decided since.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec

from config.schema import Settings
from gateway import wire
from gateway.base.local_time import DAY_MS
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.evidence.checks import StoredCheck, decode_report
from gateway.model import TS_SUSPECT, Batch, Message, Millis
from gateway.policy.hours import Openings
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import restore
from gateway.store.base import Store
from gateway.store.days import day_files
from gateway.store.jobs import Keep, KeepAlerts, KeepOpenings, KeepReports
from gateway.store.reader import SqliteReader

COMMIT_MESSAGES = 2_000


class _Exported(msgspec.Struct):
    """A line of `yizhan export`, plain or `--raw`: the one has a station, the other a topic."""

    received_at: Annotated[Millis, msgspec.Meta(ge=0)]
    topic: str | None = None
    station: str = ""
    device: str = ""
    kind: str = "state"
    boot: str | None = None
    seq: int | None = None
    ts: Millis | None = None
    retained: bool = False
    header: dict[str, Any] = {}
    data: Any = None


_decode = msgspec.json.Decoder(_Exported).decode
_encode = msgspec.json.Encoder(order="deterministic").encode
_NOT_CONTENT = wire.HEADER_FIELDS | {"card"}
_any = msgspec.json.Decoder().decode


def message_of(line: bytes) -> Message:
    """ValueError when it is no line of an export."""
    exported = _decode(line)
    topic, header = exported.topic, exported.header
    if topic is None:
        topic = f"yz/{exported.station}/{exported.device}/{exported.kind}"
        given = {"ts": exported.ts, "boot": exported.boot, "seq": exported.seq}
        header = {name: value for name, value in given.items() if value is not None}
    whole = isinstance(exported.data, dict)
    payload = msgspec.json.encode({**header, **exported.data}) if whole else str(exported.data).encode()
    return Message(topic.encode(), payload, exported.received_at, exported.retained)


class Importer:
    """`counts`: stored, known (were there before), refused (no device of the configuration said that)."""

    def __init__(self, settings: Settings, store: Store, now: Millis) -> None:
        """StoreError when a gateway has the store open: raised when it was opened already."""
        self._settings, self._store, self._now = settings, store, now
        self.counts: Counter[str] = Counter()

    def run(self, messages: Iterable[Message]) -> None:
        """Take them in the order in which they stand, which is that of their arrival."""
        messages = filter(self._past, messages)
        if day_files(self._store.folder):
            self._as_history(messages)
        else:
            self._as_new(iter(messages))

    def _past(self, message: Message) -> bool:
        """A day of the future would be opened by it, and stay the one that is written to."""
        if message.received_at <= self._now + DAY_MS:
            return True
        self.counts["refused"] += 1
        return False

    def _as_new(self, messages: Iterator[Message]) -> None:
        first = next(messages, None)
        if first is None:
            return
        clock = first.received_at
        pipeline = self._pipeline(clock, begins=True)
        self._take(pipeline, first, clock)
        late = []  # what was imported once before stands behind what came after it
        for message in messages:
            if message.received_at < clock:
                late.append(message)
                continue
            while (deadline := pipeline.live.next_deadline()) is not None and deadline <= message.received_at:
                clock = self._reached(pipeline, clock, deadline)
                pipeline.tick(deadline)
            clock = self._reached(pipeline, clock, message.received_at)
            self._take(pipeline, message, clock)
        self._commit(pipeline, clock)
        if late:
            self._append(late, set(pipeline.live.devices), clock)
        self._remember(pipeline, clock)

    def _reached(self, pipeline: Pipeline, clock: Millis, at: Millis) -> Millis:
        """The clock at `at`. What came before is stored when it is enough, and before another day begins: each has a
        file of its own."""
        if at // DAY_MS != clock // DAY_MS or len(pipeline.outcome.changes) >= COMMIT_MESSAGES:
            self._commit(pipeline, clock)
        return at

    def _take(self, pipeline: Pipeline, message: Message, clock: Millis) -> None:
        before = len(pipeline.outcome.batch)
        pipeline.handle(message, clock)
        if len(pipeline.outcome.batch) > before:
            self.counts["stored"] += 1
        else:
            self.counts["refused" if pipeline.outcome.rejected else "known"] += 1
        if len(pipeline.outcome.batch) >= COMMIT_MESSAGES or pipeline.outcome.rejected:
            self._commit(pipeline, clock)

    def _commit(self, pipeline: Pipeline, now: Millis) -> None:
        outcome = pipeline.take()
        if outcome.batch.payloads or outcome.changes:
            self._store.commit(outcome.batch, outcome.changes, (), now)
        if outcome.reports:
            self._store.write([KeepReports(outcome.reports)])
        if outcome.openings:
            self._store.write([KeepOpenings(outcome.openings)])

    def _as_history(self, messages: Iterable[Message]) -> None:
        pipeline = self._pipeline(self._now)
        restore(pipeline, self._store, self._now)
        self._store.write([KeepOpenings(pipeline.take().openings)])  # of the time in which nobody watched
        self._append(messages, set(pipeline.live.devices), self._now)
        self._remember(pipeline, self._now)

    def _append(self, messages: Iterable[Message], devices: set[tuple[str, str]], now: Millis) -> None:
        """Store what is not there yet, and believe none of it."""
        known = self._known()
        batch = Batch()
        for message in messages:
            self._add(batch, message, devices, known)
            if len(batch) >= COMMIT_MESSAGES:
                self._commit_history(batch, now)
                batch = Batch()
        if batch.payloads:
            self._commit_history(batch, now)

    def _commit_history(self, batch: Batch, now: Millis) -> None:
        """What people said of checks is told by a table of its own, too."""
        self._store.commit(batch, (), (), now)
        rows = zip(batch.topics, batch.payloads, batch.received, strict=True)
        checks = [(topic, payload, at) for topic, payload, at in rows if topic.endswith(b"/check")]
        told = [StoredCheck(wire.parse_stored(topic)[0], decode_report(payload), at) for topic, payload, at in checks]
        if told:
            self._store.write([KeepReports(told)])

    def _add(self, batch: Batch, message: Message, devices: set[tuple[str, str]], known: set[int]) -> None:
        if not self._of_ours(message, devices) or wire.carries_identity(message.payload):
            self.counts["refused"] += 1
            return
        identity = _identity(message.topic, message.payload, message.received_at)
        if identity in known:
            self.counts["known"] += 1
            return
        known.add(identity)
        header = wire.header_of(message.payload)
        ts = header.ts if header is not None else None
        early, late = message.received_at - wire.TS_PAST_MS, message.received_at + wire.TS_FUTURE_MS
        suspect = ts is not None and not early <= ts <= late
        batch.append(message.topic, message.payload, message.received_at, int(message.retained) | suspect * TS_SUSPECT)
        self.counts["stored"] += 1

    def _of_ours(self, message: Message, devices: set[tuple[str, str]]) -> bool:
        """Whether a device or a check of the configuration's stations said it."""
        try:
            station, name, which = wire.parse_stored(message.topic)
            if which != "check":
                return (station, name) in devices
            return self._settings.station(station) is not None and decode_report(message.payload).check == name
        except (wire.UnreadableError, msgspec.MsgspecError, RecursionError, ValueError):
            return False

    def _known(self) -> set[int]:
        reader = SqliteReader(self._store.folder)
        try:
            return {
                _identity(
                    wire.topic(reading.station, reading.device, reading.topic).encode(),
                    reading.payload,
                    reading.received_at,
                )
                for reading in reader.readings()
            }
        finally:
            reader.close()

    def _pipeline(self, now: Millis, *, begins: bool = False) -> Pipeline:
        """`begins`: what its stations promise from now on is where their history begins."""
        pipeline = Pipeline(build(self._settings, self._settings.stations, Openings(self._settings), now))
        promised = pipeline.take().openings
        if begins:
            self._store.write([KeepOpenings(promised)])
        pipeline.from_recording()
        return pipeline

    def _remember(self, pipeline: Pipeline, at: Millis) -> None:
        """What the core knows, as of `at`, holds after the last batch: no start replays what is history, or alerts for
        it."""
        memory = Memory(pipeline.live)
        parts = range(len(memory.parts))
        self._store.checkpoint_all([(part, memory.dump(part, at)) for part in parts], self._store.last_id)
        self._store.drop_parts(len(parts))
        self._store.write([Keep("layout", memory.layout), KeepAlerts(upto=self._store.last_id)])


def _identity(topic: bytes, payload: bytes, received_at: Millis) -> int:
    """The same for the same message: by device, boot, seq and content; without boot and seq by content and receipt.

    A device that counts anew under the same boot says other things under the same numbers. A card may have been taken
    out since, and is not looked at.
    """
    header = wire.header_of(payload)
    if header is None:
        return wire.fingerprint(topic, b"%d %s" % (received_at, payload))
    # As JSON it may be written in many ways.
    fields = {name: value for name, value in _any(payload).items() if name not in _NOT_CONTENT}
    content = _encode({**fields, "ts": header.ts, "boot": header.boot, "seq": header.seq})
    if header.boot is not None and header.seq is not None:
        return wire.fingerprint(b"/".join(topic.split(b"/")[:3]), content)
    return wire.fingerprint(topic, b"%d %s" % (received_at, content))
