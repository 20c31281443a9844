"""Messages in, an `Outcome` out: what to store, what changed, what was refused. No I/O, no clock, no threads.

`handle_all` is the hot path. A message costs one dictionary look-up, one decode into its kind's Struct, one compare of
`seq`, the kind's rule and five list appends; everything unusual leaves it for a cold method.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import DecodeError, ValidationError

from gateway import wire
from gateway.alerts.payload import rfc3339
from gateway.base.bounds import mended
from gateway.commands import CommandError, Gate, Order, Seen
from gateway.core.admission import PROMPT_MS, admit, believed, check_bytes, observed_at, without_identity
from gateway.core.before import Before
from gateway.core.foreign import Foreign
from gateway.dialects.base import longest
from gateway.kinds import Facts
from gateway.live import Device, Live, Verdict
from gateway.model import ANEW, DUP, RETAINED, TS_SUSPECT, Batch, Change, Header, Message, Millis, Rejected, Topic
from gateway.policy.override import read_command
from gateway.wire import Event, UnreadableError

_NEWS = {Verdict.NEW: 0, Verdict.ANEW: ANEW}
"""What moves the live state, with the flag that it is stored under."""
_UNSEEN = ("too_large", "encoding", "too_deep", "identity_number")
"""Refused before any decoder saw it."""

Frame = tuple[bytes, bytes, int]  # topic, payload, flags
FEW = 32  # messages that come together, and are copied for


@dataclass(slots=True)
class Outcome:
    """What a run of messages and ticks left to do. `heard`: devices whose watermark may have moved, each once until it
    is told; `news`: resources that said something an alert may follow from; `kept`: what outlives a restart, by name.
    """

    batch: Batch = field(default_factory=Batch)
    changes: list[Change] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    happened: list[tuple[Device, Event, Millis]] = field(default_factory=list)
    heard: list[Device] = field(default_factory=list)
    news: set[Facts] = field(default_factory=set)
    returned: set[Device] = field(default_factory=set)
    kept: dict[str, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.batch.payloads or self.changes or self.rejected or self.kept)


class Pipeline:
    """Owns the live state. `counters` are plain totals: received, stored, duplicate, ignored_fields, …"""

    def __init__(self, live: Live, foreign: Foreign | None = None) -> None:
        self.live = live
        self.foreign = foreign or Foreign(())
        self.counters = live.counters
        self.quarantined: Counter[str] = Counter()
        self.outcome = Outcome()
        self.nonces = Seen()
        self.gate = Gate(lambda: None, self.nonces)
        self.careful = False  # something failed under load: from now on each message is taken so that it can be undone
        self.on_staff: Callable[[str, bytes], None] = lambda _station, _text: None  # deeds with alerts and orders
        self.on_done: Callable[[str, str, str, str], None] = lambda _by, _what, _target, _detail: None  # for the audit
        self._states = {device.topic: device for device in live.devices.values()}

    def take(self) -> Outcome:
        """The outcome so far; a new one begins."""
        done, self.outcome = self.outcome, Outcome()
        done.changes, self.live.changes = self.live.changes, []
        done.news, self.live.news = self.live.news, set()
        return done

    @property
    def pending(self) -> bool:
        return bool(self.outcome or self.live.changes or self.live.news)

    def handle(self, message: Message, now: Millis) -> None:
        """One message; see `handle_all`."""
        flags = (RETAINED if message.retained else 0) | (DUP if message.dup else 0)
        self.handle_all([(message.topic, message.payload, flags)], now)

    def tick(self, now: Millis, most: int = 10_000) -> None:
        self.live.tick(now, most)

    def handle_all(self, frames: Iterable[tuple[bytes, bytes, int]], now: Millis) -> None:
        """Take `(topic, payload, flags)` in order of arrival, all received at `now`.

        Whatever is raised over one of them costs that one: it is set aside, and what it touched is as before. To undo
        it must be copied before, which costs as much as handling. So that is done where few come at a time, and for
        all from the first failure on; that first one under load leaves its resources stale until they speak again.
        """
        frames = list(frames)
        self.counters["received"] += len(frames)
        if self.careful or len(frames) <= FEW:
            for frame in frames:
                self._carefully(frame, now)
        else:
            self._quickly(frames, now)

    def _carefully(self, frame: Frame, now: Millis) -> None:
        before = None
        try:
            before = Before(self, frame[0])
            self._handle([frame], iter((frame,)), now)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            if before is not None:
                before.restore()
            self._set_aside(frame, error, now)

    def _quickly(self, frames: list[Frame], now: Millis) -> None:
        left = iter(frames)
        try:
            self._handle(frames, left, now)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            rest = list(left)
            failed = frames[len(frames) - len(rest) - 1]
            self.careful = True
            self._distrust(failed, now)
            self._set_aside(failed, error, now)
            for frame in rest:
                self._carefully(frame, now)

    def _set_aside(self, frame: Frame, error: Exception, now: Millis) -> None:
        """A fault of ours over this message: it is kept with its reason, told, and the next one is taken."""
        topic, payload, flags = frame
        station = topic.split(b"/", 2)[1:2]
        name = station[0].decode("ascii", "replace") if station else ""
        self.live.mishaps.note(f"message on {topic[:200]!r}", error, name if name in self.live.stations else None)
        length, before = len(self.outcome.rejected), dict(self.quarantined)
        try:
            self._reject(topic, payload, flags, now, "internal_error")
        except Exception as again:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self.live.mishaps.note("setting a message aside", again)
            del self.outcome.rejected[length:]
            self.quarantined.clear()
            self.quarantined.update(before)
            self.quarantined["internal_error"] += 1
            # Nobody can tell whether it holds an identity number, so only that it came is kept.
            self.outcome.rejected.append(Rejected(b"?", b"", now, "internal_error"))

    def _distrust(self, frame: Frame, now: Millis) -> None:
        """Half of a message may have been taken over: what it speaks for is stale until it speaks again."""
        batch = self.outcome.batch
        if batch.payloads and batch.payloads[-1] is frame[1]:
            batch.drop_last()
        for device in self.speakers(frame[0]):
            for facts in device.facts:
                facts.valid_until = None if facts.valid_until is None else min(facts.valid_until, now)
                facts.doubt.forget()
                self.live.alarms.set(facts, now)

    def speakers(self, topic: bytes) -> list[Device]:
        """The devices that a message on this topic is taken to come from."""
        known = self._states.get(topic)
        if known is not None:
            return [known]
        if topic.startswith(b"yz/"):
            try:
                return [self._find(topic)[0]]
            except UnreadableError:
                return []
        return [source.device for source in self.foreign.sources_of(topic)]

    def _handle(self, frames: list[Frame], left: Iterator[Frame], now: Millis) -> None:
        """`left` runs over `frames`: whoever catches what is raised here knows which one it was."""
        joined = b" ".join([frame[1] for frame in frames])
        doubtful = not joined.isascii() or wire.has_long_digits(joined) or len(joined) > wire.MAX_PAYLOAD * len(frames)
        find, observe = self._states.get, self.live.observe
        batch, heard = self.outcome.batch, self.outcome.heard
        keep = batch.append
        prompt, latest = now - PROMPT_MS, now + wire.TS_FUTURE_MS
        for topic, payload, flags in left:
            device = find(topic)
            if device is None or doubtful or flags & RETAINED or len(payload) > wire.MAX_PAYLOAD:
                self._cold(topic, payload, flags, now, checked=not doubtful)
                continue
            try:
                signals = device.decode(payload)
            except (DecodeError, ValidationError, RecursionError, UnicodeDecodeError, ValueError):
                self._cold(topic, payload, flags, now)
                continue
            seen, seq, ts = device.seen, signals.seq, signals.ts
            if seq == seen.top + 1 and signals.boot == seen.boot:
                seen.top = seq
                if signals.oldest is not None and signals.oldest > seen.floor:
                    seen.floor = signals.oldest
            else:
                verdict = admit(device, topic, payload, flags, signals, now)
                if verdict is Verdict.ANEW:
                    self._believe(device, payload, flags, signals, now, ANEW)
                    continue
                if verdict is not Verdict.NEW:
                    self._store_late(verdict, device, topic, payload, signals, now)
                    continue
            flags = 0
            observed = now
            if ts is not None:
                if type(ts) is not int:
                    ts = wire.millis(ts)
                if prompt <= ts <= latest:
                    observed = min(ts, now)
                else:
                    observed, flags = observed_at(device, ts, now)
            keep(device.topic, payload, now, flags, device.number)
            if not device.owed:
                device.owed = True
                heard.append(device)
            observe(device, signals, observed, now)

    def learn(self, found: Iterable[tuple[bytes, int]]) -> None:
        """What the journal had to look up, for the next time."""
        for topic, number in found:
            device = self._states.get(topic)
            if device is not None:
                device.number = number

    # ---- after a restart ----

    def replay(self, number: int, batch: Batch, known: dict[Device, int]) -> int:
        """Take stored messages again, those that a device's kept state does not hold yet. Returns how many."""
        count = 0
        for topic, payload, received, flags in zip(
            batch.topics, batch.payloads, batch.received, batch.flags, strict=True
        ):
            device = self.live.devices.get(wire.parse_topic(topic)[:2])
            if device is None or known.get(device, 0) >= number:
                continue
            self.live.tick(received)
            self._quickly([(topic, payload, flags & RETAINED)], received)
            count += 1
        self.take()
        self.counters.clear()
        self.quarantined.clear()
        return count

    def readmit(self, rejected: Rejected) -> None:
        """A message in quarantine is covered by the watermark: its device has forgotten it."""
        found = self._header_in(rejected.topic, rejected.payload)
        if found is not None and found[1].boot in (found[0].seen.boot, *found[0].seen.older):
            device, header = found
            device.seen.admit(header.boot, header.seq or 0, header.oldest)

    # ---- the unusual ----

    def _cold(self, topic: bytes, payload: bytes, flags: int, now: Millis, *, checked: bool = False) -> None:
        """Anything that is not a plain state message of a known device, checked from the beginning.

        `checked`: no byte of it, nor of its neighbours, is in doubt. What a dialect reads may be four times as long.
        """
        try:
            if not payload and topic.startswith(b"yz/"):
                wire.parse_topic(topic)
                self.counters["cleared"] += 1  # what was retained here is gone: it says nothing of the device
                return
            if topic.startswith(b"yz-cmd/"):
                self._command(topic, payload, flags, now)
                return
            foreign = not topic.startswith(b"yz/") and topic != b"yz"  # our filter brings that one too
            if not (checked and foreign):
                check_bytes(payload, longest(topic) if foreign else wire.MAX_PAYLOAD)
            if foreign:
                self._foreign(topic, payload, flags, now)
                return
            device, which = self._find(topic)
            if which == "availability":
                self._availability(device, topic, payload, flags, now)
            elif which == "event":
                self._event(device, topic, payload, flags, now)
            else:
                self._state(device, topic, payload, flags, now)
        except UnreadableError as error:
            better = mended(payload) if error.reason == "not_json" and topic.startswith(b"yz/") else None
            if better is not None:
                self._cold(topic, better, flags, now)
                return
            self._reject(topic, payload, flags, now, error.reason)

    def _find(self, topic: bytes) -> tuple[Device, Topic]:
        station, name, which = wire.parse_topic(topic)
        if station not in self.live.stations:
            raise UnreadableError("unknown_station")
        device = self.live.devices.get((station, name))
        if device is None:
            raise UnreadableError("unknown_device")
        return device, which

    def _state(self, device: Device, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        signals, ignored, bad = wire.read(device.decode, payload)
        self.counters["ignored_fields"] += ignored
        if bad:
            self.foreign.remarks.bad(device.station, device.id, bad)
            payload = wire.without(payload, bad)
        self._accept(device, topic, payload, flags, signals, now)

    def _accept(self, device: Device, topic: bytes, payload: bytes, flags: int, signals: Any, now: Millis) -> None:
        verdict = admit(device, topic, payload, flags, signals, now)
        if verdict in _NEWS:
            self._believe(device, payload, flags, signals, now, _NEWS[verdict])
        else:
            self._store_late(verdict, device, topic, payload, signals, now, flags & RETAINED)

    def _believe(self, device: Device, payload: bytes, flags: int, signals: Any, now: Millis, anew: int) -> None:
        """Store a state message that is news, and let it move the live state. `anew`: ANEW or 0."""
        observed, mark, retained = now, 0, flags & RETAINED
        ts = None if signals.ts is None else wire.millis(signals.ts)
        if ts is not None:
            observed, mark = observed_at(device, ts, now)
            if mark:
                ts = None
        self._keep(device, device.topic, payload, now, retained | mark | anew, device.number)
        if retained:
            self.live.remember(device, signals, ts, now)
        else:
            self.live.observe(device, signals, observed, now)

    def _command(self, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        """What staff change, on `yz-cmd/{station}/{what}`; what is refused is counted and changes nothing."""
        if topic.count(b"/") == 3 and topic.endswith((b"/unlock", b"/call")):
            return  # a bridge's: it opens doors, and tells us by an event
        try:
            order = self.gate.open(topic, payload, now, retained=bool(flags & RETAINED))
            self.outcome.kept["nonces"] = self.nonces.dump(now)
            self._carry_out(order, now)
        except CommandError as error:
            self.gate.refuse(error, now)
            self.quarantined["command"] += 1
        else:
            self.counters["commands"] += 1

    def _carry_out(self, order: Order, now: Millis) -> None:
        """CommandError says why it is not done."""
        station, what, *more = [*order.path, "", ""][:3]
        if what == "staff" and not any(more):
            self.on_staff(station, order.text)
            return
        if what != "override" or any(more):
            raise CommandError(f"{order.topic!r} is no command")
        command = read_command(order.text, now)
        if not self.live.set_by_hand(command.target(station), command.override, now, partner=command.partner):
            raise CommandError("no such place", "no_such_place")
        self.outcome.kept["overrides"] = self.live.overrides.dump()
        target = "/".join(part for part in command.target(station) if part)
        said = command.override
        detail = "taken back" if said is None else f"{said.status} until {rfc3339(said.until or now)}"
        self.on_done(order.by, "override", target, detail)

    def _foreign(self, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        """A message in somebody else's dialect, stored and believed as a native one."""
        heard = self.foreign.translate(topic, payload, now)
        for device in heard.lost:
            self._lose(device, flags, now)
        for one in heard.said:
            self.counters["ignored_fields"] += one.ignored
            if one.online is not None:
                self._goodbye(one.device, one.topic, one.payload, flags, one.online, one.boot, now)
            elif one.signals is None:
                self._event(one.device, one.topic, one.payload, flags, now)
            else:
                self._accept(one.device, one.topic, one.payload, flags, one.signals, now)
        if heard.refused is not None:
            raise UnreadableError(heard.refused)

    def _lose(self, device: Device, flags: int, now: Millis) -> None:
        """A value came that nobody can read. What a broker kept is from nobody knows when, and changes nothing."""
        if not flags & RETAINED:
            self.live.unreadable(device, now)

    def _event(self, device: Device, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        event = wire.read_event(payload)
        verdict = admit(device, topic, payload, flags, event, now)
        if verdict not in _NEWS:
            self._store_late(verdict, device, topic, payload, event, now, flags & RETAINED)
            return
        ts = wire.millis(event.ts)
        mark = (flags & RETAINED) | _NEWS[verdict] | (0 if ts is None or believed(ts, now) else TS_SUSPECT)
        self._keep(device, topic, payload, now, mark)
        if not flags & RETAINED:
            self.outcome.happened.append((device, event, now))
            observed = min(ts, now) if ts is not None and believed(ts, now) else now
            self.live.happened(device, event, observed, now)

    def _availability(self, device: Device, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        online, boot = wire.read_availability(payload)
        self._goodbye(device, topic, payload, flags, online, boot, now)

    def _goodbye(
        self, device: Device, topic: bytes, payload: bytes, flags: int, online: bool, boot: str | None, now: Millis
    ) -> None:
        if device.seen.is_older(boot):
            self.counters["late_wills"] += 1
            return
        if flags & RETAINED and device.online == online:
            return  # the broker tells again what we know
        self.outcome.batch.append(topic, payload, now, flags & RETAINED)
        if not online and wire.is_good_night(payload):
            device.online = False
            return
        self.live.availability(device, online, bool(flags & RETAINED), now)
        if online:
            self.outcome.returned.add(device)
            if not flags & RETAINED:
                device.seen.born = boot

    def _store_late(
        self, verdict: Verdict, device: Device, topic: bytes, payload: bytes, header: Any, now: Millis, mark: int = 0
    ) -> None:
        """A repeat is only counted; a late message goes to history and leaves the live state alone."""
        if verdict is Verdict.REPEAT:
            self.counters["duplicate"] += 1
            return
        self.counters["late"] += 1
        ts = wire.millis(header.ts)
        self._keep(device, topic, payload, now, mark | (0 if ts is None or believed(ts, now) else TS_SUSPECT))

    def _keep(self, device: Device, topic: bytes, payload: bytes, now: Millis, mark: int, number: int = 0) -> None:
        self.outcome.batch.append(topic, payload, now, mark, number)
        self._owe(device)

    def _owe(self, device: Device) -> None:
        if not device.owed:
            device.owed = True
            self.outcome.heard.append(device)

    def _reject(self, topic: bytes, payload: bytes, flags: int, now: Millis, reason: str) -> None:
        """Keep it aside. If its header can be read, the device need not send it again."""
        found = self._header_in(topic, payload)
        speaker, topic_heard = self._states.get(topic), topic
        # The digits of UTF-16 stand between NULs.
        if (
            wire.carries_identity(payload)
            or wire.carries_identity(payload.replace(b"\0", b""))
            or wire.carries_identity(topic)
        ):
            if reason == "internal_error":
                self.quarantined[reason] += 1  # both are told: that we failed, and what it held
            topic, payload, reason = without_identity(topic, found[1] if found else None), b"", "identity_number"
            if not topic:
                found = None  # its boot would be kept and told
            elif found is not None:
                payload = wire.encode_header(found[1])
        self.quarantined[reason] += 1
        self.outcome.rejected.append(Rejected(topic[:1024], payload[: wire.MAX_PAYLOAD], now, reason))
        if found is not None:
            device, header = found
            verdict = device.seen.admit(header.boot, header.seq or 0, header.oldest)
            self._owe(device)
            if verdict is not Verdict.NEW:
                return
        if speaker is not None:
            self._lose(speaker, flags, now)
        elif reason in _UNSEEN:
            for device in self.foreign.lost(topic_heard):
                self._lose(device, flags, now)

    def _header_in(self, topic: bytes, payload: bytes) -> tuple[Device, Header] | None:
        """The device and the header of a message that may be unreadable otherwise; None without an identity."""
        header = wire.header_of(payload)
        if header is None or header.seq is None or header.boot is None:
            return None
        try:
            device, _ = self._find(topic)
        except UnreadableError:
            return None
        return device, header
