"""One connection: bytes in, frames, bytes out. Everything here runs on the loop's thread, in callbacks.

A caller's bytes are parsed in slices and its frames handled one by one, each after the answer to the one before, at a
bounded rate; between two of its frames others have their turn. So a flood, a slow reader or a half handshake costs its
own connection.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.headers import parse_subprotocol
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from firmware_bridge.ocpp.handshake import Admitted, Greeting, Refusal
from firmware_bridge.ocpp.tls import TlsError, TlsPipe
from gateway.base.clock import monotonic_s

MAX_MESSAGE = 131_072
SLICE = 2_048
INBOX = 65_536  # bytes read and not yet parsed; beyond it the caller waits
EARLY = 16_384  # bytes of a handshake that waits for its turn; the greatest record of TLS
RATE_PER_S, BURST = 20.0, 120.0
GOODBYE_S = 2.0
LEFT_AFTER_TLS = (
    "it leaves as soon as it has seen our certificate: install who signed cert_file at the pile, and let cert_file name"
    " the address that the pile dials"
)

quiet_log = logging.getLogger("yizhan.websockets")  # the library would write what piles say into its log
quiet_log.addHandler(logging.NullHandler())
quiet_log.propagate = False
quiet_log.setLevel(logging.CRITICAL)


class LinkOwner(Protocol):
    """The owner of the connections."""

    def opened(self, link: "PileLink") -> None: ...
    def greeted(self, link: "PileLink") -> None:
        """It begins TLS, and waits for `begin`."""

    def judge(self, link: "PileLink", asked: Greeting) -> Admitted | Refusal: ...
    def admitted(self, link: "PileLink", admitted: Admitted) -> None: ...
    def refused(self, link: "PileLink", why: str, name: str = "") -> None: ...
    def said(self, link: "PileLink", message: bytes) -> bool:
        """A whole text message; True when it will call `link.go_on` before the next may be handled."""

    def closed(self, link: "PileLink") -> None: ...
    def lost(self, link: "PileLink") -> None:
        """Its socket is closed, too."""


class PileLink(asyncio.Protocol):
    def __init__(self, owner: LinkOwner, loop: asyncio.AbstractEventLoop, tls: TlsPipe | None) -> None:
        self._owner, self._loop, self._tls = owner, loop, tls
        self._ws = ServerProtocol(max_size=MAX_MESSAGE, logger=quiet_log)
        self._transport: asyncio.Transport | None = None
        self._inbox = bytearray()
        self._frames: deque[Frame] = deque()
        self._parts: list[bytes] = []
        self._busy = self._full = self._scheduled = False
        self._tokens, self._filled_at = BURST, monotonic_s()
        self.address = ""
        self.opened_at = self.heard_at = self.bytes_at = self._filled_at
        self.pinged_at: float | None = None
        self.full_since: float | None = None
        self.admitted: Admitted | None = None
        self._early = bytearray()  # of its TLS handshake, before its turn
        self.waits = False  # for us, and we need not wait for it
        self._begun = tls is None
        self._asked = False  # it has asked for something behind its TLS handshake
        self.gone = False

    # ---- asyncio calls these ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        self._transport.set_write_buffer_limits(high=INBOX)  # type: ignore[union-attr]
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        self.bytes_at = monotonic_s()
        if self._begun:
            self._received(data)
            return
        self._early += data
        if len(self._early) > EARLY:
            self.drop()
        elif not self.waits:
            self.waits = True
            self._owner.greeted(self)

    def _received(self, data: bytes) -> None:
        try:
            self._inbox += data if self._tls is None else self._tls.opened(data)
        except TlsError as error:
            self._flush_tls()
            self._owner.refused(self, str(error))
            self.drop()
            return
        self._flush_tls()
        if len(self._inbox) > INBOX:
            self._pause(True)
        if not self._scheduled:
            self._turn()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        if self._tls is not None and self._begun and not self.gone and not self._asked:
            self._owner.refused(self, LEFT_AFTER_TLS)
        self._leave()
        self._owner.lost(self)

    def pause_writing(self) -> None:
        self._full, self.full_since = True, monotonic_s()

    def resume_writing(self) -> None:
        self._full, self.full_since = False, None
        self._soon()

    # ---- the owner calls these ----

    def begin(self) -> None:
        """It is its turn to have its TLS made."""
        if not self.gone:
            self.waits, self._begun = False, True
            self.opened_at = self.bytes_at = monotonic_s()
            early, self._early = bytes(self._early), bytearray()
            self._received(early)

    def send(self, message: bytes) -> None:
        if self._ws.state is State.OPEN and not self.gone:
            self._ws.send_text(message)
            self._flush()

    def go_on(self) -> None:
        """What was said is answered."""
        self._busy = False
        self._soon()

    def ping(self) -> None:
        if self._ws.state is State.OPEN:
            self.pinged_at = monotonic_s()
            self._ws.send_ping(b"")
            self._flush()

    def close(self, code: int, why: str) -> None:
        """Say goodbye; gone at the latest in two seconds."""
        if self._ws.state is State.OPEN:
            self._ws.send_close(code, why[:120])
            self._flush()
        self._loop.call_later(GOODBYE_S, self.drop)

    def drop(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            if self._full:
                self._transport.abort()
            else:
                self._transport.close()
        self._leave()

    def abort(self) -> None:
        """Close the socket, whatever waits to be sent."""
        if self._transport is not None:
            self._transport.abort()
        self._leave()

    def _leave(self) -> None:
        if not self.gone:
            self.gone = True
            self._inbox.clear()
            self._early.clear()
            self._frames.clear()
            self._owner.closed(self)

    # ---- one frame at a time ----

    def _soon(self, delay_s: float = 0.0) -> None:
        if not self._scheduled and not self.gone:
            self._scheduled = True
            act: Callable[[], Any] = self._turn
            _ = self._loop.call_later(delay_s, act) if delay_s else self._loop.call_soon(act)

    def _turn(self) -> None:
        self._scheduled = False
        if self.gone or self._busy or self._full:
            return
        if not self._frames and self._inbox:
            self._parse()
        if self._frames and not self._busy:
            wait_s = self._price()
            if wait_s:
                self._soon(wait_s)
                return
            self._take(self._frames.popleft())
        if (self._frames or self._inbox) and not self._busy:
            self._soon()

    def _price(self) -> float:
        """How long this caller must wait for its next frame; 0 when it may go on."""
        now = monotonic_s()
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * RATE_PER_S)
        self._filled_at = now
        if self._tokens < 1:
            return (1 - self._tokens) / RATE_PER_S
        self._tokens -= 1
        return 0.0

    def _parse(self) -> None:
        self._asked = True
        piece = bytes(self._inbox[:SLICE])
        del self._inbox[:SLICE]
        if len(self._inbox) <= INBOX // 2:
            self._pause(False)
        self._ws.receive_data(piece)
        for event in self._ws.events_received():
            if isinstance(event, Request):
                self._greet(event)
            elif isinstance(event, Frame):
                self._frames.append(event)
        if self._ws.handshake_exc is not None and self.admitted is None and not self.gone:
            self._owner.refused(self, f"no WebSocket handshake: {_short(self._ws.handshake_exc)}")
        self._flush()

    def _take(self, frame: Frame) -> None:
        self.heard_at, self.pinged_at = monotonic_s(), None
        if frame.opcode in (Opcode.PING, Opcode.PONG, Opcode.CLOSE) or self._ws.state is not State.OPEN:
            return
        if frame.opcode is Opcode.BINARY:
            self._parts.clear()
            self.close(1003, "OCPP-J is text")
            return
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        message = b"".join(self._parts) if len(self._parts) > 1 else self._parts[0]
        self._parts.clear()
        self._busy = True
        if not self._owner.said(self, message):
            self._busy = False

    # ---- the handshake ----

    def _greet(self, request: Request) -> None:
        headers = request.headers
        try:
            offered = [word for line in headers.get_all("Sec-WebSocket-Protocol") for word in parse_subprotocol(line)]
        except InvalidHandshake:
            offered = []
        certificate = self._tls.certificate() if self._tls is not None else None
        line = headers.get_all("Authorization")
        asked = Greeting(request.path, line[0] if line else None, offered, self._tls is not None, certificate)
        verdict = self._owner.judge(self, asked)
        if isinstance(verdict, Refusal):
            self._refuse(verdict)
            return
        self._ws.available_subprotocols = [verdict.subprotocol]  # type: ignore[list-item]
        response = self._ws.accept(request)
        self._ws.send_response(response)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.admitted = verdict
            self._flush()
            self._owner.admitted(self, verdict)

    def _refuse(self, refusal: Refusal) -> None:
        response = self._ws.reject(refusal.status, f"{refusal.reason}\n")
        if refusal.status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="ocpp", charset="UTF-8"'
        self._ws.send_response(response)
        self._owner.refused(self, refusal.reason, refusal.name)

    # ---- what goes ----

    def _flush(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for data in self._ws.data_to_send():
            if data:
                self._transport.write(data if self._tls is None else self._tls.sealed(data))
            else:  # the library's way to say: no more
                self._transport.close()
                return

    def _flush_tls(self) -> None:
        """What the handshake itself has to say."""
        if self._tls is not None and self._transport is not None and (data := self._tls.pending()):
            self._transport.write(data)

    def _pause(self, wanted: bool) -> None:
        transport = self._transport
        if transport is not None and transport.is_reading() is wanted:
            if wanted:
                transport.pause_reading()
            elif not transport.is_closing():
                transport.resume_reading()


def _short(error: Exception) -> str:
    return str(error)[:120]
