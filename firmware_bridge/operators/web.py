"""One question by HTTP to an operator's platform: bounded in time and size, TLS verified, no redirect followed.

The operator says himself where his endpoints are. One that lies elsewhere than the configured address must be as safe:
https where that is, and in no private network unless that is in one. What he says is quoted in no text.
"""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from gateway.base import reach
from gateway.base.clock import monotonic_s

ANSWER_S = 30.0
MOST_BYTES = 8 << 20
PIECE = 65_536
LOOK_S = 0.1
URL_MOST = 2_048
RETRY_MOST_S = 3_600.0
UNREADABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""What decoding his JSON may raise."""


class AskError(Exception):
    """No usable answer; the text names the host and why. `status` of HTTP, where there was one."""

    def __init__(self, text: str, status: int | None = None, retry_after_s: float = 0.0) -> None:
        super().__init__(text)
        self.status, self.retry_after_s = status, retry_after_s


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """An answer with a 2xx status."""

    body: bytes
    headers: Mapping[str, str]


class Web:
    """`base` is the configured address. A question under way ends soon after `stop`."""

    def __init__(self, base: str, stop: threading.Event) -> None:
        self._base, self._stop = urlsplit(base), stop
        self._context: ssl.SSLContext | None = None

    @property
    def host(self) -> str:
        return self._base.hostname or "?"

    def local_host(self) -> str:
        """The address of this machine by which the operator is reached. AskError. Nothing is sent."""
        try:
            place = reach.addresses(self.host, port_of(self._base))[0]
            family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(place)
                return str(probe.getsockname()[0])
        except OSError as error:
            raise AskError(f"{self.host}: {_reason(error)}") from None

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> WebAnswer:
        """AskError for all but a 2xx."""
        parts, within_s = _parts(url), ANSWER_S
        host = parts.hostname or "?"
        deadline = monotonic_s() + within_s
        ours = {"User-Agent": "yizhan", "Accept": "application/json", "Connection": "close"}
        try:
            connection = self._connection(parts, within_s)
            with contextlib.closing(connection), self._cut_off(connection.sock, deadline) as is_whole:
                self._secure(connection, parts)
                connection.request(method, _target(parts), body, ours | dict(headers))
                answer = self._taken(connection, host, deadline)
            if is_whole():  # a line that is cut off looks like one that has ended
                return answer
        except ssl.SSLCertVerificationError as error:
            raise AskError(f"{host}: its certificate is not good: {error.verify_message}") from None
        except OSError as error:
            late = "no answer in time" if monotonic_s() >= deadline else _reason(error)
            raise AskError(late if isinstance(error, reach.UnreachableError) else f"{host}: {late}") from None
        except (HTTPException, ValueError) as error:  # their texts may quote the answer
            raise AskError(f"{host}: no usable answer ({type(error).__name__})") from None
        raise AskError(f"{host}: no answer in time")

    def _taken(self, connection: HTTPConnection, host: str, deadline: float) -> WebAnswer:
        with connection.getresponse() as response:
            return self._read(response, host, deadline)

    def _read(self, response: HTTPResponse, host: str, deadline: float) -> WebAnswer:
        if not 200 <= response.status < 300:
            remark = ", a redirect, which is not followed" if 300 <= response.status < 400 else ""
            retry = response.getheader("Retry-After") or ""
            retry_s = min(float(retry), RETRY_MOST_S) if re.fullmatch("[0-9]{1,6}", retry) else 0.0
            raise AskError(f"{host}: HTTP {response.status}{remark}", response.status, retry_s)
        data = bytearray()
        while part := response.read1(PIECE):
            data += part
            if len(data) > MOST_BYTES:
                raise AskError(f"{host}: more than {MOST_BYTES >> 20} MiB in one answer")
            if monotonic_s() > deadline:
                raise AskError(f"{host}: no answer in time")
        return WebAnswer(bytes(data), {name.lower(): value for name, value in response.getheaders()})

    def _connection(self, parts: SplitResult, within_s: float) -> HTTPConnection:
        """A line to an address that was judged."""
        host, port = parts.hostname or "", port_of(parts)
        configured = (parts.scheme, host, parts.port) == (self._base.scheme, self._base.hostname, self._base.port)
        if not configured and self._base.scheme == "https" and parts.scheme != "https":
            raise AskError(f"{host}: an address without TLS, where {self.host} has TLS")
        places = reach.public_addresses(host, port, allow_private=configured or self._is_inside())
        connection = HTTPConnection(host, port, timeout=within_s)
        connection.sock = reach.dial(places, within_s)
        connection.sock.settimeout(within_s)
        return connection

    def _is_inside(self) -> bool:
        """Whether the configured address itself lies in a private network."""
        return not all(reach.is_public(address) for address, _ in reach.addresses(self.host, port_of(self._base)))

    def _secure(self, connection: HTTPConnection, parts: SplitResult) -> None:
        if parts.scheme == "https":
            self._context = self._context or ssl.create_default_context()
            connection.sock = self._context.wrap_socket(connection.sock, server_hostname=parts.hostname)

    @contextlib.contextmanager
    def _cut_off(self, line: socket.socket, deadline: float) -> Iterator[Callable[[], bool]]:
        """Ends the line at the deadline, or when the bus ends: a peer may send byte by byte, each in time. Gives
        whether it has not.
        """
        handle, done, cut = line.dup(), threading.Event(), threading.Event()

        def watch() -> None:
            while not done.wait(LOOK_S):
                if self._stop.is_set() or monotonic_s() >= deadline:
                    cut.set()
                    with contextlib.suppress(OSError):
                        handle.shutdown(socket.SHUT_RDWR)
                    return

        watcher = threading.Thread(target=watch, name=f"ask-{self.host}"[:15], daemon=True)
        watcher.start()
        try:
            yield lambda: not cut.is_set()
        finally:
            done.set()
            watcher.join()
            handle.close()


def port_of(parts: SplitResult) -> int:
    """That which the scheme has, where none is named."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def _parts(url: str) -> SplitResult:
    """AskError for what is no web address."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or len(url) > URL_MOST or not url.isascii() or any(sign <= " " for sign in url):
        raise AskError("the operator names an address that is none")
    return parts


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _reason(error: OSError) -> str:
    """Why there is no connection, in words of ours or of the system."""
    if isinstance(error, reach.UnreachableError):
        return str(error).partition(": set allow_private")[0]
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or type(error).__name__}"
    return error.strerror or type(error).__name__
