"""Where an operator tells us changes by himself: a small HTTP server, with or without TLS, on a thread of its own.

Every caller is a stranger until its request was judged: few connections, short requests, little time.
"""

import asyncio
import contextlib
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

import h11

from firmware_bridge.bus import REOPEN_S
from firmware_bridge.ocpp.tls import TlsError, TlsPipe
from gateway.base.clock import monotonic_s
from gateway.base.mishaps import Mishaps

log = logging.getLogger(__name__)

CONNECTIONS, AN_ADDRESS = 64, 32
REQUEST_S, IDLE_S = 15.0, 60.0
BODY_MOST, HEAD_MOST = 1 << 20, 16_384
TELL_S = 60.0
LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """`base` is the path before all that is asked of us, without a slash at its end; `tls` None for http."""

    host: str
    port: int
    base: str
    tls: ssl.SSLContext | None


@dataclass(frozen=True, slots=True)
class PushRequest:
    """`path`: the parts behind the base, decoded."""

    method: str
    path: tuple[str, ...]
    authorization: str | None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """`status` of HTTP, and JSON."""

    status: int
    body: bytes


class PushListener:
    """`answer` is called on the thread of `run`, one request after another."""

    def __init__(
        self, bus: str, address: ListenAddress, answer: Callable[[PushRequest], PushAnswer], stop: threading.Event
    ) -> None:
        self.bus, self.address, self.answer, self._stop = bus, address, answer, stop
        self.mishaps = Mishaps()
        self.lines: set[_Line] = set()
        self.bound: tuple[str, int] | None = None
        self._told_at: dict[str, float] = {}
        self._loop = asyncio.new_event_loop()
        self._broken: BaseException | None = None

    def run(self) -> None:
        """Until `stop`. An InvariantError goes on to the caller."""
        self._loop.set_exception_handler(self._failed)
        try:
            while not self._stop.is_set() and self._broken is None:
                self._serve()
        finally:
            self._loop.close()
        if self._broken is not None:
            raise self._broken

    def _serve(self) -> None:
        here = self.address
        try:
            server = self._loop.run_until_complete(
                self._loop.create_server(lambda: _Line(self, self._loop), here.host, here.port)
            )
        except OSError as error:
            log.warning("bus %s: can't listen on %s:%d: %s; trying again", self.bus, here.host, here.port, error)
            self._stop.wait(REOPEN_S)
            return
        self.bound = server.sockets[0].getsockname()[:2]
        self._look()
        self._loop.run_forever()
        server.close()
        for line in list(self.lines):
            line.end()
        for _ in range(3):  # the loop closes the sockets in its next turns
            self._loop.run_until_complete(asyncio.sleep(0))

    def _look(self) -> None:
        now_s = monotonic_s()
        for line in [line for line in self.lines if now_s > line.until_s]:
            line.end()
        if self._stop.is_set():
            self._loop.stop()
        else:
            self._loop.call_later(LOOK_S, self._look)

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.mishaps.note(f"bus {self.bus}: a connection of the operator", error)
        elif error is not None and not isinstance(error, Exception):
            self._broken = cast("BaseException", error)
            self._loop.stop()

    def admits(self, address: str) -> bool:
        same = Counter(line.address for line in self.lines)[address]
        return len(self.lines) < CONNECTIONS and same < AN_ADDRESS

    def tell(self, address: str, why: str) -> None:
        """Once a minute of each address; of a hundred at most."""
        now_s = monotonic_s()
        if now_s - self._told_at.get(address, -TELL_S) < TELL_S:
            return
        if len(self._told_at) >= 100:
            self._told_at.clear()
        self._told_at[address] = now_s
        log.warning("bus %s: a caller at %s is refused: %s", self.bus, address, why)

    def answered(self, request: PushRequest) -> PushAnswer:
        try:
            return self.answer(request)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self.mishaps.note(f"bus {self.bus}: what the operator told", error)
            return PushAnswer(500, b"{}")


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, owner: PushListener, loop: asyncio.AbstractEventLoop) -> None:
        self._owner, self._loop = owner, loop
        self._tls = TlsPipe(owner.address.tls) if owner.address.tls is not None else None
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_MOST)
        self._asked: h11.Request | None = None
        self._body = bytearray()
        self._line: asyncio.Transport | None = None
        self.address = "?"
        self.until_s = monotonic_s() + REQUEST_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = cast("asyncio.Transport", transport)
        self.address = str((transport.get_extra_info("peername") or "?")[0])
        if self._owner.admits(self.address):
            self._owner.lines.add(self)
        else:
            self._owner.tell(self.address, "too many connections")
            self.end()

    def connection_lost(self, _error: Exception | None) -> None:
        self._owner.lines.discard(self)

    def end(self) -> None:
        if self._line is not None:
            self._line.abort()

    def data_received(self, data: bytes) -> None:
        try:
            plain = self._opened(data)
            if plain:
                self._http.receive_data(plain)
            self._go_on()
        except TlsError:
            self._owner.tell(self.address, "its TLS can't be understood, or it does not take our certificate")
            self.end()
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint, "no HTTP that can be read")

    def eof_received(self) -> None:
        self.end()

    def _opened(self, data: bytes) -> bytes:
        if self._tls is None:
            return data
        plain = self._tls.opened(data)
        if (waiting := self._tls.pending()) and self._line is not None:
            self._line.write(waiting)
        return plain

    def _go_on(self) -> None:
        """Whatever is whole by now is answered, one after another."""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if isinstance(event, h11.Request):
                self._asked = event
                self._body.clear()
                self.until_s = monotonic_s() + REQUEST_S
                if self._http.they_are_waiting_for_100_continue:
                    self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > BODY_MOST:
                    self._refuse(413, f"more than {BODY_MOST >> 20} MiB")
                    return
            elif isinstance(event, h11.EndOfMessage):
                if not self._answer():
                    return
            else:  # he has closed
                self.end()
                return

    def _answer(self) -> bool:
        """Whether another request may follow on this line."""
        asked = self._asked
        assert asked is not None
        request = _request(asked, bytes(self._body), self._owner.address.base)
        answer = self._owner.answered(request) if request is not None else PushAnswer(404, b"{}")
        self._say(answer)
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            self._close()
            return False
        self._http.start_next_cycle()
        self.until_s = monotonic_s() + IDLE_S
        return True

    def _refuse(self, status: int, why: str) -> None:
        self._owner.tell(self.address, why)
        with contextlib.suppress(h11.LocalProtocolError):
            self._say(PushAnswer(status, b"{}"), close=True)
        self._close()

    def _say(self, answer: PushAnswer, *, close: bool = False) -> None:
        headers = [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(answer.body)))]
        if answer.status == 401:
            headers.append(("WWW-Authenticate", "Token"))
        if close:
            headers.append(("Connection", "close"))
        head = self._http.send(h11.Response(status_code=answer.status, headers=headers, reason=b"")) or b""
        data = self._http.send(h11.Data(data=answer.body)) or b""
        rest = self._http.send(h11.EndOfMessage()) or b""
        self._write(head + data + rest)

    def _write(self, said: bytes) -> None:
        if self._line is not None:
            self._line.write(self._tls.sealed(said) if self._tls is not None else said)

    def _close(self) -> None:
        """What was said goes out first, within the time of a request."""
        if self._line is not None:
            self.until_s = min(self.until_s, monotonic_s() + REQUEST_S)
            self._line.close()


def _request(asked: h11.Request, body: bytes, base: str) -> PushRequest | None:
    """None for what does not lie below the base."""
    target = asked.target.decode("ascii", "replace").partition("?")[0]
    if not target.startswith(base + "/"):
        return None
    path = tuple(unquote(part) for part in target[len(base) + 1 :].rstrip("/").split("/"))
    authorization = next((value for name, value in asked.headers if name == b"authorization"), None)
    told = authorization.decode("ascii", "replace") if authorization is not None else None
    return PushRequest(asked.method.decode("ascii", "replace"), path, told, body)
