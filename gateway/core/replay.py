"""Recorded messages through the real core under a virtual clock. The same input gives the same bytes, always.

Records may stand in any order inside the reordering window: each is held back until the newest one seen is a window
ahead, and then they go in by time of receipt, topic, number and content. Deadlines fire at their own moment, not at
the next message.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from gateway.core.outcome import Outcome
from gateway.core.pipeline import Pipeline
from gateway.model import Change, Message, Millis

_encode = msgspec.json.Encoder(order="deterministic").encode


class Record(msgspec.Struct):
    """One line of `yizhan export --raw`."""

    topic: str
    received_at: Millis
    retained: bool = False
    header: dict[str, Any] = {}
    data: Any = None

    def message(self) -> Message:
        if isinstance(self.data, dict):
            payload = _encode({**self.header, **self.data})
        else:
            payload = str(self.data).encode()
        return Message(self.topic.encode(), payload, self.received_at, self.retained)


decode_record = msgspec.json.Decoder(Record).decode


def in_order(records: Iterable[Record], window_ms: Millis) -> Iterator[Message]:
    """Messages by time of receipt, as far as the window reaches; what comes later than that goes in when it comes."""
    heap: list[_Held] = []
    newest = 0
    for record in records:
        message = record.message()
        seq = record.header.get("seq")
        number = seq if isinstance(seq, int) else -1
        heapq.heappush(heap, (message.received_at, message.topic, number, message.payload, message.retained))
        newest = max(newest, message.received_at)
        while heap[0][0] <= newest - window_ms:
            yield _message(heapq.heappop(heap))
    while heap:
        yield _message(heapq.heappop(heap))


_Held = tuple[Millis, bytes, int, bytes, bool]


def _message(held: _Held) -> Message:
    received_at, topic, _, payload, retained = held
    return Message(topic, payload, received_at, retained)


def replay(
    pipeline: Pipeline, messages: Iterable[Message], also: Callable[[Outcome, Millis], Iterable[dict[str, Any]]]
) -> Iterator[bytes]:
    """Lines of JSON: every change of state, every refusal, and what `also` makes of each step (alerts)."""
    clock = 0
    pipeline.from_recording()
    for message in messages:
        clock = max(clock, message.received_at)
        yield from run_to(pipeline, clock, also)
        pipeline.handle(message, clock)
        yield from _lines(pipeline.take(), clock, also)


def run_to(
    pipeline: Pipeline, end: Millis, also: Callable[[Outcome, Millis], Iterable[dict[str, Any]]]
) -> Iterator[bytes]:
    """Let every deadline before `end` fire at its moment."""
    while (deadline := pipeline.live.next_deadline()) is not None and deadline <= end:
        pipeline.tick(deadline)
        yield from _lines(pipeline.take(), deadline, also)


def _lines(
    outcome: Outcome, now: Millis, also: Callable[[Outcome, Millis], Iterable[dict[str, Any]]]
) -> Iterator[bytes]:
    for change in outcome.changes:
        yield _encode(_shown(change))
    for rejected in outcome.rejected:
        yield _encode({"at": now, "rejected": rejected.reason, "topic": rejected.topic.decode("utf-8", "replace")})
    for record in also(outcome, now):
        yield _encode(record)


def _shown(change: Change) -> dict[str, Any]:
    return {
        "at": change.at,
        "station": change.resource.station,
        "resource": change.resource.id,
        **change.after.shown(),
        "cause": change.cause,
    }
