"""Whether a message may be taken: what its bytes may be, whether it came before, and whether its time is believed."""

from typing import Any

from gateway import wire
from gateway.live import Device, SeqVerdict
from gateway.model import AGAIN, DUP, RETAINED, TS_SUSPECT, Header, Millis
from gateway.wire import UnreadableError

PROMPT_MS = 60_000
"""A message no older than this is as new as a network makes it."""
SAME_LAG_MS, BETWEEN_MS, LAGS = 1_000, 500, 2


def check_bytes(payload: bytes, longest: int) -> None:
    """UnreadableError for what no decoder should see, or nobody may keep."""
    if len(payload) > longest:
        raise UnreadableError("too_large")
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise UnreadableError("encoding") from None
    if wire.too_deep(payload):
        raise UnreadableError("too_deep")
    if wire.has_long_digits(payload) and wire.carries_identity(payload):
        raise UnreadableError("identity_number")


def admit(device: Device, topic: bytes, payload: bytes, flags: int, header: Any, now: Millis) -> SeqVerdict:
    """By identity where there is one; else by fingerprint for repeats and by a believable `ts` for order."""
    if header.seq is not None and header.boot is not None:
        note = device.seen.admit_retained if flags & RETAINED else device.seen.admit
        verdict = note(header.boot, header.seq, header.oldest)
        if verdict is SeqVerdict.NEW:
            device.seen.note_first(header.seq, payload, wire.millis(header.ts))
        elif not flags & (RETAINED | DUP | AGAIN) and _begins_again(device, header, payload, now):
            device.seen.begin(header.boot, header.seq, header.oldest, payload, wire.millis(header.ts))
            return SeqVerdict.ANEW
        return verdict
    if flags & AGAIN:
        return SeqVerdict.REPEAT
    ts = wire.millis(header.ts)
    certain = ts is not None or bool(flags & (DUP | RETAINED))
    if device.seen.repeats(wire.trace(topic, payload, ts), certain):
        return SeqVerdict.REPEAT
    if ts is not None and believed(ts, now):
        for facts in device.facts:
            if facts.fresh.observed_at is not None and ts < facts.fresh.observed_at:
                return SeqVerdict.LATE
    return SeqVerdict.NEW


def _begins_again(device: Device, header: Any, payload: bytes, now: Millis) -> bool:
    """Whether a device counts anew under its old `boot`: the number it began with comes with other content, or a
    message is newer than all that we ever had of it. A repeat can be neither.

    One that is no newer by its own time than what we know is an old one, written in another way when it was sent again.
    """
    seen = device.seen
    if header.boot != seen.boot:
        return False
    ts = wire.millis(header.ts)
    if ts is not None and not believed(ts, now):
        ts = None
    if seen.is_other_first(header.seq, payload, ts):
        return ts is None or all(
            facts.fresh.observed_at is None or ts > facts.fresh.observed_at for facts in device.facts
        )
    if ts is None or device.seen_at is None:
        return False
    return ts > device.seen_at + wire.TS_FUTURE_MS  # no clock that is believed was so far ahead


def observed_at(device: Device, ts: Millis, now: Millis) -> tuple[Millis, int]:
    """When a message counts, and TS_SUSPECT if its own time is not believed.

    What waited somewhere comes faster than it was made, once it can come at all. A device whose every message is as
    late as the one before, while time passes between them, has a slow clock: it counts by its receipt.
    """
    if not believed(ts, now):
        return now, TS_SUSPECT
    late = now - ts
    if late <= PROMPT_MS:
        device.seen.lag = None
        return min(ts, now), 0
    lag = device.seen.lag
    if lag is None or abs(late - lag[0]) > SAME_LAG_MS:
        device.seen.lag = late, now, 0
        return ts, 0
    if now - lag[1] >= BETWEEN_MS:
        device.seen.lag = lag = lag[0], now, lag[2] + 1
    return (now, TS_SUSPECT) if lag[2] >= LAGS else (ts, 0)


def believed(ts: Millis, now: Millis) -> bool:
    return now - wire.TS_PAST_MS <= ts <= now + wire.TS_FUTURE_MS


def without_identity(topic: bytes, header: Header | None) -> bytes:
    """The topic if neither it nor the header holds an identity number, else nothing."""
    held = topic + b" " + (header.boot or "").encode() if header else topic
    return b"" if wire.carries_identity(held) else topic
