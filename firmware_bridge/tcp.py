"""Devices that dial in over TCP: one listener a bus, one talk for each connection, all in the bus's thread."""

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_bridge.bus import REOPEN_S, STORE_AGAIN_S, Sink
from firmware_bridge.devices.base import DeviceOrder, Talk
from firmware_bridge.spool_file import SpoolError
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.model import Millis

log = logging.getLogger(__name__)

CONNECTIONS = 256
AN_ADDRESS = 32  # piles of one site share an address
UNPROVEN = 8  # of them, those that have not said anything valid yet
FIRST_FRAME_S = 10.0
READ_BYTES = 4_096
IDLE_S = 8 * 60.0  # a pile beats every three minutes; after so long without a valid frame it is gone


@dataclass(slots=True, eq=False)
class _Caller:
    sock: socket.socket
    talk: Talk
    address: str
    heard_at: float  # when it connected, or last said something valid
    devices: set[str] = field(default_factory=set)


class TcpBus:
    """The same face as `Bus`. `talk` makes the talk of a new connection. `piles`: how many are expected at least."""

    def __init__(
        self,
        bus_id: str,
        address: tuple[str, int],
        talk: Callable[[], Talk],
        sink: Sink,
        silent_ms: Millis,
        stop: threading.Event,
        piles: int = 0,
    ) -> None:
        self.id, self._address, self._talk, self._sink, self._silent_ms, self._stop = (
            bus_id,
            address,
            talk,
            sink,
            silent_ms,
            stop,
        )
        self._most, self._an_address = max(CONNECTIONS, 2 * piles), max(AN_ADDRESS, piles + UNPROVEN)
        self._callers: set[_Caller] = set()
        self._mishaps = Mishaps()
        self.bound: tuple[str, int] | None = None

    def order(self, order: DeviceOrder) -> None:
        """Piles take no orders from us."""

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                with socket.create_server(self._address) as server, selectors.DefaultSelector() as selector:
                    self.bound = server.getsockname()[:2]
                    self._serve(server, selector)
            except OSError as error:
                log.warning("bus %s: can't listen on %s:%d: %s; trying again", self.id, *self._address, error)
                self._stop.wait(REOPEN_S)

    def _serve(self, server: socket.socket, selector: selectors.BaseSelector) -> None:
        server.setblocking(False)
        selector.register(server, selectors.EVENT_READ, None)
        while not self._stop.is_set():
            for key, _ in selector.select(0.5):
                with self._mishaps.contained(f"bus {self.id}: a caller"):
                    self._attend(key.data, server, selector)
            moment = monotonic_s()
            for caller in [caller for caller in self._callers if _silent(caller, moment)]:
                self._drop(caller, selector)
        for caller in list(self._callers):
            self._drop(caller, selector)

    def _attend(self, caller: _Caller | None, server: socket.socket, selector: selectors.BaseSelector) -> None:
        """Something has come of a caller, or a new one."""
        if caller is None:
            self._accept(server, selector)
        elif not self._hear(caller):
            self._drop(caller, selector)

    def _accept(self, server: socket.socket, selector: selectors.BaseSelector) -> None:
        sock, (address, *_) = server.accept()
        same = [caller for caller in self._callers if caller.address == address]
        unproven = sum(not earlier.devices for earlier in same)
        if len(self._callers) >= self._most or len(same) >= self._an_address or unproven >= UNPROVEN:
            sock.close()
            return
        sock.settimeout(1.0)
        try:
            caller = _Caller(sock, self._talk(), address, monotonic_s())
        except Exception as error:  # noqa: BLE001  noted
            self._mishaps.note(f"bus {self.id}: a new caller", error)
            sock.close()
            return
        self._callers.add(caller)
        selector.register(sock, selectors.EVENT_READ, caller)

    def _hear(self, caller: _Caller) -> bool:
        """False when the caller has gone, or what it said can't be stored: then it will say it again."""
        try:
            data = caller.sock.recv(READ_BYTES)
            if not data:
                return False
            now = now_ms()
            heard = caller.talk.feed(data, now)
            if heard:
                caller.heard_at = monotonic_s()
                self._sink.store(self._sink.watch(heard, now), now)
                devices = {device for frame in heard for device in frame.devices}
                caller.devices |= devices
                self._sink.present(devices, self._silent_ms)
                caller.sock.sendall(b"".join(frame.reply for frame in heard))
        except SpoolError as error:
            log.error("bus %s waits: %s", self.id, error)
            self._stop.wait(STORE_AGAIN_S)
            return False
        except OSError:
            return False
        except Exception as error:  # noqa: BLE001  noted
            self._mishaps.note(f"bus {self.id}: what a caller said; it may dial in again", error)
            return False
        return True

    def _drop(self, caller: _Caller, selector: selectors.BaseSelector) -> None:
        selector.unregister(caller.sock)
        caller.sock.close()
        self._callers.discard(caller)
        still = {device for other in self._callers for device in other.devices}
        with self._mishaps.contained(f"bus {self.id}: that a caller's devices are gone"):
            self._sink.lost(caller.devices - still)


def _silent(caller: _Caller, moment: float) -> bool:
    """Whether it has said nothing valid for too long; who never did has less time."""
    return moment - caller.heard_at > (IDLE_S if caller.devices else FIRST_FRAME_S)
