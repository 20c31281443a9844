"""One owner and one thread for each bus: opens the port, again and again, and carries bytes between it and the talk."""

import logging
import queue
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from firmware_bridge.devices.base import DeviceOrder, Heard, Talk
from firmware_bridge.port import Port, PortError, hint
from firmware_bridge.spool_file import SpoolError
from gateway.base.clock import SteadyClock
from gateway.base.mishaps import Mishaps
from gateway.model import Millis

log = logging.getLogger(__name__)

REOPEN_S = 1.0
STORE_AGAIN_S = 1.0
LONGEST_WAIT_MS = 500
SETTLE_S = 0.01  # bytes come one by one: look again when some more have gathered
LATE_MS = 2_000  # a lock must not open when whoever asked has gone
HINT_AFTER_MS, HINT_BYTES = 10_000, 64


class Sink(Protocol):
    """Where what was heard goes. `store` returns when it is on disk; SpoolError when it can't be.

    `watch` adds what follows from it, and is asked once: only then is it stored, again and again if need be.
    """

    def watch(self, heard: Sequence[Heard], now: Millis) -> Sequence[Heard]: ...
    def store(self, heard: Sequence[Heard], now: Millis) -> None: ...
    def order(self, order: DeviceOrder) -> None: ...
    def present(self, devices: Iterable[str], silent_ms: Millis) -> None: ...
    def lost(self, devices: Iterable[str]) -> None: ...


class Bus:
    """See the module. `run` returns after `stop`; an error that is nobody's ends it with the exception."""

    def __init__(
        self, bus_id: str, port: Port, talk: Talk, sink: Sink, silent_ms: Millis, stop: threading.Event
    ) -> None:
        self.id, self._port, self._talk, self._sink, self._silent_ms, self._stop = (
            bus_id,
            port,
            talk,
            sink,
            silent_ms,
            stop,
        )
        self._mishaps = Mishaps(expected=(PortError, SpoolError))
        self._clock = SteadyClock()
        self._orders: queue.SimpleQueue[DeviceOrder] = queue.SimpleQueue()
        self._devices: set[str] = set()
        self._said: str | None = None  # the last trouble, told once
        self._refused: tuple[str, bytes] | None = None  # the last frame that we failed over
        self._opened_at: Millis = 0
        self._hinted = False

    def order(self, order: DeviceOrder) -> None:
        """Any thread may ask; it is sent within half a second, or not at all while the port is away."""
        self._orders.put(order)

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._port.is_open:
                    self._turn()
                else:
                    self._open()
            except PortError as error:
                self._trouble(str(error))
            except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                self._mishaps.note(f"bus {self.id}: a turn, after which its port is opened anew", error)
                self._trouble("a fault of this program")
        self._port.close()

    def _open(self) -> None:
        self._port.open()
        log.info("bus %s: %s open at %d baud", self.id, self._port.line.port, self._port.line.baud)
        self._said, self._hinted = None, False
        self._opened_at, _ = self._clock.read()
        self._port.write(self._talk.opened(self._opened_at))

    def _trouble(self, text: str) -> None:
        self._port.close()
        with self._mishaps.contained(f"bus {self.id}: that its devices are gone"):
            self._sink.lost(self._devices)
        while not self._orders.empty():
            self._orders.get()  # an order must not be done later than it was meant
        if text != self._said:
            log.warning("bus %s: %s; trying again", self.id, text)
            self._said = text
        self._stop.wait(REOPEN_S)

    def _turn(self) -> None:
        now, jump = self._clock.read()
        if jump:
            self._port.write(self._talk.opened(now))
        data = self._port.read(self._patience(now) / 1000)
        if data and self._talk.deadline() is None:
            self._stop.wait(SETTLE_S)
            data += self._port.read(0)
        now, _ = self._clock.read()
        heard: list[Heard] = []
        said = question = b""
        with self._mishaps.contained(f"bus {self.id}: what came"):
            heard += self._talk.feed(data, now) if data else ()
        with self._mishaps.contained(f"bus {self.id}: an order"):
            said = b"".join(self._obey(now))
        with self._mishaps.contained(f"bus {self.id}: a question"):
            more, question = self._talk.tick(now)
            heard += more
        kept = self._keep(heard, now)
        reply = b"".join(frame.reply for frame in kept) + said + question
        if reply:
            self._port.write(reply)
        with self._mishaps.contained(f"bus {self.id}: its health"):
            self._look_at_health(now)

    def _patience(self, now: Millis) -> Millis:
        deadline = self._talk.deadline()
        return LONGEST_WAIT_MS if deadline is None else min(LONGEST_WAIT_MS, max(0, deadline - now))

    def _obey(self, now: Millis) -> Iterable[bytes]:
        while not self._orders.empty():
            order = self._orders.get()
            if (said := self._talk.order(order, now)) is not None:
                yield said

    def _keep(self, heard: Sequence[Heard], now: Millis) -> Sequence[Heard]:
        """Store first: only then may the reply go out. Returns what may be replied to, and follows it."""
        kept: list[Heard] = []
        try:
            self._store(heard, now)
            kept += heard
        except PortError:
            raise
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note(f"bus {self.id}: keeping what came", error)
            kept += [frame for frame in heard if self._stored_alone(frame, now)]
        with self._mishaps.contained(f"bus {self.id}: what follows from what came"):
            self._follow(kept, now)
        return kept

    def _stored_alone(self, frame: Heard, now: Millis) -> bool:
        """Whether it may be replied to: also when it fails a second time, else its sender would repeat it for ever."""
        try:
            self._store((frame,), now)
        except PortError:
            raise
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note(f"bus {self.id}: keeping what came", error)
            known, self._refused = self._refused, frame.wire
            return frame.wire is not None and frame.wire == known
        return True

    def _store(self, heard: Sequence[Heard], now: Millis) -> None:
        """A full disk holds the bus up, it loses nothing."""
        if not any(frame.readings or frame.wire for frame in heard):
            return
        watched = self._sink.watch(heard, now)
        while True:
            try:
                self._sink.store(watched, now)
            except SpoolError as error:
                log.error("bus %s waits: %s", self.id, error)
            else:
                return
            if self._stop.wait(STORE_AGAIN_S):
                raise PortError(f"{self._port.line.port}: stopped with readings that could not be stored")

    def _follow(self, heard: Sequence[Heard], now: Millis) -> None:
        if self._clock.read()[0] - now < LATE_MS:
            for order in (order for frame in heard for order in frame.orders):
                with self._mishaps.contained(f"bus {self.id}: an order for {order.device}"):
                    self._sink.order(order)
        devices = {device for frame in heard for device in frame.devices}
        if devices:
            self._devices |= devices
            self._sink.present(devices, self._silent_ms)

    def _look_at_health(self, now: Millis) -> None:
        if self._hinted or now - self._opened_at < HINT_AFTER_MS:
            return
        self._hinted = True
        health = self._talk.health()
        if not health.frames and health.junk + health.bad >= HINT_BYTES:
            log.warning("bus %s: %s", self.id, hint(self._port.line, health.junk))
