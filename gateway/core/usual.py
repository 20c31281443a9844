"""The hot path: plain state messages of known devices.

A message costs one dictionary look-up, one decode into its kind's Struct, one compare of `seq`, the kind's rule and
five list appends; everything unusual leaves it for `unusual`.
"""

from collections.abc import Iterator

from msgspec import DecodeError, ValidationError

from gateway import wire
from gateway.core.admission import PROMPT_MS, admit, observed_at
from gateway.core.context import Context
from gateway.core.outcome import Frame
from gateway.core.unusual import Unusual
from gateway.live import Verdict
from gateway.model import ANEW, RETAINED, Millis


class Usual:
    """Takes what it can, in one loop, and hands the rest to `unusual`."""

    def __init__(self, context: Context, unusual: Unusual) -> None:
        self._context, self._unusual = context, unusual

    def take(self, frames: list[Frame], left: Iterator[Frame], now: Millis) -> None:
        """All of `frames`, received at `now`, in order of arrival.

        `left` runs over `frames`: whoever catches what is raised here knows which one it was.
        """
        joined = b" ".join([frame[1] for frame in frames])
        doubtful = not joined.isascii() or wire.has_long_digits(joined) or len(joined) > wire.MAX_PAYLOAD * len(frames)
        context, unusual = self._context, self._unusual
        find, observe = context.by_topic.get, context.live.observe
        batch, heard = context.outcome.batch, context.outcome.heard
        keep = batch.append
        prompt, latest = now - PROMPT_MS, now + wire.TS_FUTURE_MS
        for topic, payload, flags in left:
            device = find(topic)
            if device is None or doubtful or flags & RETAINED or len(payload) > wire.MAX_PAYLOAD:
                unusual.take(topic, payload, flags, now, checked=not doubtful)
                continue
            try:
                signals = device.decode(payload)
            except (DecodeError, ValidationError, RecursionError, UnicodeDecodeError, ValueError):
                unusual.take(topic, payload, flags, now)
                continue
            seen, seq, ts = device.seen, signals.seq, signals.ts
            if seq == seen.top + 1 and signals.boot == seen.boot:
                seen.top = seq
                if signals.oldest is not None and signals.oldest > seen.floor:
                    seen.floor = signals.oldest
            else:
                verdict = admit(device, topic, payload, flags, signals, now)
                if verdict is Verdict.ANEW:
                    unusual.believe(device, payload, flags, signals, now, ANEW)
                    continue
                if verdict is not Verdict.NEW:
                    unusual.store_late(verdict, device, topic, payload, signals, now)
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
