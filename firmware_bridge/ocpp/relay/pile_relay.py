"""Between one pile and its operator. What the pile says is listened to, passed on, and answered with his words; with
ours where he gives none in time. What he asks is passed on to the pile.

Nothing is stored of a call before he has answered it or is given up, for a pile repeats what was not answered. Then
one commit holds all of it: the step of a transaction, his number of it, and what waits for him.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.ocpp import frames
from firmware_bridge.ocpp.calls import CallOutcome
from firmware_bridge.ocpp.conversation import Conversation
from firmware_bridge.ocpp.frames import ERROR, RESULT, PileCall
from firmware_bridge.ocpp.pile import ChargePoint
from firmware_bridge.ocpp.relay import verbatim, words
from firmware_bridge.ocpp.relay.line import Destination
from firmware_bridge.ocpp.relay.operator import Operator, OperatorSaid
from firmware_bridge.ocpp.relay.seal import Seal, SealError, fresh_id
from firmware_bridge.ocpp.relay.words import Numbers
from firmware_bridge.ocpp.reply import Reply
from firmware_bridge.ocpp.v16 import start_mark
from firmware_bridge.spool_charges import ChargeBook
from firmware_bridge.spool_relay import MOST_HELD, MOST_SETTLED, HeldFrame, RelayedBefore, Settled
from gateway.commands import A_WORD
from gateway.model import Millis

log = logging.getLogger(__name__)

MOST_NUMBERS = 256  # transactions of one pile whose numbers are known
STOPS = {"1.6": "RemoteStopTransaction"}
ACCEPTED = (None, "Accepted")


class RelayKeeping(Protocol):
    """The bus: what is to be stored, and what is stored."""

    def keep(self, heard: Heard, done: Callable[[bool], None]) -> None: ...
    def fetch(
        self, pile: str, after: int, limit: int, done: Callable[[Sequence[HeldFrame]], None]
    ) -> None: ...  # fmt: skip


class PileRelay:
    """One for each pile, over its connections. On the loop's thread. What it settles goes into `before.settled`, which
    the piles of a bus share.
    """

    def __init__(
        self, name: str, seal: Seal, keeping: RelayKeeping, before: RelayedBefore, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.name, self._seal, self._keeping, self._settled = name, seal, keeping, before.settled
        self._to: Destination | None = None
        self._talk: Conversation | None = None
        self._numbers = Numbers(dict(before.numbers.get(name, {})))
        self._waiting = set(before.waiting.get(name, ()))
        self._underway: dict[str, _Passing] = {}
        self._calls: dict[str, PileCall] = {}  # of what is on its way to him and waits: what it said
        self._sealed = False  # what waits can't be opened, and that was told
        self.operator = Operator(self, loop)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def pile(self) -> ChargePoint | None:
        """While it is there."""
        return None if self._talk is None else self._talk.pile

    # ---- the pile comes, goes, speaks ----

    def there(self, talk: Conversation, to: Destination) -> None:
        self._talk, self._to = talk, to
        self.operator.there(wanted=True)

    def gone(self, talk: Conversation) -> None:
        if self._talk is talk:
            self._talk = None
            self.operator.there(wanted=False)

    def heard(self, talk: Conversation, call: PileCall, raw: bytes) -> bool:
        """Pass it on. The next message of the pile need not wait for the answer."""
        listened = talk.listen(call)
        if isinstance(listened, Reply) and listened.readings:
            readings, listened.readings = listened.readings, []
            self._keep_readings(talk, readings)
        if not call.wants_answer:
            self.operator.tell(raw)
            return False
        said = verbatim.said_in(raw)
        step = words.is_step(call)
        message = self._seal.lasting_id(self.name, said.encode()) if step else fresh_id()
        known = self._settled.get(message)
        if known is not None:
            talk.send(frames.result(call.id, words.answer_again(call, talk.pile.version, known.verdict, known.given)))
            return False
        underway = self._underway.get(message)
        if underway is not None:  # the pile has dialled anew, and repeats what he is asked already
            underway.talk, underway.call = talk, call
            return False
        passing = _Passing(talk, call, raw, message, listened if isinstance(listened, Reply) else None)
        if not isinstance(listened, Reply):
            passing.fault = listened.code, listened.text
        his = words.to_operator(call, said, self._numbers)
        self._underway[message] = passing
        lasting = words.waits(call) and passing.reply is not None
        self.operator.ask(message, his, partial(self._told, passing), lasting=lasting)
        return False

    def _keep_readings(self, talk: Conversation, readings: list[DeviceReading]) -> None:
        def kept(stored: bool) -> None:
            if not stored:
                talk.pile.untold([reading.device for reading in readings])

        self._keeping.keep(Heard(tuple(readings), talk.pile.devices), kept)

    # ---- he has answered the pile ----

    def _told(self, passing: "_Passing", said: OperatorSaid) -> None:
        del self._underway[passing.message]
        if said.result is None and said.error is None:
            self._pass_over(passing)
        else:
            self._pass_answer(passing, said)

    def _pass_answer(self, passing: "_Passing", said: OperatorSaid) -> None:
        talk, call, reply = passing.talk, passing.call, passing.reply
        kind = RESULT if said.error is None else ERROR
        begins = call.action == "StartTransaction"
        if reply is None or (said.error is not None and begins):
            talk.send(frames.message(kind, call.id, said.words))
            return
        payload = said.result.payload if said.result is not None else {}
        if reply.begin is not None:
            reply.begin.upstream = words.number_in(payload)
        settled: list[Settled] = []

        def step(book: ChargeBook, now: Millis) -> Sequence[DeviceReading]:
            readings = reply.step(book, now) if reply.step is not None else ()
            if words.is_step(call) and said.error is None:
                given = reply.begin.given if reply.begin is not None else words.number_in(payload)
                settled[:] = [Settled(words.verdict_in(payload), given)]
                book.relay.remember(self.name, passing.message, settled[0], now)
            return readings

        def kept(stored: bool) -> None:
            if not stored:
                talk.refuse(call, "InternalError", "it could not be kept")
                return
            answer = said.words
            if settled:
                self._remember(passing.message, settled[0])
            if reply.begin is not None and reply.begin.given is not None:
                self._relate(reply.begin.given, reply.begin.upstream)
                answer = words.renumbered(answer, payload, reply.begin.given)
            talk.answer(call, reply, frames.message(kind, call.id, answer))

        if reply.step is None and not words.is_step(call):
            talk.answer(call, reply, frames.message(kind, call.id, said.words))
        else:
            self._keeping.keep(Heard((), talk.pile.devices, step=step), kept)

    # ---- he has not ----

    def _pass_over(self, passing: "_Passing") -> None:
        """The pile is answered as we would answer it, and what must not be lost waits."""
        talk, call, reply = passing.talk, passing.call, passing.reply
        if reply is None:
            talk.refuse(call, *passing.fault)
        elif words.waits(call):
            self._hold(passing, reply)
        else:
            talk.keep(call, reply)

    def _hold(self, passing: "_Passing", reply: Reply) -> None:
        talk, call, message = passing.talk, passing.call, passing.message
        body = self._seal.sealed(self.name, message, passing.raw)
        fresh = message not in self._waiting
        gone: list[str] = []
        if fresh:
            self._waiting.add(message)
            self._calls[message] = call
            self.operator.held()
        crowded = self.waiting > MOST_HELD

        def step(book: ChargeBook, now: Millis) -> Sequence[DeviceReading]:
            readings = reply.step(book, now) if reply.step is not None else ()
            if fresh:
                book.relay.hold(self.name, message, call.action, body, now, lasting=words.lasts(call))
            gone[:] = book.relay.make_room(self.name) if crowded else []
            return readings

        def kept(stored: bool) -> None:
            if not stored:
                if fresh:
                    self._let_go(message)
                talk.refuse(call, "InternalError", "it could not be kept")
                return
            for lost in gone:
                self._let_go(lost)
            if gone:
                log.error("%s: more than %d messages wait for its operator: the oldest of those that need not last"
                          " are dropped, transactions never", self.name, MOST_HELD)  # fmt: skip
            if reply.begin is not None and reply.begin.given is not None:
                self._relate(reply.begin.given, self._numbers.his.get(reply.begin.given))
            talk.answer(call, reply)
            self._forget_call(message)
            self.operator.stored()

        self._keeping.keep(Heard((), talk.pile.devices, step=step), kept)

    def _let_go(self, message: str) -> None:
        self._waiting.discard(message)
        self._calls.pop(message, None)
        self.operator.held()

    def _forget_call(self, message: str) -> None:
        """Only what he has been asked already may be answered without being read from the disk."""
        if not self.operator.is_asked(message):
            self._calls.pop(message, None)

    # ---- what waits, OperatorSide ----

    def destination(self) -> Destination | None:
        return self._to

    def fetch(self, after: int, limit: int, done: Callable[[Sequence[HeldFrame]], None]) -> None:
        self._keeping.fetch(self.name, after, limit, done)

    def words_of(self, row: HeldFrame) -> str | None:
        try:
            raw = self._seal.opened(self.name, row.message, row.body)
        except SealError as error:
            if not self._sealed:
                log.error(
                    "%s: what waits for its operator can't be opened: %s; put the former relay_key_file back: until "
                    "then nothing that waits is delivered", self.name, error,
                )  # fmt: skip
            self._sealed = True
            return None
        self._sealed = False
        call = frames.read(raw)
        if not isinstance(call, PileCall):
            return None
        self._calls[row.message] = call
        return words.to_operator(call, verbatim.said_in(raw), self._numbers)

    def delivered(self, message: str, said: OperatorSaid) -> None:
        """He has it, or has refused it for the last time."""
        call = self._calls.pop(message, None)
        if said.error is not None and call is not None:
            code = said.error.code if A_WORD.fullmatch(said.error.code) else "an error"
            log.error("%s: its operator refuses a %s that waited: %s", self.name, call.action, code)
        payload = said.result.payload if said.result is not None else {}
        started: list[tuple[int, int | None]] = []
        settled: list[Settled] = []

        def step(book: ChargeBook, now: Millis) -> Sequence[DeviceReading]:
            book.relay.settle(self.name, message)
            if call is None or not words.is_step(call):
                return ()
            begun = book.marked(self.name, start_mark(call.payload)) if call.action == "StartTransaction" else None
            if begun is not None:
                started[:] = [(begun.given, words.number_in(payload))]
                if started[0][1] is not None:
                    book.relate(self.name, begun.given, started[0][1])
            settled[:] = [Settled(words.verdict_in(payload), begun.given if begun is not None else None)]
            book.relay.remember(self.name, message, settled[0], now)
            return ()

        def kept(stored: bool) -> None:
            for given, his in started:
                self._relate(given, his)
            for verdict in settled:
                self._remember(message, verdict)
            self._waiting.discard(message)
            self.operator.settled()
            if stored and call is not None:
                self._late_no(call, payload)

        self._keeping.keep(Heard((), step=step), kept)

    def _late_no(self, call: PileCall, answer: frames.Payload) -> None:
        """He would not have let it begin: it is stopped, in his name."""
        if words.verdict_in(answer) in ACCEPTED or self._talk is None or not words.begins(call):
            return
        number: object = call.payload.get("transactionInfo", {}).get("transactionId")
        if call.action == "StartTransaction":
            number = self._numbers.given_of(words.number_in(answer))
        if number is not None:
            log.info("%s: its operator refuses who charges there: the pile is asked to stop", self.name)
            action = STOPS.get(self._talk.pile.version, "RequestStopTransaction")
            self._talk.calls.ask(action, {"transactionId": number}, lambda _outcome: None)

    def _relate(self, given: int, his: int | None) -> None:
        self._numbers.his[given] = his
        if len(self._numbers.his) > MOST_NUMBERS:
            del self._numbers.his[next(iter(self._numbers.his))]

    def _remember(self, message: str, settled: Settled) -> None:
        self._settled[message] = settled
        if len(self._settled) > MOST_SETTLED:
            del self._settled[next(iter(self._settled))]

    # ---- he calls the pile ----

    def asked(self, call: PileCall, said: str) -> None:
        talk = self._talk
        if talk is None:
            self._answer_him(call, CallOutcome(trouble="the pile is not connected"))
        elif not call.wants_answer:
            talk.send(frames.message(frames.SEND, call.id, said))
        else:
            his = words.to_pile(call, said, self._numbers)
            talk.calls.pass_on(his, lambda outcome: self._answer_him(call, outcome))

    def _answer_him(self, call: PileCall, outcome: CallOutcome) -> None:
        if outcome.trouble is not None:
            self.operator.tell(frames.error(call.id, "InternalError", outcome.trouble))
        else:
            kind = RESULT if outcome.error is None else ERROR
            self.operator.tell(frames.message(kind, call.id, verbatim.said_in(outcome.raw)))


@dataclass(slots=True)
class _Passing:
    """A call of the pile on its way. `reply` is None where we do not understand it; `fault` says why."""

    talk: Conversation
    call: PileCall
    raw: bytes
    message: str
    reply: Reply | None
    fault: tuple[str, str] = ("InternalError", "")
