"""One connection to the operator's central system, as one pile. Callbacks on the loop's thread."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Protocol

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from firmware_bridge.ocpp.link import quiet_log
from firmware_bridge.ocpp.tls import TlsError, TlsPipe
from gateway.base.clock import monotonic_s

MAX_MESSAGE = 1_048_576  # an operator may send a list of all his cards
_MENDS = {
    401: ": he does not know the pile's password: password_file must hold that which he gave",
    403: ": he does not let this pile in",
    404: ": he does not know this charge point, or upstream: has another path",
}


@dataclass(frozen=True, slots=True)
class Destination:
    """`address` ends with the pile's name; `authorization` is the Basic header of the pile, or None."""

    address: str
    subprotocol: str
    authorization: str | None = field(repr=False)
    tls: ssl.SSLContext | None


class LineOwner(Protocol):
    """Each is told with the line that it is about: an older one may still be closing."""

    def line_open(self, line: "UpstreamLine") -> None: ...
    def line_said(self, line: "UpstreamLine", message: bytes) -> None: ...
    def line_lost(self, line: "UpstreamLine", why: str) -> None: ...


class UpstreamLine(asyncio.Protocol):
    """`dial` once. `line_lost` follows once, whatever becomes of it."""

    def __init__(self, owner: LineOwner, loop: asyncio.AbstractEventLoop, to: Destination) -> None:
        self._owner, self._loop, self.to = owner, loop, to
        uri = parse_uri(to.address)
        self._host, self._port = uri.host, uri.port
        self._ws = ClientProtocol(
            uri, subprotocols=[to.subprotocol], max_size=MAX_MESSAGE, logger=quiet_log  # type: ignore[list-item]
        )  # fmt: skip
        self._tls = TlsPipe(to.tls, uri.host) if to.tls is not None else None
        self._transport: asyncio.Transport | None = None
        self._dialling: asyncio.Task[object] | None = None
        self._parts: list[bytes] = []
        self._why = "the operator has closed the connection"
        self.open = self.gone = self._greeted = self._spoken = False
        self.dialled_at = self.heard_at = monotonic_s()
        self.pinged_at: float | None = None
        self.opened_at: float | None = None

    def dial(self) -> None:
        self._dialling = self._loop.create_task(self._loop.create_connection(lambda: self, self._host, self._port))
        self._dialling.add_done_callback(self._dialled)

    def _dialled(self, task: "asyncio.Task[object]") -> None:
        if task.cancelled():
            self._lose("nobody answers in time")
        elif (error := task.exception()) is not None:
            self._lose(f"can't be reached: {error}")

    # ---- asyncio calls these ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if self.gone:
            transport.close()
        elif self._tls is None:
            self._greet()
        else:
            self._received(b"")

    def data_received(self, data: bytes) -> None:
        self.heard_at, self.pinged_at = monotonic_s(), None
        self._received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(self._why if error is None else str(error))

    # ---- the owner calls these ----

    def send(self, message: bytes) -> None:
        if self.open and self._ws.state is State.OPEN:
            self._spoken = True
            self._ws.send_text(message)
            self._flush()

    def ping(self) -> None:
        if self.open and self._ws.state is State.OPEN:
            self.pinged_at = monotonic_s()
            self._ws.send_ping(b"")
            self._flush()

    def close(self, why: str) -> None:
        if self._ws.state is State.OPEN:
            self._ws.send_close(1001, "")
            self._flush()
        self._lose(why)

    # ---- bytes ----

    def _received(self, data: bytes) -> None:
        try:
            plain = data if self._tls is None else self._tls.opened(data)
        except TlsError as error:
            self._flush_tls()
            self._lose(str(error))
            return
        self._flush_tls()
        if self._tls is not None and self._tls.shaken and not self._greeted:
            self._greet()
        if plain:
            self._parse(plain)

    def _greet(self) -> None:
        self._greeted = True
        request = self._ws.connect()
        if self.to.authorization is not None:
            request.headers["Authorization"] = self.to.authorization
        self._ws.send_request(request)
        self._flush()

    def _parse(self, data: bytes) -> None:
        self._ws.receive_data(data)
        for event in self._ws.events_received():
            if isinstance(event, Frame):
                self._take(event)
            elif self._ws.handshake_exc is None:
                self._opened()
        if self._ws.handshake_exc is not None:
            self._lose(_refusal(self._ws.handshake_exc))
            return
        self._flush()

    def _opened(self) -> None:
        if self._ws.subprotocol != self.to.subprotocol:
            self._lose(f"does not speak {self.to.subprotocol}: set the pile to a version that he speaks")
            return
        self.open, self.opened_at = True, monotonic_s()
        self._owner.line_open(self)

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            # once he has heard of cards, his words may hold a number of one
            reason = "" if self._spoken else (self._ws.close_reason or "")[:80]
            self._why = f"closes: {self._ws.close_code} {reason}".rstrip()
        if frame.opcode not in (Opcode.TEXT, Opcode.CONT) or self.gone:
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            message, self._parts = b"".join(self._parts), []
            self._owner.line_said(self, message)

    def _flush(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for data in self._ws.data_to_send():
            if not data:  # the library's way to say: no more
                self._transport.close()
                return
            self._transport.write(data if self._tls is None else self._tls.sealed(data))

    def _flush_tls(self) -> None:
        if self._tls is not None and self._transport is not None and (data := self._tls.pending()):
            self._transport.write(data)

    def _lose(self, why: str) -> None:
        if self.gone:
            return
        self.gone, self.open = True, False
        if self._transport is not None:
            self._transport.close()
        elif self._dialling is not None and not self._dialling.done():
            self._dialling.cancel()
        self._owner.line_lost(self, why)


def _refusal(error: Exception) -> str:
    """Why the operator did not let us in, with what helps."""
    if not isinstance(error, InvalidStatus):
        return f"answers no WebSocket handshake: {str(error)[:120]}"
    status = error.response.status_code
    words = bytes(error.response.body or b"").decode("utf-8", "replace").strip()[:80]
    return f"refuses with {status}{_MENDS.get(status, '')} {words}".rstrip()
