"""Connections before they are requests: bounds in number, size and time, so that nonsense costs only who sends it."""

import asyncio
import json
import logging
import resource
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from api.addresses import is_loopback, network_of

SILENT_PEER_MS = 30_000  # a peer that has vanished from the network
TOTAL = 16_384
SPARE_FILES = 48  # for the store, the broker and the log: these never go without


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """`total` connections, `per_address` of one customer (this machine and trusted proxies speak for many).

    The head of a request has `head_bytes` and `head_s`, its body `body_s`; who takes nothing of an answer for
    `stalled_s` is let go.
    """

    total: int = TOTAL
    per_address: int = 512
    head_bytes: int = 32 * 1024
    head_s: float = 10
    body_s: float = 60
    stalled_s: float = 30


def bounds_of_this_process() -> ConnectionBounds:
    """As many connections as the limit of open files leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return ConnectionBounds()
    return ConnectionBounds(total=min(TOTAL, max(16, soft - max(SPARE_FILES, soft // 4))))


class ConnectionDoor:
    """Counts the connections of one server. `trusted`: the reverse proxies' networks."""

    def __init__(self, bounds: ConnectionBounds, trusted: str) -> None:
        self.bounds = bounds
        self.open: set[Connection] = set()
        self._addresses: Counter[str] = Counter()
        networks = [ip_network(network.strip(), strict=False) for network in trusted.split(",") if network.strip()]

        @lru_cache(4096)
        def customer(host: str) -> str | None:
            try:
                address = ip_address(host)
            except ValueError:
                return host
            if is_loopback(host) or any(address in network for network in networks):
                return None
            return network_of(host)

        self._customer = customer

    def enter(self, connection: "Connection", host: str) -> str | None:
        """Why this connection is not taken; None when it is."""
        customer = self._customer(host)
        if len(self.open) >= self.bounds.total:
            return "too many connections; come back in a moment"
        if customer is not None and self._addresses[customer] >= self.bounds.per_address:
            return f"one address has at most {self.bounds.per_address} connections"
        self.open.add(connection)
        connection.customer = customer
        if customer is not None:
            self._addresses[customer] += 1
        return None

    def leave(self, connection: "Connection") -> None:
        if connection in self.open:
            self.open.discard(connection)
            if connection.customer is not None:
                self._addresses -= Counter([connection.customer])

    def sweep(self, now: float) -> None:
        """Once a second: end what has lasted too long. `now` is the loop's clock."""
        for connection in [*self.open]:
            connection.check(now)


class Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol with bounds. It puts the transport into the request's state: only it can drop a reader."""

    app_state: Mapping[str, Any]
    customer: str | None = None

    def __init__(self, door: ConnectionDoor, **given: Any) -> None:
        super().__init__(**given)
        self._door, self._bounds = door, door.bounds
        self._head_since: float | None = None
        self._head_bytes = 0
        self._too_large = self._refused = False
        self._unsent: int | None = None
        self._unsent_since = 0.0
        self._body_since: float | None = None
        self._parsed_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)
        why = self._door.enter(self, self.client[0] if self.client else "")
        if why is not None:
            self._refuse(503, "Service Unavailable", why)
            return
        self._head_since = self.loop.time()
        plain = transport.get_extra_info("socket")
        if plain is not None and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_PEER_MS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        idle = self._idle()
        if idle and self._head_since is None:
            self._head_since = self.loop.time()
        super().data_received(data)
        if not self._idle():
            self._head_since, self._head_bytes = None, 0
        elif idle and not self._draining():
            self._head_bytes += len(data)
            if self._head_bytes > self._bounds.head_bytes and not self.transport.is_closing():
                self._refuse_head()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count_head(len(name) + len(value))

    def on_headers_complete(self) -> None:
        """HTTP/1.0 knows no chunks: an answer of unknown length lasts as long as its connection."""
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0" and self.cycle is not None:
            self.cycle.chunked_encoding, self.cycle.expected_content_length = False, _UntilClosed()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._parsed_bytes = 0

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's
        """Also after the parser was stopped by `_count_head`."""
        if self._too_large:
            self._refuse_head()
        else:
            self._refuse(400, "Bad Request", "this is no HTTP request")

    def check(self, now: float) -> None:
        """Let go who is too slow with a request, or takes nothing of its answer."""
        if self._head_since is not None and now - self._head_since > self._bounds.head_s:
            self._refuse(408, "Request Timeout", f"a request has {self._bounds.head_s:g} s for its head")
        elif not self._idle() and self.cycle.more_body:
            if self._body_since is None:
                self._body_since = now
            elif now - self._body_since > self._bounds.body_s:
                self.transport.abort()
        else:
            self._body_since = None
            self._check_reader(now)

    def _check_reader(self, now: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        elif now - self._unsent_since > self._bounds.stalled_s:
            self.transport.abort()

    def _idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _draining(self) -> bool:
        """Whether what comes is the rest of a body whose request was answered already."""
        return self.cycle is not None and bool(self.cycle.more_body)

    def _count_head(self, size: int) -> None:
        self._parsed_bytes += size
        if self._parsed_bytes > self._bounds.head_bytes:
            self._too_large = True
            raise ValueError("the head of the request is too large")

    def _refuse_head(self) -> None:
        self._refuse(
            431, "Request Header Fields Too Large", f"the head of a request has at most {self._bounds.head_bytes} bytes"
        )

    def _refuse(self, status: int, title: str, detail: str) -> None:
        """A problem document, if an answer still makes sense, and the end."""
        self._refused, self._head_since = True, None
        if self._idle() and not self.transport.is_closing():
            self.transport.write(problem_bytes(status, title, detail))
        self.transport.close()


class _UntilClosed(int):
    """The length of an answer that ends with its connection: more than anything, and never short of it."""

    def __lt__(self, _sent: object) -> bool:
        return False

    def __sub__(self, _sent: object) -> "_UntilClosed":
        return self

    def __ne__(self, _left: object) -> bool:
        return False


@lru_cache(64)
def problem_bytes(status: int, title: str, detail: str) -> bytes:
    """A whole answer, for where there is no application yet."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    retry = "retry-after: 10\r\n" if status == 503 else ""
    return (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        f"{retry}x-content-type-options: nosniff\r\ncache-control: no-store\r\nconnection: close\r\n\r\n{body}"
    ).encode()


NO_MORE_FILES = "socket.accept() out of system resource"  # asyncio says so each second, with a traceback


class Seldom(logging.Filter):
    """One line a minute for each kind of message, with how many more there were."""

    EVERY_S = 60

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}
        self._held: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now = str(record.msg), record.created
        loud = record.levelno >= logging.ERROR and not kind.startswith(NO_MORE_FILES)
        if loud or record.levelno < logging.WARNING:
            return True
        if now - self._told.get(kind, -self.EVERY_S) < self.EVERY_S:
            self._held[kind] += 1
            return False
        self._told[kind] = now
        if more := self._held.pop(kind, 0):
            record.msg = f"{kind} ({more} more since the last such line)"
        return True


@contextmanager
def seldom(logger: logging.Logger) -> Iterator[None]:
    """While this is open the logger writes each kind of warning once a minute at most."""
    held = Seldom()
    logger.addFilter(held)
    try:
        yield
    finally:
        logger.removeFilter(held)
