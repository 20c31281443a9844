"""One HTTP request with a hard time limit, no redirects, and no way into private networks unless allowed."""

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, InvalidURL
from typing import Any
from urllib.parse import urlsplit

from gateway.base import clock
from gateway.base.reach import UnreachableError, basic_login, dial, public_addresses
from gateway.model import Millis
from gateway.notify.base import SendError

MAX_ANSWER = 65_536
# Our request itself is wrong: the same bytes will be refused for ever. Anything else an operator or time may mend.
PERMANENT = frozenset({400, 405, 410, 411, 413, 414, 415, 422})
# RFC 9110, 15.4: the resource is elsewhere for now only (a maintenance page, a login that has run out).
ELSEWHERE_FOR_NOW = frozenset({302, 303, 307})
RETRY_MOST_S = 3600.0
RETRY_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: `url` may hold a robot's key, so it is never shown; `host` may be. `ca_file`: the authority of its
    certificate, where that is not one of the system's."""

    url: str
    timeout_s: float = 10
    allow_private: bool = False
    ca_file: str | None = None

    @property
    def host(self) -> str:
        """`?` for an address that can't be read."""
        try:
            return urlsplit(self.url).hostname or "?"
        except ValueError:
            return "?"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said, of any status, and when by its clock. `retry_after_s` lies between 0 and RETRY_MOST_S."""

    host: str
    status: int
    body: bytes = b""
    retry_after_s: float | None = None
    location: str | None = None
    date: str | None = None

    @property
    def permanent(self) -> bool:
        """By the status alone: will the same request be refused for ever?"""
        return self.status in PERMANENT or (300 <= self.status < 400 and self.status not in ELSEWHERE_FOR_NOW)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, {} if it is none."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    def check(self) -> None:
        """SendError unless the status is 2xx."""
        if 200 <= self.status < 300:
            return
        text = f"{self.host}: HTTP {self.status}"
        if 300 <= self.status < 400:
            text += f", a redirect{_to(self.location)}, which is not followed: correct the url"
        raise SendError(text, permanent=self.permanent, retry_after_s=self.retry_after_s)


def _to(location: str | None) -> str:
    """The host alone, for the rest of an address may be a secret."""
    try:
        host = urlsplit(location or "").hostname
    except ValueError:
        host = None
    return f" to {host}" if host else ""


def post_json(target: Target, body: object, now: Millis) -> Answer:
    """POST `body`; the answer is not judged yet. SendError if there is none."""
    data = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    return exchange(target, "POST", data, now, {"Content-Type": "application/json; charset=utf-8"})


def request(target: Target, method: str, body: bytes | None, now: Millis, headers: dict[str, str]) -> bytes:
    """The answer's body. SendError for anything but 2xx."""
    answer = exchange(target, method, body, now, headers)
    answer.check()
    return answer.body


def exchange(target: Target, method: str, body: bytes | None, now: Millis, headers: dict[str, str]) -> Answer:
    """The answer whatever its status. SendError if there is none: a broken or silent line is never permanent."""
    deadline = clock.monotonic_s() + target.timeout_s
    connection = _connect(target)
    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _cut_off(connection, deadline):
            ours = {"User-Agent": "yizhan", "Connection": "close", **basic_login(parts.username, parts.password)}
            connection.request(method, path, body, ours | headers)
            with connection.getresponse() as response:
                return Answer(
                    target.host, response.status, _read(response, deadline),
                    retry_after_s(response.getheader("Retry-After"), now), response.getheader("Location"),
                    response.getheader("Date"),
                )  # fmt: skip
    except OSError as error:
        raise SendError(f"{target.host}: {type(error).__name__}: {error}") from error
    except (InvalidURL, UnicodeError):
        raise SendError(f"{target.host}: the url holds a space or a sign that no address has", permanent=True) from None
    except HTTPException as error:  # its text may quote the path, and with it a robot's key
        raise SendError(f"{target.host}: {type(error).__name__}") from None
    finally:
        connection.close()


@contextlib.contextmanager
def _cut_off(connection: HTTPConnection, deadline: float) -> Iterator[None]:
    """Ends the connection at the deadline: a peer may send its headers byte by byte, each in time."""
    line = connection.sock
    timer = threading.Timer(max(0.0, deadline - clock.monotonic_s()), _end, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # under TLS too, and without a farewell


def _connect(target: Target) -> HTTPConnection:
    """Resolve once, judge every address, and connect to the one judged: a name can't be swapped in between."""
    host, port, tls = _address(target.url)
    places = allowed(host, port, allow_private=target.allow_private)
    connection = (HTTPSConnection if tls else HTTPConnection)(host, port, timeout=target.timeout_s)
    try:
        connection.sock = dial(places, target.timeout_s)
        if tls:
            trust = ssl.create_default_context(cafile=target.ca_file)
            connection.sock = trust.wrap_socket(connection.sock, server_hostname=host)
    except OSError as error:
        connection.close()
        raise SendError(f"{host}: {error}") from error
    return connection


def _address(url: str) -> tuple[str, int, bool]:
    """Host, port, and whether TLS is spoken. SendError for what is no such address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https"):
        raise SendError("the channel's url is no http(s) address", permanent=True)
    tls = parts.scheme == "https"
    return host, port or (443 if tls else 80), tls


def allowed(host: str, port: int, *, allow_private: bool) -> list[tuple[str, int]]:
    """`public_addresses` for a receiver of alerts. SendError where that is an UnreachableError."""
    try:
        return public_addresses(host, port, allow_private=allow_private)
    except UnreachableError as error:
        raise SendError(str(error), permanent=error.final) from error


def _read(response: HTTPResponse, deadline: float) -> bytes:
    """At most MAX_ANSWER bytes; a peer that drips one byte at a time is cut off at the deadline."""
    parts: list[bytes] = []
    size = 0
    while size < MAX_ANSWER and (part := response.read1(MAX_ANSWER - size)):
        parts.append(part)
        size += len(part)
        if clock.monotonic_s() > deadline:
            break
    if clock.monotonic_s() > deadline:  # cut off, so what came may be half of it
        raise TimeoutError("the answer takes too long")
    return b"".join(parts)


def retry_after_s(value: str | None, now: Millis) -> float | None:
    """RFC 9110, 10.2.3: seconds, or a date. None for anything else; at most RETRY_MOST_S, whatever was asked."""
    text = (value or "").strip()
    if re.fullmatch("[0-9]+", text):
        return RETRY_MOST_S if len(text) > RETRY_DIGITS else min(float(text), RETRY_MOST_S)
    try:
        at = parsedate_to_datetime(text)
        left = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now / 1000
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, left), RETRY_MOST_S)
