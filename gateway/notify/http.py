"""One HTTP request with a hard time limit, no redirects, and no way into private networks unless allowed."""

import contextlib
import ipaddress
import json
import socket
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from gateway import clock
from gateway.model import Millis
from gateway.notify.base import SendError

MAX_ANSWER = 65_536
# Our request itself is wrong: the same bytes will be refused for ever. Anything else an operator or time may mend.
PERMANENT = frozenset({400, 405, 410, 411, 413, 414, 415, 422})


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: `url` may hold a robot's key, so it is never shown; `host` may be."""

    url: str
    timeout_s: float = 10
    allow_private: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "?"


def post_json(target: Target, body: object, now: Millis, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """POST and return the answer's JSON object, {} if it is none. SendError unless the status is 2xx."""
    data = json.dumps(body, ensure_ascii=False).encode()
    answer = request(target, "POST", data, now, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})
    try:
        found = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def request(target: Target, method: str, body: bytes | None, now: Millis, headers: dict[str, str]) -> bytes:
    """The answer's body. SendError for anything but 2xx; a broken or silent line is never permanent."""
    deadline = clock.monotonic_s() + target.timeout_s
    connection = _connect(target)
    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body, {"User-Agent": "yizhan", "Connection": "close", **headers})
        with connection.getresponse() as response:
            answer = _read(response, deadline)
    except OSError as error:
        raise SendError(f"{target.host}: {type(error).__name__}: {error}") from error
    except HTTPException as error:  # its text may quote the path, and with it a robot's key
        raise SendError(f"{target.host}: {type(error).__name__}") from None
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        raise SendError(
            f"{target.host}: HTTP {response.status}",
            permanent=response.status in PERMANENT or 300 <= response.status < 400,
            retry_after_s=_retry_after(response, now),
        )
    return answer


def _connect(target: Target) -> HTTPConnection:
    """Resolve once, judge every address, and connect to the one judged: a name can't be swapped in between."""
    parts = urlsplit(target.url)
    host, tls = parts.hostname, parts.scheme == "https"
    if not host or parts.scheme not in ("http", "https"):
        raise SendError("the channel's url is no http(s) address", permanent=True)
    addresses = public_addresses(host, parts.port or (443 if tls else 80), allow_private=target.allow_private)
    connection = (HTTPSConnection if tls else HTTPConnection)(host, parts.port, timeout=target.timeout_s)
    try:
        connection.sock = _dial(addresses, target.timeout_s)
        if tls:
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
    except OSError as error:
        connection.close()
        raise SendError(f"{host}: {error}") from error
    return connection


def _dial(addresses: list[tuple[str, int]], timeout_s: float) -> socket.socket:
    """The first address that answers: many sites have an IPv6 address and no route to it."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection(address, timeout_s / len(addresses))
    return socket.create_connection(addresses[-1], timeout_s)


def public_addresses(host: str, port: int, *, allow_private: bool) -> list[tuple[str, int]]:
    """Where the host may be spoken to, at least one. SendError when it has no address, or any of them is private."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise SendError(f"{host}: {error}") from error
    for address in found:
        if not allow_private and not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise SendError(
                f"{host} is {address}, an address in a private network: set allow_private: true if that is meant",
                permanent=True,
            )
    return [(address, port) for address in dict.fromkeys(found)]


def _read(response: HTTPResponse, deadline: float) -> bytes:
    """At most MAX_ANSWER bytes; a peer that drips one byte at a time is cut off at the deadline."""
    parts: list[bytes] = []
    size = 0
    while size < MAX_ANSWER and (part := response.read1(MAX_ANSWER - size)):
        parts.append(part)
        size += len(part)
        if clock.monotonic_s() > deadline:
            raise TimeoutError("the answer takes too long")
    return b"".join(parts)


def _retry_after(response: HTTPResponse, now: Millis) -> float | None:
    """RFC 9110, 10.2.3: seconds, or a date."""
    value = response.getheader("Retry-After")
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now / 1000)
    except ValueError:
        return None
