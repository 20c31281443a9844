"""Our calls to piles: one at a time for each, each answered, refused or given up in thirty seconds."""

import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.ocpp import frames
from firmware_bridge.ocpp.frames import Payload, PileError, PileResult
from gateway.base.clock import monotonic_s

log = logging.getLogger(__name__)

ANSWER_S = 30.0
MOST_WAITING = 16


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What became of a call: the pile's answer, or an error as the pile named it, or why there is neither.

    `raw` is the message that said so.
    """

    result: Payload | None = None
    error: PileError | None = None
    trouble: str | None = None
    raw: bytes = b""


GONE = CallOutcome(trouble="not_connected")
SILENT = CallOutcome(trouble="no_answer")
FULL = CallOutcome(trouble="busy")
HIS = CallOutcome(trouble="operator_commands")
"""The pile's operator commands it, and nobody else."""

Told = Callable[[CallOutcome], None]


@dataclass(slots=True)
class _Waiting:
    said: str  # behind the id
    told: Told
    until: float


class PileCalls:
    """The calls to the pile of one connection. `send` writes a message to the pile."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._queue: deque[_Waiting] = deque()
        self._asked: tuple[str, _Waiting] | None = None

    def ask(self, action: str, payload: Payload, told: Told, within_s: float = ANSWER_S) -> None:
        self.pass_on(frames.call_words(action, payload), told, within_s)

    def pass_on(self, said: str, told: Told, within_s: float = ANSWER_S) -> None:
        """`said`: a call behind its id, as somebody else wrote it."""
        if len(self._queue) >= MOST_WAITING:
            told(FULL)
            return
        self._queue.append(_Waiting(said, told, monotonic_s() + within_s))
        self._next()

    def answered(self, message: PileResult | PileError) -> Told | None:
        """Who waits for this answer; None for an answer to nothing that we asked."""
        if self._asked is None or self._asked[0] != message.id:
            return None
        (_, waiting), self._asked = self._asked, None
        self._next()
        return waiting.told

    def give_up(self, now_s: float) -> None:
        """Those that have waited for too long."""
        late = [call for call in self._queue if call.until <= now_s]
        for call in late:
            self._queue.remove(call)
            call.told(SILENT)
        if self._asked is not None and self._asked[1].until <= now_s:
            (_, waiting), self._asked = self._asked, None
            waiting.told(SILENT)
            self._next()

    def close(self) -> None:
        """The connection has gone."""
        waiting = ([self._asked[1]] if self._asked is not None else []) + list(self._queue)
        self._asked = None
        self._queue.clear()
        for call in waiting:
            call.told(GONE)

    def _next(self) -> None:
        if self._asked is None and self._queue:
            waiting = self._queue.popleft()
            message_id = secrets.token_hex(8)
            self._asked = message_id, waiting
            self._send(frames.message(frames.CALL, message_id, waiting.said))
