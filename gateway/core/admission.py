"""Whether a message may be taken: what its bytes may be, whether it came before, and whether its time is believed."""

from typing import Any

from gateway import wire
from gateway.live import Device, Verdict
from gateway.model import AGAIN, DUP, RETAINED, Header, Millis
from gateway.wire import UnreadableError


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


def admit(device: Device, topic: bytes, payload: bytes, flags: int, header: Any, now: Millis) -> Verdict:
    """By identity where there is one; else by fingerprint for repeats and by a believable `ts` for order."""
    if header.seq is not None and header.boot is not None:
        note = device.seen.admit_retained if flags & RETAINED else device.seen.admit
        return note(header.boot, header.seq, header.oldest)
    if flags & AGAIN:
        return Verdict.REPEAT
    ts = wire.millis(header.ts)
    certain = ts is not None or bool(flags & (DUP | RETAINED))
    if device.seen.repeats(wire.trace(topic, payload, ts), certain):
        return Verdict.REPEAT
    if ts is not None and believed(ts, now):
        for facts in device.facts:
            if facts.observed_at is not None and ts < facts.observed_at:
                return Verdict.LATE
    return Verdict.NEW


def believed(ts: Millis, now: Millis) -> bool:
    return now - wire.TS_PAST_MS <= ts <= now + wire.TS_FUTURE_MS


def without_identity(topic: bytes, header: Header | None) -> bytes:
    """The topic if neither it nor the header holds an identity number, else nothing."""
    held = topic + b" " + (header.boot or "").encode() if header else topic
    return b"" if wire.carries_identity(held) else topic
