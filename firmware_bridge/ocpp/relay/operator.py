"""The operator of one pile, as far as we know of him: whether he is there, what he is asked, what waits for him.

He is asked one thing at a time. What he does not answer in time is answered here, and where it must not be lost it
waits: in order, under the id with which it was sent, so that he can tell a repeat. While anything waits, what comes
after it waits behind it.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from firmware_bridge.ocpp import frames
from firmware_bridge.ocpp.frames import CALL, FrameError, PileCall, PileError, PileResult
from firmware_bridge.ocpp.relay import verbatim
from firmware_bridge.ocpp.relay.hearing import Hearing
from firmware_bridge.ocpp.relay.line import Destination, UpstreamLine
from firmware_bridge.spool_relay import HeldFrame
from gateway.base.clock import monotonic_s

log = logging.getLogger(__name__)

ANSWER_S = 6.0  # looked at every two seconds; the least that piles wait is 10 s
DIAL_S = 10.0
GIVE_UP_S = 60.0  # says nothing to what he was asked: the connection is made anew
PING_S, SILENT_S = 45.0, 90.0
AGAIN_S, AGAIN_MOST_S = 1.0, 60.0
REFUSED_AGAIN_S = 5.0  # between two tries of what he answers with an error
SEALED_AGAIN_S = 30.0  # between two tries of what can't be opened: its key may be back
STEADY_S = 30.0  # a connection that held for so long was none of a row of failures
TRIES = 3
AT_ONCE = 50
MOST_ASKED = 16


@dataclass(frozen=True, slots=True)
class OperatorSaid:
    """`result` or `error` with `words`, his message behind its id; none of them: he has not answered in time."""

    result: PileResult | None = None
    error: PileError | None = None
    words: str = ""


AWAY = OperatorSaid()


@dataclass(slots=True)
class _Asked:
    """`told` is None once the pile has been answered without him. `row` where it comes from what waits."""

    message: str
    words: str
    lasting: bool
    at: float
    told: Callable[[OperatorSaid], None] | None
    row: HeldFrame | None = None


class OperatorSide(Protocol):
    """What an operator's connection needs of the relay of its pile."""

    name: str

    @property
    def waiting(self) -> int:
        """How many of the pile's messages wait for him."""

    def destination(self) -> Destination | None:
        """Where and as whom; None while nobody knows the pile's password."""

    def asked(self, call: PileCall, words: str) -> None:
        """He calls the pile."""

    def words_of(self, row: HeldFrame) -> str | None:
        """The text of a waiting frame as he is to hear it now; None where it can't be opened."""

    def delivered(self, message: str, said: OperatorSaid) -> None:
        """He has what waited, the message of that id."""

    def fetch(self, after: int, limit: int, done: Callable[[Sequence[HeldFrame]], None]) -> None: ...


class Operator:
    """On the loop's thread. `there` says that the pile is; `held` that what waits has become more or less."""

    def __init__(self, side: OperatorSide, loop: asyncio.AbstractEventLoop) -> None:
        self._side, self._loop = side, loop
        self.hearing = Hearing()
        self._why = "nobody has answered yet"
        self._line: UpstreamLine | None = None
        self._wanted = False
        self._failures = 0
        self._again_at = self._rest_until = self._sealed_until = 0.0
        self._asked: _Asked | None = None
        self._live: deque[_Asked] = deque()
        self._rows: deque[HeldFrame] = deque()
        self._late: deque[str] = deque(maxlen=64)  # delivered, and perhaps not yet gone from the disk
        self._last_seq = self._tries = 0
        self._fetching = self._settling = False

    # ---- the relay calls these ----

    def there(self, wanted: bool) -> None:
        """Whether the pile is; it may have dialled with other words, and then he is dialled anew."""
        self._wanted = wanted
        if wanted and self._line is not None and self._line.to != self._side.destination():
            self._drop(self._line, "the pile dials anew")
        if wanted:
            self._look_after_line(monotonic_s())

    def ask(self, message: str, words: str, told: Callable[[OperatorSaid], None], *, lasting: bool) -> None:
        """`words`: the message behind its id. `told` is called once, within `ANSWER_S`, at once where he is away."""
        if not self._hopeful() or (lasting and self._side.waiting) or len(self._live) >= MOST_ASKED:
            told(AWAY)
            return
        self._live.append(_Asked(message, words, lasting, monotonic_s(), told))
        self._pump()

    def tell(self, message: bytes) -> None:
        """An answer of the pile, or what needs none."""
        if self._line is not None:
            self._line.send(message)

    def held(self) -> None:
        self._look_after_line(monotonic_s())

    def stored(self) -> None:
        """What waits can be fetched."""
        self._pump()

    def settled(self) -> None:
        """What was delivered is off the disk."""
        self._settling = False
        self.held()
        self._pump()

    def is_asked(self, message: str) -> bool:
        """Whether his answer to it is still awaited."""
        return self._asked is not None and self._asked.message == message

    def look(self, now_s: float) -> None:
        """Every two seconds."""
        self._give_up(now_s)
        self._look_after_line(now_s)
        self._look_at_hearing(now_s)
        line = self._line
        if line is None or not line.open:
            return
        if self._asked is not None and now_s - self._asked.at > GIVE_UP_S:
            line.close("does not answer what he is asked")
        elif now_s - line.heard_at > SILENT_S:
            line.close("is silent")
        elif now_s - line.heard_at > PING_S and line.pinged_at is None:
            line.ping()
        else:
            self._pump()

    def close(self) -> None:
        """The bridge ends. What he has not answered is not answered to the pile either, which will repeat it."""
        line, self._line = self._line, None
        if line is not None:
            line.close("the bridge ends")

    def _look_at_hearing(self, now_s: float) -> None:
        waiting, is_open = self._side.waiting, self._line is not None and self._line.open
        if (not self._wanted and not waiting) or (is_open and not waiting and self._asked is None):
            self.hearing.heard()
        elif self._sealed_until:
            self.hearing.missed(now_s, "relay_key_file does not open what waits for him")
        else:
            self.hearing.missed(now_s, "he does not answer" if is_open else self._why)

    # ---- the line ----

    def _hopeful(self) -> bool:
        """Whether it is worth a pile's while to wait for him."""
        slow = self._asked is not None and monotonic_s() - self._asked.at > ANSWER_S
        return self._line is not None and not slow and (self._line.open or self._failures == 0)

    def _look_after_line(self, now_s: float) -> None:
        line, wanted = self._line, self._wanted or self._side.waiting > 0
        if line is not None and not wanted and self._asked is None:
            self._drop(line, "the pile is gone")
        elif line is not None and not line.open and now_s - line.dialled_at > DIAL_S:
            line.close("nobody answers in time")
        elif line is None and wanted and now_s >= self._again_at:
            to = self._side.destination()
            if to is not None:
                self._line = UpstreamLine(self, self._loop, to)
                self._line.dial()

    def line_open(self, line: UpstreamLine) -> None:  # noqa: ARG002
        log.info("the operator of %s is there; %d messages wait for him", self._side.name, self._side.waiting)
        self._pump()

    def line_lost(self, line: UpstreamLine, why: str) -> None:
        if self._line is not line:
            return
        now_s = monotonic_s()
        if line.opened_at is not None and now_s - line.opened_at > STEADY_S:
            self._failures = 0
        wait_s = min(AGAIN_MOST_S, AGAIN_S * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1)  # noqa: S311
        self._failures += 1
        self._again_at, self._why = now_s + wait_s, why
        log.log(
            logging.WARNING if self._failures in (1, 5) else logging.DEBUG,
            "the operator of %s is away: %s; what the pile says is kept for him", self._side.name, why,
        )  # fmt: skip
        self._without_line()

    def _drop(self, line: UpstreamLine, why: str) -> None:
        """Our own wish, no failure."""
        self._without_line()
        line.close(why)

    def _without_line(self) -> None:
        self._line = None
        unanswered = ([self._asked] if self._asked is not None else []) + list(self._live)
        self._asked = None
        self._live.clear()
        for asked in unanswered:
            _tell(asked, AWAY)

    def line_said(self, line: UpstreamLine, message: bytes) -> None:
        if self._line is not line:
            return
        try:
            heard = frames.read(message)
        except FrameError as error:
            if error.id is not None:
                line.send(frames.error(error.id, "FormationViolation", f"the message {error}"))
            return
        if isinstance(heard, PileCall):
            self._side.asked(heard, verbatim.said_in(message))
        elif self._asked is not None and self._asked.message == heard.id:
            self._failures = 0
            asked, self._asked = self._asked, None
            if asked.row is not None or not self._side.waiting:
                self.hearing.heard()
            words = verbatim.said_in(message)
            said = (
                OperatorSaid(heard, None, words) if isinstance(heard, PileResult) else OperatorSaid(None, heard, words)
            )
            self._answered(asked, said)
            self._pump()

    # ---- one thing at a time ----

    def _answered(self, asked: _Asked, said: OperatorSaid) -> None:
        if asked.told is not None:
            _tell(asked, said)
        elif asked.row is None:  # he was late, and it waits meanwhile
            if asked.lasting:
                self._late.append(asked.message)
                self._deliver(asked.message, said)
        elif said.error is not None and self._tries + 1 < TRIES:
            self._tries += 1
            self._rest_until = monotonic_s() + REFUSED_AGAIN_S * self._tries
        else:
            self._rows.popleft()
            self._tries = 0
            self._deliver(asked.message, said)

    def _deliver(self, message: str, said: OperatorSaid) -> None:
        """The next that waits goes when this one is off the disk: it may be about the number that he has just given."""
        self._settling = True
        self._side.delivered(message, said)

    def _give_up(self, now_s: float) -> None:
        """Give up calls that have waited for too long, and with them all that must be kept in order."""
        late = [
            asked for asked in ((self._asked,) if self._asked else ()) if asked.told and now_s - asked.at > ANSWER_S
        ]
        for asked in list(self._live):
            if now_s - asked.at > ANSWER_S or (asked.lasting and any(given_up.lasting for given_up in late)):
                late.append(asked)
                self._live.remove(asked)
        for asked in late:
            _tell(asked, AWAY)

    def _pump(self) -> None:
        line = self._line
        if line is None or not line.open or self._asked is not None:
            return
        if self._live:
            self._send(line, self._live.popleft())
        elif self._side.waiting and not self._settling and monotonic_s() >= max(self._rest_until, self._sealed_until):
            self._send_row(line)

    def _send_row(self, line: UpstreamLine) -> None:
        if not self._rows:
            if not self._fetching:
                self._fetching = True
                self._side.fetch(self._last_seq, AT_ONCE, self._fetched)
            return
        row = self._rows[0]
        words = self._side.words_of(row)
        if words is None:
            self._sealed_until = monotonic_s() + SEALED_AGAIN_S
            return
        self._sealed_until = 0.0
        self._send(line, _Asked(row.message, words, True, monotonic_s(), None, row))

    def _fetched(self, rows: Sequence[HeldFrame]) -> None:
        self._fetching = False
        if rows:
            self._rows.extend(row for row in rows if row.message not in self._late)
            self._last_seq = rows[-1].seq
            self._pump()

    def _send(self, line: UpstreamLine, asked: _Asked) -> None:
        self._asked = asked
        line.send(frames.message(CALL, asked.message, asked.words))


def _tell(asked: _Asked, said: OperatorSaid) -> None:
    told, asked.told = asked.told, None
    if told is not None:
        told(said)
