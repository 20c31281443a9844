"""The hot path: plain state messages of known devices.

A message that only repeats what is known costs one dictionary look-up, one decode into its kind's Struct, one compare
of `seq`, one question of `live/repeats` and five list appends. What may change something is copied first; everything
unusual leaves it for `unusual`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import DecodeError, ValidationError

from gateway import wire
from gateway.core.admission import PROMPT_MS, admit
from gateway.core.before import BeforeMessage, BeforeState
from gateway.core.context import Context
from gateway.core.outcome import Frame
from gateway.core.unusual import Unusual
from gateway.live import Device, SeqVerdict
from gateway.model import ANEW, RETAINED, Millis


class Usual:
    """Takes what it can, in one loop, and hands the rest to `unusual`."""

    def __init__(self, context: Context, unusual: Unusual) -> None:
        self._context, self._unusual = context, unusual
        self._before: BeforeState | BeforeMessage | None = None

    def take(self, frames: list[Frame], left: Iterator[Frame], now: Millis) -> None:
        """All of `frames`, received at `now`, in order of arrival.

        `left` runs over `frames`: whoever catches what is raised here knows which one it was, and has to `undo` it.
        """
        joined = b" ".join([frame[1] for frame in frames])
        doubtful = not joined.isascii() or wire.has_long_digits(joined) or len(joined) > wire.MAX_PAYLOAD * len(frames)
        context = self._context
        find, repeats = context.by_topic.get, context.live.repeats
        batch, note_heard = context.outcome.batch, context.outcome.heard.append
        keep_topic, keep_payload, keep_number = batch.topics.append, batch.payloads.append, batch.numbers.append
        keep_received, keep_flags = batch.received.append, batch.flags.append
        prompt, latest = now - PROMPT_MS, now + wire.TS_FUTURE_MS
        for topic, payload, flags in left:
            device = find(topic)
            if device is None or doubtful or flags & RETAINED or len(payload) > wire.MAX_PAYLOAD:
                self._take_unusual(topic, payload, flags, now, checked=not doubtful)
                continue
            try:
                signals = device.decode(payload)
            except (DecodeError, ValidationError, RecursionError, UnicodeDecodeError, ValueError):
                self._take_unusual(topic, payload, flags, now)
                continue
            seen, seq, ts = device.seen, signals.seq, signals.ts
            if seq != seen.top + 1 or signals.boot != seen.boot:
                self._take_unordered(device, topic, payload, flags, signals, now)
                continue
            observed = now
            if ts is not None:
                if type(ts) is not int:
                    ts = wire.millis(ts)
                if not prompt <= ts <= latest:
                    self._take_unordered(device, topic, payload, flags, signals, now)
                    continue
                if ts < now:
                    observed = ts
            if not repeats(device, signals, observed, now):
                self._observe(device, signals, observed, now)
            # Nothing can fail from here on.
            keep_topic(device.topic)
            keep_payload(payload)
            keep_received(now)
            keep_flags(0)
            keep_number(device.number)
            seen.top = seq
            if signals.oldest is not None and signals.oldest > seen.floor:
                seen.floor = signals.oldest
            if not device.owed:
                device.owed = True
                note_heard(device)

    def undo(self) -> None:
        """The message that failed has left no trace."""
        before, self._before = self._before, None
        if before is not None:
            before.restore()

    def _observe(self, device: Device, signals: Any, observed: Millis, now: Millis) -> None:
        """It may change what is known."""
        self._before = BeforeState(self._context, device, in_order=True)
        self._context.live.observe(device, signals, observed, now)
        self._before = None

    def _take_unordered(
        self, device: Device, topic: bytes, payload: bytes, flags: int, signals: Any, now: Millis
    ) -> None:
        """A state message whose number is not the next one, or whose time is not that of now."""
        if device.seen.is_new and signals.seq is not None and signals.boot is not None:
            observed = _observed(signals.ts, now)
            if observed is not None:
                self._take_first(device, payload, signals, observed, now)
                return
        self._before = BeforeState(self._context, device, in_order=False)
        verdict = admit(device, topic, payload, flags, signals, now)
        if verdict in (SeqVerdict.NEW, SeqVerdict.ANEW):
            mark = ANEW if verdict is SeqVerdict.ANEW else 0
            self._unusual.believe(device, payload, flags, signals, now, mark)
        else:
            self._unusual.store_late(verdict, device, topic, payload, signals, now)
        self._before = None

    def _take_first(self, device: Device, payload: bytes, signals: Any, observed: Millis, now: Millis) -> None:
        """The first message that ever came of a device: it can be no repeat, and no other was before it."""
        self._before = BeforeState(self._context, device, in_order=True)
        self._context.live.observe(device, signals, observed, now)
        self._context.keep(device, device.topic, payload, now, 0, device.number)
        device.seen.begin(signals.boot, signals.seq, signals.oldest, payload, wire.millis(signals.ts))
        self._before = None

    def _take_unusual(self, topic: bytes, payload: bytes, flags: int, now: Millis, *, checked: bool = False) -> None:
        self._before = BeforeMessage(self._context, topic)
        self._unusual.take(topic, payload, flags, now, checked=checked)
        self._before = None


def _observed(ts: datetime | Millis | None, now: Millis) -> Millis | None:
    """When a message counts that says `ts` of itself; None where that is not about now."""
    made_at = wire.millis(ts)
    if made_at is None:
        return now
    return min(made_at, now) if now - PROMPT_MS <= made_at <= now + wire.TS_FUTURE_MS else None
