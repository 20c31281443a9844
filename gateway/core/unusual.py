"""Every message that is no plain state message of a known device, checked from the beginning."""

from typing import Any

from gateway import wire
from gateway.base.bounds import mended
from gateway.core.admission import admit, believed, check_bytes, observed_at
from gateway.core.commands import Commands
from gateway.core.context import Context
from gateway.core.passed_on import FromBoxes
from gateway.core.refusals import Refusals
from gateway.dialects.base import longest
from gateway.live import Device, SeqVerdict
from gateway.model import ANEW, LATE, RETAINED, TS_SUSPECT, Millis
from gateway.wire import UnreadableError

_NEWS = {SeqVerdict.NEW: 0, SeqVerdict.ANEW: ANEW}
"""What moves the live state, with the flag that it is stored under."""


class Unusual:
    """State messages that need a second look, events, availability, foreign dialects, commands, rubbish."""

    def __init__(self, context: Context, commands: Commands, refusals: Refusals) -> None:
        self._context, self._commands, self._refusals = context, commands, refusals
        self.from_boxes = FromBoxes(context, commands.reports)
        refusals.cover = self.from_boxes.cover

    def take(self, topic: bytes, payload: bytes, flags: int, now: Millis, *, checked: bool = False) -> None:
        """`checked`: no byte of it, nor of its neighbours, is in doubt."""
        try:
            self._read(topic, payload, flags, now, checked=checked)
        except UnreadableError as error:
            better = mended(payload) if error.reason == "not_json" and topic.startswith(b"yz/") else None
            if better is not None:
                self.take(topic, better, flags, now)
                return
            self._refusals.refuse(topic, payload, flags, now, error.reason)

    def _read(self, topic: bytes, payload: bytes, flags: int, now: Millis, *, checked: bool) -> None:
        """UnreadableError says why it can't be taken. What a dialect reads may be four times as long."""
        if not payload and topic.startswith(b"yz/"):
            wire.parse_topic(topic)
            self._context.live.counters["cleared"] += 1  # what was retained here is gone: it says nothing of the device
            return
        if topic.startswith((b"yz-cmd/", b"yz-deed/")):
            self._commands.take(topic, payload, flags, now)
            return
        if topic.startswith(b"yz-pile/"):
            check_bytes(payload, wire.MAX_PAYLOAD)
            self._commands.errands.on_pile(topic.decode(), payload)
            return
        if topic.startswith(b"yz-reply/"):
            self._commands.errands.hear(topic, payload, flags, now)
            return
        if b'"via"' in payload and topic.startswith(b"yz/") and self.from_boxes.take(topic, payload, flags, now):
            return
        if self._context.recorded and topic.endswith(b"/check"):
            check_bytes(payload, wire.MAX_PAYLOAD)
            self._commands.reports.recorded(topic, payload, now)
            return
        if topic.startswith((b"yz-box/", b"yz-site/")):
            self.from_boxes.word(topic, payload, now)
            return
        foreign = not topic.startswith(b"yz/") and topic != b"yz"  # our filter brings that one too
        if not (checked and foreign):
            check_bytes(payload, longest(topic) if foreign else wire.MAX_PAYLOAD)
        if foreign:
            self._foreign(topic, payload, flags, now)
            return
        device, which = self._context.device(topic)
        if which == "availability":
            online, boot = wire.read_availability(payload)
            self._availability(device, topic, payload, flags, online, boot, now)
        elif which == "event":
            self._event(device, topic, payload, flags, now)
        else:
            self._state(device, topic, payload, flags, now)

    def _foreign(self, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        """A message in somebody else's dialect, stored and believed as a native one."""
        heard = self._context.foreign.translate(topic, payload, now)
        for device in heard.lost:
            self._context.lose(device, flags, now)
        for said in heard.said:
            self._context.live.counters["ignored_fields"] += said.ignored
            if said.online is not None:
                self._availability(said.device, said.topic, said.payload, flags, said.online, said.boot, now)
            elif said.signals is None:
                self._event(said.device, said.topic, said.payload, flags, now)
            else:
                self._accept(said.device, said.topic, said.payload, flags, said.signals, now)
        if heard.refused is not None:
            raise UnreadableError(heard.refused)

    # ---- state ----

    def _state(self, device: Device, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        signals, ignored, bad = wire.read(device.decode, payload)
        self._context.live.counters["ignored_fields"] += ignored
        if bad:
            self._context.foreign.remarks.bad(device.station, device.id, bad)
            payload = wire.without(payload, bad)
        self._accept(device, topic, payload, flags, signals, now)

    def _accept(self, device: Device, topic: bytes, payload: bytes, flags: int, signals: Any, now: Millis) -> None:
        verdict = admit(device, topic, payload, flags, signals, now)
        if verdict in _NEWS:
            self.believe(device, payload, flags, signals, now, _NEWS[verdict])
        else:
            self.store_late(verdict, device, topic, payload, signals, now, flags & RETAINED)

    def believe(self, device: Device, payload: bytes, flags: int, signals: Any, now: Millis, anew: int) -> None:
        """Store a state message that is news, and let it move the live state. `anew`: ANEW or 0."""
        context = self._context
        observed, mark, retained = now, 0, flags & RETAINED
        ts = None if signals.ts is None else wire.millis(signals.ts)
        if ts is not None:
            observed, mark = observed_at(device, ts, now)
            if mark:
                ts = None
        context.keep(device, device.topic, payload, now, retained | mark | anew, device.number)
        if retained:
            context.live.remember(device, signals, ts, now)
        else:
            context.live.observe(device, signals, observed, now)

    def store_late(
        self, verdict: SeqVerdict, device: Device, topic: bytes, payload: bytes, header: Any, now: Millis, mark: int = 0
    ) -> None:
        """A repeat is only counted; a late message goes to history and leaves the live state alone."""
        counters = self._context.live.counters
        if verdict is SeqVerdict.REPEAT:
            counters["duplicate"] += 1
            return
        counters["late"] += 1
        ts = wire.millis(header.ts)
        late = LATE | mark | (0 if ts is None or believed(ts, now) else TS_SUSPECT)
        self._context.keep(device, topic, payload, now, late)

    # ---- events and availability ----

    def _event(self, device: Device, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        event = wire.read_event(payload)
        verdict = admit(device, topic, payload, flags, event, now)
        if verdict not in _NEWS:
            self.store_late(verdict, device, topic, payload, event, now, flags & RETAINED)
            return
        ts = wire.millis(event.ts)
        mark = (flags & RETAINED) | _NEWS[verdict] | (0 if ts is None or believed(ts, now) else TS_SUSPECT)
        self._context.keep(device, topic, payload, now, mark)
        if not flags & RETAINED:
            self._context.outcome.happened.append((device, event, now))
            observed = min(ts, now) if ts is not None and believed(ts, now) else now
            self._context.live.happened(device, event, observed, now)

    def _availability(
        self, device: Device, topic: bytes, payload: bytes, flags: int, online: bool, boot: str | None, now: Millis
    ) -> None:
        context = self._context
        if device.seen.is_older(boot):
            context.live.counters["late_wills"] += 1
            return
        if flags & RETAINED and device.online == online:
            return  # the broker tells again what we know
        context.outcome.batch.append(topic, payload, now, flags & RETAINED)
        if not online and wire.is_good_night(payload):
            device.online = False
            return
        context.live.availability(device, online, bool(flags & RETAINED), now)
        if online:
            context.outcome.returned.add(device)
            if not flags & RETAINED:
                device.seen.born = boot
