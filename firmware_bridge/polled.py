"""The master's side of a bus on which devices speak only when asked: one question in flight, each device on its beat.

A device that does not answer costs its time-out only in slack: it is asked again with growing pauses, and only when
the time-out fits before the next beat of a device that does answer. So a dead slave never slows the living.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard, Steady, TalkHealth
from gateway.model import Millis

BACKOFF_MAX_MS = 60_000
STARVED_MS = 30_000  # on a bus without any slack the silent are asked after so long all the same
SILENT = 2  # so many questions in a row without an answer
HEARD_MAX = 2_048


@dataclass(frozen=True, slots=True)
class Question:
    """`find` looks for the answer in all that has arrived since the question; None while it is not there."""

    request: bytes
    find: Callable[[bytes], Any]


class Slave(Protocol):
    """One device on the bus. The questions of a round are asked in order; `read` gets all their answers."""

    device: str

    def round(self) -> Sequence[Question]: ...
    def read(self, answers: list[Any], now: Millis) -> tuple[DeviceReading, ...]: ...
    def order(self, order: DeviceOrder) -> Question | None:
        """How to have it done; None when the device has no such thing."""


@dataclass(slots=True, eq=False)
class _Seat:
    slave: Slave
    interval_ms: Millis
    due: Millis = 0
    fails: int = 1  # one more and it is silent: nobody is trusted for long before the first answer


@dataclass(slots=True)
class _Exchange:
    """A round under way. `sent`: its first question is on the wire."""

    seat: _Seat
    left: list[Question]
    ordered: bool = False
    sent: bool = False
    answers: list[Any] = field(default_factory=list)


class Polled:
    """A `Talk` with slaves and their poll intervals. `gap_ms` is the silence before the next question."""

    def __init__(self, slaves: Sequence[tuple[Slave, Millis]], timeout_ms: Millis, gap_ms: Millis = 20) -> None:
        self._seats = [_Seat(slave, interval) for slave, interval in slaves]
        self._timeout_ms, self._gap_ms = timeout_ms, gap_ms
        self._exchange: _Exchange | None = None
        self._orders: list[_Exchange] = []
        self._deadline: Millis = 0
        self._heard = b""
        self._health = TalkHealth()
        self._steady: dict[str, Steady] = {}

    def opened(self, now: Millis) -> bytes:
        self._exchange, self._heard, self._orders = None, b"", []
        for seat in self._seats:
            seat.due = now
        self._deadline = now
        return b""

    def health(self) -> TalkHealth:
        return self._health

    def deadline(self) -> Millis:
        return self._deadline

    def order(self, order: DeviceOrder, now: Millis) -> bytes | None:
        """Take the order; `tick` sends it as soon as no other question is in flight."""
        for seat in self._seats:
            if seat.slave.device == order.device and (question := seat.slave.order(order)) is not None:
                self._orders.append(_Exchange(seat, [question], ordered=True))
                self._deadline = self._deadline if self._exchange else now
                return b""
        return None

    def feed(self, data: bytes, now: Millis) -> Sequence[Heard]:
        exchange = self._exchange
        if exchange is None or not exchange.sent:
            self._health.junk += len(data)
            return ()
        self._heard = (self._heard + data)[-HEARD_MAX:]
        answer = exchange.left[0].find(self._heard)
        if answer is None:
            return ()
        self._health.frames += 1
        self._deadline = now + self._gap_ms
        device = exchange.seat.slave.device
        exchange.answers.append(answer)
        exchange.left.pop(0)
        exchange.sent = False
        if exchange.left:
            return (Heard(devices=(device,)),)
        self._end(exchange, now, answered=True)
        readings = () if exchange.ordered else exchange.seat.slave.read(exchange.answers, now)
        news = tuple(reading for reading in readings if reading.event or self._is_news(reading, now))
        return (Heard(news, (device, *(reading.device for reading in readings))),)

    def _is_news(self, reading: DeviceReading, now: Millis) -> bool:
        return self._steady.setdefault(reading.device, Steady()).take(reading.signals, now) is not None

    def tick(self, now: Millis) -> tuple[Sequence[Heard], bytes]:
        if now < self._deadline:
            return (), b""
        exchange = self._exchange
        if exchange is not None and exchange.sent:
            self._health.bad += bool(self._heard)
            self._health.junk += len(self._heard)
            self._end(exchange, now, answered=False)
            exchange = None
        if exchange is None:
            exchange = self._exchange = self._orders.pop(0) if self._orders else self._choose(now)
        if exchange is None:
            return (), b""
        exchange.sent, self._heard = True, b""
        self._deadline = now + self._timeout_ms
        return (), exchange.left[0].request

    def _end(self, exchange: _Exchange, now: Millis, answered: bool) -> None:
        self._exchange = None
        seat = exchange.seat
        if exchange.ordered:
            return
        seat.fails = 0 if answered else min(seat.fails + 1, 16)
        if seat.fails < SILENT:
            missed = max(0, now - seat.due) // seat.interval_ms
            seat.due += (missed + 1) * seat.interval_ms  # on the beat: a late or lost round does not shift the next
        else:
            seat.due = now + min(seat.interval_ms << (seat.fails - 1), max(BACKOFF_MAX_MS, seat.interval_ms))

    def _choose(self, now: Millis) -> _Exchange | None:
        """The round to begin now; else None, with the deadline set to when there may be one."""
        living = min((seat for seat in self._seats if seat.fails < SILENT), key=_due, default=None)
        silent = min((seat for seat in self._seats if seat.fails >= SILENT), key=_due, default=None)
        if silent is not None and now - silent.due >= STARVED_MS:
            return self._begin(silent, now)
        if living is not None and living.due <= now:
            return self._begin(living, now)
        if silent is not None and silent.due <= now:
            if living is None or now + self._timeout_ms + self._gap_ms <= living.due:
                return self._begin(silent, now)
            silent = None
        self._deadline = min((seat.due for seat in (living, silent) if seat is not None), default=now + BACKOFF_MAX_MS)
        return None

    def _begin(self, seat: _Seat, now: Millis) -> _Exchange:
        try:
            return _Exchange(seat, list(seat.slave.round()))
        except Exception:
            self._end(_Exchange(seat, []), now, answered=False)  # its next turn comes later, and the others' before
            raise


def _due(seat: _Seat) -> Millis:
    return seat.due
