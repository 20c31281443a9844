"""Messages that can't be read: kept aside with their reason, without what may not be kept."""

from collections.abc import Callable

from gateway import wire
from gateway.core.admission import without_identity
from gateway.core.context import Context
from gateway.live import Device, SeqVerdict
from gateway.model import Header, Millis, Rejected
from gateway.wire import UnreadableError

_UNSEEN = ("too_large", "encoding", "too_deep", "identity_number")
"""Refused before any decoder saw it."""
_LONGEST_TOPIC = 1_024


class Refusals:
    """Puts messages into quarantine, and takes account of those that are there."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.cover: Callable[[bytes, bytes], bool] = lambda _topic, _payload: False  # what a box passed on

    def refuse(self, topic: bytes, payload: bytes, flags: int, now: Millis, reason: str) -> None:
        """Keep it aside. If its header can be read, the device need not send it again."""
        context = self._context
        passed_on = self.cover(topic, payload)
        known = None if passed_on else self._header_in(topic, payload)
        speaker, topic_heard = context.by_topic.get(topic), topic
        if _holds_identity(topic, payload):
            if reason == "internal_error":
                context.quarantined[reason] += 1  # both are told: that we failed, and what it held
            topic, payload, reason = without_identity(topic, known[1] if known else None), b"", "identity_number"
            if not topic:
                known = None  # its boot would be kept and told
            elif known is not None:
                payload = wire.encode_header(known[1])
        context.quarantined[reason] += 1
        self._remark(topic_heard, speaker, reason)
        context.outcome.rejected.append(Rejected(topic[:_LONGEST_TOPIC], payload[: wire.MAX_PAYLOAD], now, reason))
        if passed_on:
            return  # the box, which could read it, knows what follows from it
        if known is not None:
            device, header = known
            verdict = device.seen.admit(header.boot, header.seq or 0, header.oldest)
            context.owe(device)
            if verdict is not SeqVerdict.NEW:
                return
        if speaker is not None:
            context.lose(speaker, flags, now)
        elif reason in _UNSEEN:
            for device in context.foreign.lost(topic_heard):
                context.lose(device, flags, now)

    def _remark(self, topic: bytes, speaker: Device | None, reason: str) -> None:
        """Remark on the configured device by its name, so that whoever mends it finds it."""
        foreign = self._context.foreign
        devices = [source.device for source in foreign.sources_of(topic)] if speaker is None else [speaker]
        for device in devices:
            foreign.remarks.say(
                f"{device.station}/{device.id} message", f"can't be read ({reason}) and is in quarantine"
            )

    def readmit(self, rejected: Rejected) -> None:
        """After a restart: a message in quarantine is covered by the watermark, and its device has forgotten it."""
        if self.cover(rejected.topic, rejected.payload):
            return
        known = self._header_in(rejected.topic, rejected.payload)
        if known is not None and known[1].boot in (known[0].seen.boot, *known[0].seen.older):
            device, header = known
            device.seen.admit(header.boot, header.seq or 0, header.oldest)

    def _header_in(self, topic: bytes, payload: bytes) -> tuple[Device, Header] | None:
        """The device and the header of a message that may be unreadable otherwise; None without an identity."""
        header = wire.header_of(payload)
        if header is None or header.seq is None or header.boot is None:
            return None
        try:
            device, _ = self._context.device(topic)
        except UnreadableError:
            return None
        return device, header


def _holds_identity(topic: bytes, payload: bytes) -> bool:
    """Whether a number of a person stands in it. The digits of UTF-16 stand between NULs."""
    texts = (payload, payload.replace(b"\0", b""), topic)
    return any(wire.carries_identity(text) for text in texts)
